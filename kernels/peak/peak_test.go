package peak

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/kernels/tier"
)

// TestEachTierHasItsLoops runs both loops of every tier and demands that no call holds up a garbage collection for long.
func TestEachTierHasItsLoops(t *testing.T) {
	for _, level := range tier.Supported() {
		t.Run(level.String(), func(t *testing.T) {
			defer tier.Force(level)()
			for _, typ := range []string{"f32", "u8s8"} {
				l := Of(typ)
				if typ == "f32" {
					require.Equal(t, min(level, tier.AVX512VNNI), l.Tier)
				} else {
					require.Equal(t, level, l.Tier)
				}
				require.Equal(t, typ, l.Type)
				require.Positive(t, l.Ops)
				best := time.Hour
				for range 5 {
					start := time.Now()
					l.Run(Rounds)
					best = min(best, time.Since(start))
				}
				if level > tier.Plain {
					require.Less(t, best, time.Millisecond)
				}
			}
		})
	}
	require.Nil(t, Of("f64").Run)
}
