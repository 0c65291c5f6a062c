package plan

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRevert(t *testing.T) {
	datadriven.RunTest(t, "testdata/revert.txt", func(t *testing.T, d *datadriven.TestData) string {
		var p Plan
		for _, arg := range d.CmdArgs {
			change, text := p.Revert, arg.Key
			if arg.Key == "restore" {
				change, text = p.Restore, arg.Vals[0]
			}
			g, err := strconv.Atoi(text)
			require.NoError(t, err)
			if p, err = change(g, 70); err != nil {
				return err.Error() + "\n"
			}
		}
		return fmt.Sprintf("float %v words %b\n", p.FloatGroups(), p.Float)
	})
}

func TestAnyOrderOfRevertsIsOnePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.SliceOfDistinct(rapid.IntRange(0, 199), rapid.ID[int]).Draw(t, "groups")
		apply := func(order []int) Plan {
			var p Plan
			for _, g := range order {
				q, err := p.Revert(g, 200)
				require.NoError(t, err)
				require.True(t, q.Has(g))
				p = q
			}
			return p
		}
		p, q := apply(groups), apply(rapid.Permutation(groups).Draw(t, "order"))
		require.True(t, p.Equal(q))
		require.Equal(t, len(groups), p.Count())
		slices.Sort(groups)
		require.Equal(t, groups, append([]int{}, p.FloatGroups()...))
		for _, g := range groups {
			var err error
			p, err = p.Restore(g, 200)
			require.NoError(t, err)
		}
		require.True(t, p.Equal(Plan{}))
	})
}

func TestRevertKeepsItsReceiver(t *testing.T) {
	p, err := Plan{}.Revert(3, 10)
	require.NoError(t, err)
	_, err = p.Revert(4, 10)
	require.NoError(t, err)
	require.Equal(t, []int{3}, p.FloatGroups())
}

func TestPlanCheck(t *testing.T) {
	d := Digest{1}
	require.NoError(t, Plan{}.Check(0))
	require.NoError(t, Plan{d, []uint64{1 << 9}}.Check(10))
	for name, p := range map[string]Plan{
		"beyond the last group": {d, []uint64{1 << 10}},
		"zero word at the end":  {d, []uint64{1, 0}},
		"groups without params": {Digest{}, []uint64{1}},
	} {
		t.Run(name, func(t *testing.T) { require.Error(t, p.Check(10)) })
	}
}

// TestEffectiveDigest: what is computed decides, not the way to it.
func TestEffectiveDigest(t *testing.T) {
	params := sample()
	all := All(params)
	g0, err := all.Revert(0, 2)
	require.NoError(t, err)
	g1, err := all.Revert(1, 2)
	require.NoError(t, err)
	both, err := g1.Revert(0, 2)
	require.NoError(t, err)

	require.Equal(t, Digest{}, EffectiveDigest(nil, Plan{}))
	require.Equal(t, Digest{}, EffectiveDigest(params, both), "all groups float is the float model")
	digests := []Digest{EffectiveDigest(params, all), EffectiveDigest(params, g0), EffectiveDigest(params, g1)}
	for i, a := range digests {
		require.False(t, a.IsZero())
		require.NotContains(t, digests[i+1:], a)
	}

	other := sample() // differs only in what g1 takes away
	other.Points[2].Scale[0] = 99
	other.Patches[0].Data[0] = 1
	require.NotEqual(t, EffectiveDigest(params, all), EffectiveDigest(other, All(other)))
	h1, err := All(other).Revert(1, 2)
	require.NoError(t, err)
	require.Equal(t, EffectiveDigest(params, g1), EffectiveDigest(other, h1))

	points, patches := Effective(params, g0)
	require.Equal(t, []int{2}, points)
	require.Len(t, patches, 1)
	require.EqualValues(t, 1, params.Patches[0].Group, "the digest must not write into params")
}
