package reduce

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// TestSumsOfRowsAreChains compares sums over an axis that is not the last one with one chain for each element, in every tier, for
// rows beside the lengths of blocks and of runs.
func TestSumsOfRowsAreChains(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, level := range tier.Supported() {
		t.Run(level.String(), func(t *testing.T) {
			defer tier.Force(level)()
			for _, c := range [][3]int{{2, 3, 8}, {1, 0, 9}, {3, 127, 17}, {1, 128, 64}, {2, 129, 31}, {1, 300, 513}, {1, 5, 1100}, {2, 4, 7}} {
				outer, n, inner := c[0], c[1], c[2]
				src := make([]float32, outer*n*inner)
				for i := range src {
					if src[i] = float32(r.NormFloat64()); r.IntN(500) == 0 {
						src[i] = []float32{float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1)), 1e-41}[r.IntN(4)]
					}
				}
				kept, folded := Axes{[]int{outer, inner}, []int{n * inner, 1}}, Axes{[]int{n}, []int{inner}}
				dst := make([]float32, outer*inner)
				for _, op := range []Op{Sum, Mean} {
					Reduce(op, dst, src, kept, folded, false)
					for i, got := range dst {
						var chain numeric.Chain
						for k := range n {
							chain.Add(src[i/inner*n*inner+k*inner+i%inner])
						}
						want := chain.Sum()
						if op == Mean {
							want /= float32(n)
						}
						require.Equal(t, math.Float32bits(numeric.Canon(want)), math.Float32bits(got), "%v, op %d, element %d", c, op, i)
					}
				}
			}
		})
	}
}

func TestSumsOfRowsAllocateNothing(t *testing.T) {
	src, dst := make([]float32, 64*256), make([]float32, 256)
	kept, folded := Axes{[]int{1, 256}, []int{64 * 256, 1}}, Axes{[]int{64}, []int{256}}
	require.Less(t, testing.AllocsPerRun(50, func() { Reduce(Mean, dst, src, kept, folded, false) }), 1.0)
}
