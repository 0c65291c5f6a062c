package console

import (
	"strings"
	"unicode/utf8"
)

// narrow is the width below which nothing is broken: a few words.
const narrow = 30

// Wrap breaks the lines of text between words, so that none is wider than width where its words allow it: a path may not, and a
// terminal breaks that. What follows a label hangs under its text and what follows a row of a table under its last cell, where that leaves
// room; what follows a sentence is indented. A width of 0 or less than a few words breaks nothing.
func Wrap(text string, width int) string {
	if width < narrow {
		return text
	}
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		for hang := indent(line, width); utf8.RuneCountInString(line) > width; {
			at := lastSpace(line, hang, width)
			if at < 0 {
				break
			}
			out = append(out, strings.TrimRight(line[:at], " "))
			line = strings.Repeat(" ", hang) + strings.TrimLeft(line[at:], " ")
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// indent is where the lines begin that follow the first part of line: at the column of the text behind the last gap of two blanks or
// more, if that is one of the first two thirds of width.
func indent(line string, width int) int {
	head := len(line) - len(strings.TrimLeft(line, " "))
	if gap := strings.LastIndex(line[head:], "  "); gap >= 0 {
		if column := utf8.RuneCountInString(line[:head+gap+2]); column <= width*2/3 {
			return column
		}
	}
	return head + 4
}

// lastSpace is the byte offset of the last space behind the indentation, where a break makes the line shorter, whose line is at most width wide; behind a longer word,
// of the first; -1 without one.
func lastSpace(line string, hang, width int) int {
	at, column := -1, 0
	for i, r := range line {
		if r == ' ' && column >= hang {
			if column > width && at >= 0 {
				break
			}
			at = i
			if column >= width {
				break
			}
		}
		column++
	}
	return at
}
