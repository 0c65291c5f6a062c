package console

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestWrap: lines break between words; what follows a label stands under its text.
func TestWrap(t *testing.T) {
	for _, c := range [][2]string{
		{"short", "short"},
		{"estimate  3,250 inferences if everything keeps the limit", "estimate  3,250 inferences if\n          everything keeps the\n          limit"},
		{"can be    INT8: 28 operations in 27 groups", "can be    INT8: 28 operations in\n          27 groups"},
		{"ranking 27 groups: each alone in float, on 300 samples", "ranking 27 groups: each alone in\n    float, on 300 samples"},
		{"  worse than before: a, b and c are in INT8 again", "  worse than before: a, b and c\n      are in INT8 again"},
		{"model     /a/very/long/path/that/has/no/space\n          58 operations", "model     /a/very/long/path/that/has/no/space\n          58 operations"},
		{"µµµµµµµµµµ µµµµµµµµµµ µµµµµµµµµ", "µµµµµµµµµµ µµµµµµµµµµ µµµµµµµµµ"},
		{"// / ////////////////////////////", "// /\n    ////////////////////////////"},
		{"work          4,876 inferences in 12.6 s; 205 results", "work          4,876 inferences\n              in 12.6 s; 205\n              results"},
		{"group 2   +0.0250   fc1, fc2, fc3, fc4", "group 2   +0.0250   fc1, fc2,\n                    fc3, fc4"},
		{"group 2         +0.0250   fc1, fc2", "group 2         +0.0250   fc1,\n    fc2"},
		{"exactly thirty-two wide, this is", "exactly thirty-two wide, this is"},
	} {
		require.Equal(t, c[1], Wrap(c[0], 32))
		require.Equal(t, c[0], Wrap(c[0], 0), "a width that nobody knows")
	}
}

// TestWrapLosesNothing: the words stay, in order, and a line is wider than the terminal only if no space is behind its indent.
func TestWrapLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`( {0,2}[a-zµ/]{1,50}){1,20}(\n[a-z ]{0,90})?`).Draw(r, "text")
		width := rapid.IntRange(30, 90).Draw(r, "width")
		got := Wrap(text, width)
		require.Equal(r, strings.Fields(text), strings.Fields(got))
		for line := range strings.SplitSeq(got, "\n") {
			if utf8.RuneCountInString(line) > width {
				require.NotContains(r, string([]rune(line)[indent(line, width):]), " ", "%q", line)
			}
		}
	})
}
