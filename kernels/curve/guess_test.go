package curve

import (
	"math"
	"os"
	"testing"

	"assay/kernels/tier"
)

// TestGuessesAreCanonical compares the tier that guesses with the one that does not, which has no guess to be wrong: blocks
// of neighbouring arguments all over float32, or all 2^32 where ASSAY_EXHAUSTIVE is set (18 minutes).
func TestGuessesAreCanonical(t *testing.T) {
	if tier.Current() <= tier.AVX2 {
		t.Skip("skipped: this machine has no tier that guesses")
	}
	every := uint64(509)
	if os.Getenv("ASSAY_EXHAUSTIVE") != "" {
		every = 1
	}
	const block = 4096
	src, got, want := make([]float32, block), make([]float32, block), make([]float32, block)
	for _, f := range functions4 {
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

// TestOneThatNeedsComputingAmongGuesses puts what no guess serves at each place of a block.
func TestOneThatNeedsComputingAmongGuesses(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		src, dst, want := make([]float32, 70), make([]float32, 70), make([]float32, 70)
		number := func(i int) float32 { return float32(i-35) / 9 }
		for _, f := range functions4 {
			for i := range src {
				src[i] = number(i)
				want[i] = f.one(src[i])
			}
			for _, odd := range borders {
				for at := range src[:40] {
					src[at] = odd
					f.row(dst, src)
					for i := range src {
						if w := want[i]; i != at && math.Float32bits(w) != math.Float32bits(dst[i]) {
							same(t, w, dst[i], "%s at %d beside %g at %d", f.name, i, odd, at)
						}
					}
					same(t, f.one(odd), dst[at], "%s of %g at %d", f.name, odd, at)
					src[at] = number(at)
				}
			}
		}
	})
}
