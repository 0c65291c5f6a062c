package run

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/quant"
)

// smallModels are the models that are mutated: those of the field cases, and one that is always here.
func smallModels(t *testing.T) map[string][]byte {
	m, err := graph.Parse(`ir 8
graph small
input x: float32[N,3,8,8]
w: float32[4,3,3,3] = const ramp -1 1
b: float32[4] = const [0, 0, 0, 0.75]
c: float32[N,4,6,6] = Conv(x, w, b) @colour
r: float32[N,4,6,6] = Relu(c) @relu
p: float32[N,4,1,1] = GlobalAveragePool(r) @mean
y: float32[N,4] = Flatten(p) @flat
output y: float32[N,4]
`)
	require.NoError(t, err)
	b, err := onnx.Encode(m)
	require.NoError(t, err)
	out := map[string][]byte{"small": b}
	files, err := filepath.Glob("../../../shared/assets/field/*/model.onnx")
	require.NoError(t, err)
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && len(b) < 8<<10 {
			out[filepath.Base(filepath.Dir(f))] = b
		}
	}
	return out
}

// mutate damages bytes as transfers, editors and enemies do: bits, bytes, runs, cuts, and numbers that claim much. Half of
// what it makes has one byte changed, so that it gets past the first checks.
func mutate(r *rand.Rand, b []byte) []byte {
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
		switch r.IntN(7) {
		case 0:
			out[i] ^= 1 << r.IntN(8)
		case 1:
			out[i] = byte(r.IntN(256))
		case 2:
			out = out[:i]
		case 3:
			out = append(out[:i], out[i+n:]...)
		case 4:
			out = append(out[:i+n], append(append([]byte(nil), out[i:i+n]...), out[i+n:]...)...)
		case 5: // a large number, as protobuf spells it
			copy(out[i:], []byte{0xff, 0xff, 0xff, 0xff, 0x7f}[:min(n, 5)])
		case 6:
			j := r.IntN(len(out))
			for k := 0; k < n && i+k < len(out) && j+k < len(out); k++ {
				out[i+k], out[j+k] = out[j+k], out[i+k]
			}
		}
	}
	return out
}

// TestMutatedModels: 1,000 seeded mutations of each small model, 50 with -short: each is refused as the user's input with
// one line, or goes on to be measured and placed; none costs 2 s or 256 MB.
func TestMutatedModels(t *testing.T) {
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	loaded, count := 0, 0
	for name, b := range smallModels(t) {
		r := rand.New(rand.NewPCG(5, uint64(len(b))))
		for i := range rounds {
			bad := mutate(r, b)
			count++
			c := costOf(2*time.Second, func() {
				ok, err := prepared(t, path, bad)
				if ok {
					loaded++
				}
				var input *InputError
				if err != nil && (!errors.As(err, &input) || strings.Contains(strings.TrimSpace(err.Error()), "\n")) {
					t.Errorf("%s, mutation %d: %v", name, i, err)
				}
			})
			if c.bytes > 256<<20 || c.time > 2*time.Second {
				t.Errorf("%s, mutation %d costs %d bytes and %v", name, i, c.bytes, c.time)
			}
		}
	}
	t.Logf("%d of %d mutations were models still", loaded, count)
}

type cost struct {
	bytes uint64
	time  time.Duration
}

// costOf measures what f allocates, freed or not, and how long it takes. What takes longer than bound is done up to four
// times more, and the shortest counts: the machine may have been busy with something else.
func costOf(bound time.Duration, f func()) cost {
	c := costOnce(f)
	for range 4 {
		if c.time <= bound {
			break
		}
		c.time = min(c.time, costOnce(f).time)
	}
	return c
}

func costOnce(f func()) cost {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return cost{after.TotalAlloc - before.TotalAlloc, took}
}

// prepared does with a model all that a job does before it computes: load, measure with samples of its shapes, place. loaded
// says that the file was a model.
func prepared(t *testing.T, path string, b []byte) (loaded bool, err error) {
	require.NoError(t, os.WriteFile(path, b, 0o644))
	defer func() {
		if r := recover(); r != nil {
			kept := filepath.Join(os.TempDir(), "mutated.onnx")
			_ = os.WriteFile(kept, b, 0o644)
			panic(fmt.Sprint(r, ": the model is kept as ", kept))
		}
	}()
	m, err := loadModel(path)
	if err != nil {
		return false, err
	}
	if err := quant.CheckFloat(m.graph); err != nil {
		return true, &InputError{err}
	}
	if err := m.chooseOutputs(""); err != nil {
		return true, err
	}
	in := dataset.Inputs{Count: 1}
	for _, w := range m.wants() {
		var shape []uint32
		for _, d := range w.Shape[min(1, len(w.Shape)):] {
			shape = append(shape, uint32(max(d, 1)))
		}
		in.Streams = append(in.Streams, dataset.Stream{Input: w.Name, DType: w.DType, Want: w.DType, Rows: uint32(min(1, len(w.Shape))), Pieces: []dataset.Piece{{Shape: shape, Count: 1}}})
	}
	if in.Check() != nil {
		return true, nil // no samples can be made for it
	}
	if err := m.measure(in); err != nil {
		return true, err
	}
	shapes := map[string][]int{}
	for _, s := range in.Streams {
		shapes[s.Input] = s.FedShape(1)
	}
	if _, err = quant.Taps(m.graph, quantConfig(config.New(), shapes)); err != nil {
		return true, &InputError{err}
	}
	return true, nil
}
