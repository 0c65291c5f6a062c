package op_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestManyAxesThatDoNotJoin: sixteen axes along which operands step and repeat in turns are walked like any others.
func TestManyAxesThatDoNotJoin(t *testing.T) {
	const text = `
input x: float32[2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1]
input y: float32[1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2]
sum = Add(x, y)
less = Less(x, y)
pick = Where(less, x, y)
turned = Transpose(sum) {perm=[15,14,13,12,11,10,9,8,7,6,5,4,3,2,1,0]}
shape: int64[16] = const [2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2]
wide = Expand(x, shape)
output sum
output less
output pick
output turned
output wide
`
	m, err := graph.Parse(text)
	require.NoError(t, err)
	in := map[string]*tensor.Tensor{}
	for i, p := range m.Graph.Inputs {
		shape, _ := p.Type.Fixed()
		v := tensor.New(tensor.Float32, shape...)
		for k := range v.F32() {
			v.F32()[k] = float32(k*7%256) + float32(i)/2
		}
		in[p.Name] = v
	}
	out, err := evaluate(m.Graph, in)
	require.NoError(t, err)
	for i := range 1 << 16 {
		// Bits of i from the last axis on: even axes from the front belong to x, odd ones to y.
		var xi, yi, turned int
		for axis := range 16 {
			bit := i >> (15 - axis) & 1
			if axis%2 == 0 {
				xi = xi<<1 | bit
			} else {
				yi = yi<<1 | bit
			}
			turned |= bit << axis
		}
		x, y := in["x"].F32()[xi], in["y"].F32()[yi]
		require.Equal(t, x+y, out["sum"].F32()[i])
		require.Equal(t, x < y, out["less"].Data[i] == 1)
		require.Equal(t, min(x, y), out["pick"].F32()[i])
		require.Equal(t, x+y, out["turned"].F32()[turned])
		require.Equal(t, x, out["wide"].F32()[i])
	}
	require.Equal(t, 16, len(out["wide"].Shape))
	require.False(t, slices.Contains(out["wide"].Shape, 1))
}

// TestEmptyAxesAreFolded: a sum of nothing over more columns than are folded beside each other.
func TestEmptyAxesAreFolded(t *testing.T) {
	m, err := graph.Parse("input x: float32[0,1300]\na: int64[1] = const [0]\ny = ReduceSum(x, a)\nz = ReduceMax(x, a)\noutput y\noutput z\n")
	require.NoError(t, err)
	out, err := evaluate(m.Graph, map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 0, 1300)})
	require.NoError(t, err)
	require.Equal(t, make([]float32, 1300), out["y"].F32())
	require.Equal(t, []int{1, 1300}, out["z"].Shape)
}
