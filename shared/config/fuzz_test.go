package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse: no input panics, errors are Errors with places inside the file, and what is taken can be described.
func FuzzParse(f *testing.F) {
	for _, path := range []string{"testdata/errors.txt", "testdata/jobs.txt"} {
		b, err := os.ReadFile(filepath.FromSlash(path))
		require.NoError(f, err)
		for block := range strings.SplitSeq(string(b), "\n\n") {
			if _, body, ok := strings.Cut(block, "\n{"); ok {
				body, _, _ = strings.Cut("{"+body, "\n----")
				f.Add([]byte(body))
			}
		}
	}
	f.Add([]byte(strings.Repeat("[", 1000)))
	f.Add([]byte(`{"model":{"model":"\u0000"}} /*`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := Parse("job.json", b)
		if err == nil {
			require.NotEmpty(t, j.Describe())
			_ = j.Check()
			return
		}
		var es Errors
		require.True(t, errors.As(err, &es))
		require.NotEmpty(t, es)
		lines := strings.Count(string(b), "\n") + 1
		for _, e := range es {
			require.LessOrEqual(t, e.Pos.Line, lines)
			require.NotEmpty(t, e.Text)
		}
	})
}

// TestDeepNestingIsRefused: the parser recurses, so depth is bounded before it; brackets in strings and comments are none.
func TestDeepNestingIsRefused(t *testing.T) {
	_, err := Parse("job.json", []byte(strings.Repeat("[", maxFile)))
	require.ErrorContains(t, err, "job.json:1:65: more than 64 levels of brackets")
	text := `{"model": {"model": "` + strings.Repeat("[", 100) + `\"["}} // ` + strings.Repeat("{", 100) + "\n/*" + strings.Repeat("[", 100) + "*/"
	_, err = Parse("job.json", []byte(text))
	require.NoError(t, err)
}
