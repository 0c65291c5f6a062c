package tier

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEnvironmentIsHonoured fails when ASSAY_TIER asks for what this machine lacks, so that a CI job which wants a tier
// cannot pass on another one.
func TestEnvironmentIsHonoured(t *testing.T) {
	require.NoError(t, Check())
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name, wish string
		best, want Tier
		err        string
	}{
		{"no wish", "", AVX2, AVX2, ""},
		{"lower", "plain", AVX512VNNI, Plain, ""},
		{"same", "AVX2", AVX2, AVX2, ""},
		{"above", "avx512vnni", AVX2, AVX2, "ASSAY_TIER: this build and CPU have no tier avx512vnni: the best here is avx2"},
		{"unknown", "sse", AVX2, AVX2, `ASSAY_TIER: instruction-set tier "sse" is unknown: use one of plain, avx2, avx512vnni, amx`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := choose(c.wish, c.best)
			require.Equal(t, c.want, got)
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.err)
		})
	}
}

func TestNamesParse(t *testing.T) {
	for tr := Plain; tr <= AMX; tr++ {
		got, err := Parse(tr.String())
		require.NoError(t, err)
		require.Equal(t, tr, got)
	}
	require.Equal(t, "tier(9)", Tier(9).String())
}

func TestForceHasAnUndo(t *testing.T) {
	before := Current()
	for _, tr := range Supported() {
		undo := Force(tr)
		require.Equal(t, tr, Current())
		undo()
		require.Equal(t, before, Current())
	}
	require.Equal(t, Best(), Supported()[len(Supported())-1])
}

// TestUndoesNest: what an inner Force leaves is what the outer one made.
func TestUndoesNest(t *testing.T) {
	before := Current()
	outer := Force(Plain)
	inner := Force(Best())
	inner()
	require.Equal(t, Plain, Current())
	outer()
	require.Equal(t, before, Current())
}

// TestPermuteIsOfTheCurrentTier: what the machine has does not count below the tier that may use it.
func TestPermuteIsOfTheCurrentTier(t *testing.T) {
	for _, tr := range Supported() {
		undo := Force(tr)
		require.Equal(t, hasVBMI && tr >= AVX512VNNI, Permute(), tr)
		undo()
	}
}

func TestForceRefusesIllegalInstructions(t *testing.T) {
	if Best() == AMX {
		t.Skip("skipped: this machine has every tier")
	}
	require.Panics(t, func() { Force(AMX) })
}
