package config

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Pos is a place in a job file, both counted from 1, columns in characters. The zero Pos is no place: a default or a flag.
type Pos struct{ Line, Column int }

// String is "line:column", or "" for no place.
func (p Pos) String() string {
	if p == (Pos{}) {
		return ""
	}
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}

// positionAt is the place of byte offset n of b. A byte order mark counts for nothing.
func positionAt(b []byte, n int) Pos {
	n = min(max(n, 0), len(b))
	start := bytes.LastIndexByte(b[:n], '\n') + 1
	return Pos{Line: 1 + bytes.Count(b[:n], []byte("\n")), Column: 1 + utf8.RuneCount(b[start:n])}
}

// Error is one thing wrong with a job. File is the path as it was given, "" for flags; Pos is zero where no single place is
// meant; Key is the dotted name of the key, or the flag with its dashes, "" when the file as a whole is meant.
type Error struct {
	File string
	Pos  Pos
	Key  string
	Text string

	cause error // of the system; nil for what is wrong in the job itself
}

// Error is "file:line:column: key: text" without the parts that are not known.
func (e *Error) Error() string {
	var parts []string
	if e.File != "" {
		at := e.File
		if e.Pos != (Pos{}) {
			at += ":" + e.Pos.String()
		}
		parts = append(parts, at)
	}
	if e.Key != "" {
		parts = append(parts, e.Key)
	}
	return strings.Join(append(parts, e.Text), ": ")
}

// Unwrap is the system's error when the job file could not be read (fs.ErrNotExist, say), else nil.
func (e *Error) Unwrap() error { return e.cause }

// Errors is all that is wrong with a job, in the order of the file. It is never empty where a function returns it.
type Errors []*Error

// Error has one line an error.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single errors to errors.As.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}
