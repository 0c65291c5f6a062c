package curve

import (
	"math"
	"os"
	"testing"

	"assay/kernels/tier"
)

// TestTiersAgreeOnNeighbours compares the assembly tiers with each other on blocks of neighbouring arguments all over
// float32, or on all 2^32 where ASSAY_EXHAUSTIVE is set (a minute). That the functions of package numeric, which tests
// compare with each tier too, are near the true values is shown there.
func TestTiersAgreeOnNeighbours(t *testing.T) {
	if tier.Current() <= tier.AVX2 {
		t.Skip("skipped: this machine has no second tier in assembly")
	}
	every := uint64(509)
	if os.Getenv("ASSAY_EXHAUSTIVE") != "" {
		every = 1
	}
	const block = 4096
	src, got, want := make([]float32, block), make([]float32, block), make([]float32, block)
	for _, f := range named {
		t.Run(f.name, func(t *testing.T) {
			for base := uint64(0); base < 1<<32; base += block * every {
				for i := range src {
					src[i] = math.Float32frombits(uint32(base) + uint32(i))
				}
				f.row(got, src)
				restore := tier.Force(tier.AVX2)
				f.row(want, src)
				restore()
				for i := range src {
					if math.Float32bits(want[i]) != math.Float32bits(got[i]) {
						same(t, want[i], got[i], "of %g", src[i])
					}
				}
			}
		})
	}
}
