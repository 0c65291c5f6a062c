package dataset

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// TestLabelFiles reads label texts against a folder's files: `match files=(a,b)` prints what each line means, or the
// error. The text is a Go string where it begins with a quote.
func TestLabelFiles(t *testing.T) {
	datadriven.RunTest(t, "testdata/labels.txt", func(t *testing.T, d *datadriven.TestData) string {
		text := d.Input
		if strings.HasPrefix(text, `"`) {
			var err error
			text, err = strconv.Unquote(text)
			require.NoError(t, err)
		}
		ls, err := parseLabels("labels.txt", []byte(text))
		if err != nil {
			return err.Error()
		}
		var files []string
		for _, arg := range d.CmdArgs {
			for _, v := range arg.Vals {
				name, err := strconv.Unquote(`"` + v + `"`)
				require.NoError(t, err)
				files = append(files, name)
			}
		}
		if files == nil {
			var out strings.Builder
			for _, l := range ls {
				fmt.Fprintf(&out, "%d: %q %d\n", l.line, l.name, l.class)
			}
			return out.String()
		}
		picks, unnamed, err := match("labels.txt", "images", ls, files, []string{"old.webp"})
		if err != nil {
			return err.Error()
		}
		var out strings.Builder
		for i, p := range picks {
			fmt.Fprintf(&out, "%s %d\n", files[p], ls[i].class)
		}
		fmt.Fprintf(&out, "without a line: %d\n", unnamed)
		return out.String()
	})
}
