package dataset

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// smallFiles are the pictures and arrays that are mutated.
func smallFiles(t *testing.T) map[string][]byte {
	out := map[string][]byte{
		"f32.npy": npyOf("<f4", "(3, 2, 2)", make([]byte, 48)),
		"f64.npy": npyOf(">f8", "(3, 2, 2)", make([]byte, 96)),
	}
	for _, pattern := range []string{"jpeg/testdata/*.jpg", "testdata/png/*.[pgb][nim][gfp]", "testdata/opencv/*.[jp]*g"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			out[filepath.Base(f)] = b
		}
	}
	return out
}

// mutated changes one byte, or some, or cuts, doubles and exchanges runs.
func mutated(r *rand.Rand, b []byte) []byte {
	out := append([]byte(nil), b...)
	if r.IntN(2) == 0 {
		out[r.IntN(len(out))] = byte(r.IntN(256))
		return out
	}
	for range 1 + r.IntN(4) {
		if len(out) < 2 {
			return out
		}
		i := r.IntN(len(out))
		n := min(1+r.IntN(16), len(out)-i)
		switch r.IntN(5) {
		case 0:
			out[i] ^= 1 << r.IntN(8)
		case 1:
			out = out[:i]
		case 2:
			out = append(out[:i], out[i+n:]...)
		case 3:
			out = append(out[:i+n], append(append([]byte(nil), out[i:i+n]...), out[i+n:]...)...)
		case 4:
			copy(out[i:], []byte{0xff, 0xff, 0xff, 0x7f}[:min(n, 4)])
		}
	}
	return out
}

// TestMutatedSamples: 1,000 seeded mutations of each small picture and array, 50 with -short, read as a job reads them. Each
// becomes a sample or an error of one line; none costs 2 s or 256 MB.
func TestMutatedSamples(t *testing.T) {
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	dir := t.TempDir()
	read, count := 0, 0
	for name, b := range smallFiles(t) {
		path := write(t, dir, "one/"+name, nil)
		r := rand.New(rand.NewPCG(6, uint64(len(b))))
		for i := range rounds {
			require.NoError(t, os.WriteFile(path, mutated(r, b), 0o644))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			took, err := readOnce(t, filepath.Dir(path))
			runtime.ReadMemStats(&after)
			for n := 0; n < 4 && took > 2*time.Second; n++ { // the machine may have been busy with something else
				again, _ := readOnce(t, filepath.Dir(path))
				took = min(took, again)
			}
			if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 256<<20 || took > 2*time.Second {
				t.Errorf("%s, mutation %d costs %d bytes and %v", name, i, bytes, took)
			}
			if count++; err == nil {
				read++
			} else if strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, mutation %d: %q", name, i, err)
			}
		}
		require.NoError(t, os.Remove(path))
	}
	t.Logf("%d of %d mutations were samples still", read, count)
}

// readOnce is readOne with the time that it took.
func readOnce(t *testing.T, dir string) (took time.Duration, err error) {
	start := time.Now()
	err = readOne(t, dir)
	return time.Since(start), err
}

// readOne opens a folder of one sample and builds it.
func readOne(t *testing.T, dir string) error {
	s := Source{Data: dir, Inputs: []Want{{"x", tensor.Float32, []int{-1, 3, 16, 16}}}, Prep: Prep{Reader: OpenCVReader, Orient: true}}
	if arrays, _ := filepath.Glob(filepath.Join(dir, "*.npy")); arrays != nil {
		s.Inputs[0].Shape, s.Prep = []int{-1, 2, 2}, Prep{}
	}
	set, err := Open(t.Context(), s)
	if err != nil {
		return err
	}
	_, faults, err := set.Build(t.Context(), memory{}.put, nil)
	if err != nil {
		return err
	}
	return faults.Err()
}
