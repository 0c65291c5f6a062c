package graph

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// token kinds of the text form.
const (
	tokEnd    = iota
	tokWord   // a run of word characters: a name, a keyword or a number, as the place decides
	tokString // a Go string literal; text holds its value
	tokPunct  // one of ( ) [ ] { } , = : @ ? !
)

// token is a piece of a text; line counts from 1 and is where it begins.
type token struct {
	kind int
	text string
	line int
}

func (t token) String() string {
	switch t.kind {
	case tokEnd:
		return "the end"
	case tokString:
		return strconv.Quote(t.text)
	}
	return "'" + t.text + "'"
}

const punctuation = "()[]{},=:@?!"

// isWord: letters and digits of ASCII and what exporters put between them. Signs and points make numbers words, too.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_./:+-", c) >= 0
}

// bare reports whether a name can stand in the text form without quotes. A colon may stand inside a word, as exporters
// write it, but not at its ends, where it separates a name from its type.
func bare(s string) bool {
	if s == "" || s[0] == ':' || s[len(s)-1] == ':' {
		return false
	}
	for i := range len(s) {
		if !isWord(s[i]) {
			return false
		}
	}
	return true
}

// lex splits text into tokens. Blanks, line ends and comments (from # to the end of the line) only separate. The last
// token is always tokEnd, so peeking past the end is safe.
func lex(text string) ([]token, error) {
	var out []token
	line := 1
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case c == '"':
			quoted, err := strconv.QuotedPrefix(text[i:])
			if err != nil {
				return nil, fmt.Errorf("line %d: string has no end or a bad escape", line)
			}
			s, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, fmt.Errorf("line %d: string %s: %w", line, quoted, err)
			}
			out = append(out, token{tokString, s, line})
			i += len(quoted)
		case c != ':' && isWord(c):
			j := i
			for j < len(text) && isWord(text[j]) {
				j++
			}
			for text[j-1] == ':' {
				j--
			}
			out = append(out, token{tokWord, text[i:j], line})
			i = j
		case strings.IndexByte(punctuation, c) >= 0:
			out = append(out, token{tokPunct, text[i : i+1], line})
			i++
		default:
			r, _ := utf8.DecodeRuneInString(text[i:])
			return nil, fmt.Errorf("line %d: character %q stands in no name, number or sign; quote names that hold it", line, r)
		}
	}
	return append(out, token{tokEnd, "", line}), nil
}
