package quant

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
)

// TestLayersAroundABranch: the results of a Conv and of a MatMul that a nested graph reads get no pair, and the layers keep
// INT8 weights and data. Weights that a layer of the nested graph shares stay there as they are.
func TestLayersAroundABranch(t *testing.T) {
	m := parse(t, `
input x: float32[1,2,4,4]
input k: bool[]
w: float32[2,2,1,1] = const random 1
c = Conv(x, w) @before
r = Relu(c) @relu
p = If(k) {then_branch=graph { t = Conv(r, w) @inside output t }, else_branch=graph { e = Neg(r) output e }} @if
y = Conv(p, w) @after
output y
`)
	s, err := newSketch(m, Config{NoFastBias: true})
	require.NoError(t, err)
	require.Empty(t, s.reasons)
	weights, values := map[string]bool{}, []string{}
	for _, x := range s.sites {
		switch x.kind {
		case plan.Weight:
			for _, u := range x.uses {
				weights[u.Node] = true
			}
		case plan.Activation:
			values = append(values, x.value)
		}
	}
	require.Equal(t, map[string]bool{"before": true, "after": true}, weights)
	require.ElementsMatch(t, []string{"x", "p", "y"}, values)
}
