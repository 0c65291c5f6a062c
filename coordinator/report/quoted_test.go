package report

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuotedIsReadBack: a shell reads the printed command line back as the same arguments, empty and odd ones too; what needs no
// quotes has none.
func TestQuotedIsReadBack(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("skipped: no shell here")
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "job.json", "--max-drop=0.01", "--data", "/data/img-*/a,b@2x_%.png"}, `run job.json --max-drop=0.01 --data '/data/img-*/a,b@2x_%.png'`},
		{[]string{"run", "--output-dir", "", "-m", "m.onnx"}, `run --output-dir '' -m m.onnx`},
		{[]string{""}, `''`},
		{[]string{"it's", "'", "a b", "tab\there", "two\nlines", "back\\slash", `"`}, ""},
		{[]string{"$HOME", "`id`", "a&b", "a;b", "a|b", "<a", ">b", "(c)", "{a,b}", "[ab]", "a?", "#x", "~", "!!", "a=~", "^a", "\r", "\x01", "größe"}, ""},
	} {
		got := Quoted(c.args...)
		if c.want != "" {
			require.Equal(t, c.want, got)
		}
		out, err := exec.CommandContext(t.Context(), sh, "-c", `printf '%s\0' `+got).Output()
		require.NoError(t, err, got)
		require.Equal(t, strings.Join(c.args, "\x00")+"\x00", string(out), got)
	}
}
