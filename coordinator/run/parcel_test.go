package run

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
)

// TestRankingBeginsWithTheLastGroup: however a round lists its plans, those of a block come so that each has the longest beginning
// in common with the one before: the last group's first. Cells stand where their plans do.
func TestRankingBeginsWithTheLastGroup(t *testing.T) {
	const groups, blocks = 70, 2
	base := plan.Plan{Params: plan.Digest{1}}
	base, err := base.Revert(66, groups)
	require.NoError(t, err)
	order := []int{69, 65, 64, 63, 2, 0}
	var rs []request
	for b := range uint32(blocks) {
		for _, k := range rand.New(rand.NewPCG(uint64(b), 1)).Perm(len(order)) {
			p, err := base.Revert(order[k], groups)
			require.NoError(t, err)
			c := plan.Cell{Plan: plan.Digest{byte(order[k])}, Index: b}
			rs = append(rs, request{cell: c, digest: c.Digest(), plan: p, block: []uint32{b}})
		}
	}
	parcels := pack("job", rs, 1, func(request) float64 { return 0 })
	require.Len(t, parcels, 1)
	task := parcels[0].task
	require.Equal(t, []uint32{0, 1}, task.Blocks)
	require.Len(t, task.Plans, len(order))
	for b := range blocks {
		for i, g := range order {
			require.True(t, task.Plans[i].Has(g), "plan %d is not that of group %d", i, g)
			require.Equal(t, plan.Cell{Plan: plan.Digest{byte(g)}, Index: uint32(b)}.Digest(), parcels[0].cells[b*len(order)+i])
		}
	}
}
