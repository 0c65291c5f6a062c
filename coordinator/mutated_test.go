//go:build linux

package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMutatedFilesAsProgram: mutations of a job's model and of one of its pictures, each through a process of its own: exit
// code 0, 2 or 3, one line on an error, less than 256 MB. The mutations by thousands are tests of packages run and dataset.
func TestMutatedFilesAsProgram(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	self, err := os.Executable()
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(7, 7))
	for _, name := range []string{"model.onnx", "images/image_05.png"} {
		for i := range rounds {
			w := newWorld(t)
			b := w.read(name)
			for range 1 + i%3 {
				b[r.IntN(len(b))] = byte(r.IntN(256))
			}
			w.write(name, b)
			cmd := exec.Command(self, "-test.run", "^TestAsProgram$", "-test.v")
			cmd.Env = append(os.Environ(), "ASSAY_TEST_ARGS="+strings.Join(w.args(), "\n"), "ASSAY_TEST_CODE="+w.path("code"))
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s, mutation %d: %s", name, i, out)
			code, status, _ := strings.Cut(string(w.read("code")), "\n")
			require.Contains(t, []string{"0", strconv.Itoa(exitInput), strconv.Itoa(exitMissed)}, code, "%s, mutation %d: %s", name, i, out)
			if code == strconv.Itoa(exitInput) {
				require.Equal(t, 1, strings.Count(string(out), "assay: "), string(out))
			}
			if peak := peakOf(t, status); !race {
				require.Less(t, peak, int64(256<<10), "%s, mutation %d, KiB", name, i)
			}
		}
	}
}
