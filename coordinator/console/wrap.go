package console

import (
	"strings"
	"unicode/utf8"
)

// labelWidth is the column at which text begins behind a label: "estimate  3,250 inferences".
const labelWidth = 10

// wrap breaks the lines of text between words, so that none is wider than width where its words allow it: a path may not, and a
// terminal breaks that. What follows a label hangs under its text, what follows a sentence is indented. A width of 0 or less
// than a few words breaks nothing.
func wrap(text string, width int) string {
	const narrow = 30
	if width < narrow {
		return text
	}
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		for hang := indent(line); utf8.RuneCountInString(line) > width; {
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

// indent is where the lines begin that follow the first part of line.
func indent(line string) int {
	if len(line) > labelWidth && line[labelWidth-1] == ' ' && line[labelWidth] != ' ' && (line[labelWidth-2] == ' ' || !strings.Contains(line[:labelWidth-1], " ")) {
		return labelWidth
	}
	return len(line) - len(strings.TrimLeft(line, " ")) + 4
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
