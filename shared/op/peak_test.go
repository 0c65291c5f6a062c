package op

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/kernels/pool"
)

// TestPeakIsTablesAndMaximum: of tables that fall and rise, with zeros of both signs and infinities, Peak has the bits of looking all
// elements up and taking the maximum.
func TestPeakIsTablesAndMaximum(t *testing.T) {
	numbers := []float32{float32(math.Inf(-1)), -3, -1e-40, float32(math.Copysign(0, -1)), 0, 1e-40, 0.5, 2, float32(math.Inf(1))}
	rapid.Check(t, func(t *rapid.T) {
		batch, pixels, n := rapid.IntRange(1, 3).Draw(t, "batch"), rapid.IntRange(1, 40).Draw(t, "pixels"), rapid.IntRange(1, 40).Draw(t, "channels")
		tables := make([][]float32, n)
		for c := range tables {
			tables[c] = rapid.SliceOfN(rapid.SampledFrom(numbers), 256, 256).Draw(t, "table")
			bottom := rapid.IntRange(0, 256).Draw(t, "bottom")
			up := func(a, b float32) int { return cmp.Compare(inOrder(math.Float32bits(a)), inOrder(math.Float32bits(b))) }
			slices.SortFunc(tables[c][:bottom], func(a, b float32) int { return up(b, a) })
			slices.SortFunc(tables[c][bottom:], up)
		}
		k, err := Tables(n, unshared{}, func(dst, src []byte) {
			for i, v := range src {
				view[uint32](dst)[i] = math.Float32bits(tables[i%n][v])
			}
		})
		require.NoError(t, err)
		peak, ok := Peak(k, batch, pixels, n)
		require.True(t, ok)
		src := rapid.SliceOfN(rapid.Byte(), batch*pixels*n, batch*pixels*n).Draw(t, "bytes")
		all, want, got := make([]byte, 4*len(src)), make([]byte, 4*batch*n), make([]byte, 4*batch*n)
		k.Run(&Call{In: [][]byte{src}, Out: [][]byte{all}})
		w := pool.Window{Batch: batch, H: 1, W: pixels, C: n, KH: 1, KW: pixels, StrideH: 1, StrideW: 1, OutH: 1, OutW: 1}
		pool.MaxF32(view[float32](want), view[float32](all), w)
		peak.Run(&Call{In: [][]byte{src}, Out: [][]byte{got}, Scratch: make([]byte, peak.Scratch)})
		require.Equal(t, want, got)
	})
}

// TestPeakRefuses: a NaN, a hill, other kernels, another number of channels.
func TestPeakRefuses(t *testing.T) {
	of := func(f func(q int) float32) Kernel {
		k, err := Tables(2, unshared{}, func(dst, src []byte) {
			for i, v := range src {
				view[uint32](dst)[i] = math.Float32bits(f(int(v)))
			}
		})
		require.NoError(t, err)
		return k
	}
	for name, c := range map[string]struct {
		kernel   Kernel
		channels int
		want     bool
	}{
		"a valley":       {of(func(q int) float32 { return float32((q - 100) * (q - 100)) }), 2, true},
		"a hill":         {of(func(q int) float32 { return float32((100 - q) * (q - 100)) }), 2, false},
		"no number":      {of(func(q int) float32 { return float32(math.NaN()) }), 2, false},
		"other channels": {of(func(q int) float32 { return float32(q) }), 3, false},
		"no tables":      {Kernel{}, 2, false},
	} {
		_, ok := Peak(c.kernel, 1, 5, c.channels)
		require.Equal(t, c.want, ok, name)
	}
}
