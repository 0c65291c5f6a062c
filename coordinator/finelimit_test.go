package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLimitBelowOneSample: a limit that is finer than the samples is told in one note, with how many samples it wants; a limit
// that one sample fits, none at all, and a metric that does not count samples have none.
func TestLimitBelowOneSample(t *testing.T) {
	const said = "counts whole samples"
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"the default of 0.01":              {nil, "accuracy@top1 counts whole samples, and one of 12 is 0.083: a drop of 0.01 means that none may be lost; to allow one, give 100 samples or more"},
		"a share of the float value":       {[]string{"--max-drop", "0.05", "--drop-type", "relative"}, "a drop of 0.05 means that none may be lost; to allow one, give 20 samples or more"},
		"one sample":                       {[]string{"--max-drop", "0.0834"}, ""},
		"nothing may be lost":              {[]string{"--max-drop", "0"}, ""},
		"agreement":                        {[]string{"--metric", "agreement"}, "agreement counts whole samples"},
		"a metric that is a real number":   {[]string{"--metric", "sqnr"}, ""},
		"more samples than anybody counts": {[]string{"--max-drop", "1e-30"}, "a drop of 1e-30 means that none may be lost"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			code, _, stderr := w.execute(t.Context(), w.args(c.args...)...)
			require.Contains(t, []int{exitMet, exitMissed}, code, stderr)
			if c.want == "" {
				require.NotContains(t, stderr, said)
				return
			}
			require.Contains(t, stderr, c.want)
			require.Equal(t, 1, strings.Count(stderr, said))
		})
	}
}
