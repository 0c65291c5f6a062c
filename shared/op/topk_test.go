package op

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// raw are the bytes of v.
func raw[T float32 | int64](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*int(unsafe.Sizeof(v[0])))
}

// TestTopKIsASortedPrefix: for every k the heap gives what sorting all places gives, ties and NaN included.
func TestTopKIsASortedPrefix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for range 600 {
		r := ranking{outer: 1 + rng.IntN(2), n: 1 + rng.IntN(40), inner: 1 + rng.IntN(3), descending: rng.IntN(2) == 0}
		r.k = rng.IntN(r.n + 1)
		in := make([]float32, r.outer*r.n*r.inner)
		for i := range in {
			in[i] = float32(rng.IntN(9) - 4) // many ties
			switch rng.IntN(12) {
			case 0:
				in[i] = float32(math.NaN())
			case 1:
				in[i] = float32(math.Copysign(0, -1))
			}
		}
		values, places := make([]float32, r.outer*r.k*r.inner), make([]int64, r.outer*r.k*r.inner)
		scratch := make([]int64, r.n)
		rank[float32](r, raw(values), raw(places), raw(in), raw(scratch))
		for o := range r.outer {
			for c := range r.inner {
				all := make([]int64, r.n)
				for i := range all {
					all[i] = int64(i)
				}
				at := func(place int64) float32 { return in[(o*r.n+int(place))*r.inner+c] }
				slices.SortFunc(all, func(a, b int64) int {
					d := ordered(at(a), at(b))
					if r.descending {
						d = -d
					}
					return cmp.Or(d, cmp.Compare(a, b))
				})
				for i, place := range all[:r.k] {
					require.Equal(t, place, places[(o*r.k+i)*r.inner+c], "%+v", r)
					require.Equal(t, math.Float32bits(at(place)), math.Float32bits(values[(o*r.k+i)*r.inner+c]))
				}
			}
		}
		rank[float32](r, nil, nil, raw(in), raw(scratch))
	}
}
