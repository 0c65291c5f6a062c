package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// Limits of a job file. Real ones have some 5 KB and 8 levels.
const (
	maxFile  = 1 << 20
	maxDepth = 64
)

// Read reads the job file at path, at most 1 MiB. Relative paths in it are taken from its folder. The error is an Errors and
// wraps the system's; the job is nil then.
func Read(path string) (*Job, error) {
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".yaml" || ext == ".yml" {
		return nil, Errors{{File: path, Text: "YAML job files are not read; write the same keys as JSON, comments are allowed"}}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return Parse(path, b)
}

// unreadable is the error of a job file that the system does not hand out.
func unreadable(path string, err error) error {
	why := err
	if at := new(fs.PathError); errors.As(err, &at) {
		why = at.Err // it names the path a second time
	}
	return Errors{{File: path, Text: fmt.Sprintf("the job file cannot be read: %v", why), cause: err}}
}

// Parse reads a job file from b, which it neither keeps nor changes; name is its path for messages and for the folder of
// relative paths. The error is an Errors with everything that is wrong, or with the first fault of the syntax alone. What may
// still come from flags, and what contradicts it, is for Job.Check.
func Parse(name string, b []byte) (*Job, error) {
	if len(b) > maxFile {
		return nil, Errors{{File: name, Text: fmt.Sprintf("larger than %d bytes; that is no job file", maxFile)}}
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if n := tooDeep(b); n >= 0 {
		return nil, Errors{{File: name, Pos: positionAt(b, n), Text: fmt.Sprintf("more than %d levels of brackets", maxDepth)}}
	}
	// Parse keeps parts of its input.
	v, err := hujson.Parse(bytes.Clone(b))
	if err != nil {
		return nil, Errors{syntaxError(name, err)}
	}
	w := &walker{file: name, text: b, entries: map[string]entry{}}
	w.value(schema(), v, "")
	job := build(w)
	if len(w.errors) > 0 {
		return nil, w.sorted()
	}
	return job, nil
}

// tooDeep is the offset of the bracket that opens level maxDepth+1, -1 if there is none. The parser recurses, so this
// comes before it; brackets in strings and comments do not count.
func tooDeep(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case c == '/' && i+1 < len(b) && (b[i+1] == '/' || b[i+1] == '*'):
			end := map[byte]string{'/': "\n", '*': "*/"}[b[i+1]]
			n := bytes.Index(b[i+2:], []byte(end))
			if n < 0 {
				return -1
			}
			i += 1 + n + len(end)
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return i
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return -1
}

var parserPlace = regexp.MustCompile(`^hujson: line (\d+), column (\d+): `)

// syntaxError takes the place out of the parser's text.
func syntaxError(name string, err error) *Error {
	text := err.Error()
	e := &Error{File: name, Text: text + " (JSON with comments and trailing commas is read)"}
	if m := parserPlace.FindStringSubmatch(text); m != nil {
		line, err1 := strconv.Atoi(m[1])
		column, err2 := strconv.Atoi(m[2])
		if err1 == nil && err2 == nil {
			e.Pos = Pos{line, column}
		}
		e.Text = text[len(m[0]):] + " (JSON with comments and trailing commas is read)"
	}
	return e
}
