package op

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// cheapNode is a node of 2*3*4 multiply-adds over captured x [2,3] and w [3,4], costlyNode one of 2*3*8.
const (
	cheapNode  = "p = MatMul(x, w) @inner "
	costlyNode = "q = MatMul(x, v) @inner "
)

// TestMACsOfNestedGraphs: what a nested graph costs belongs to the node that holds it, once for each time it runs.
func TestMACsOfNestedGraphs(t *testing.T) {
	const both = "{then_branch=graph { " + cheapNode + "output p }, else_branch=graph { " + costlyNode + "output q }} @n"
	for name, c := range map[string]struct {
		text string
		want int64
	}{
		"a branch that is known":      {"c: bool[] = const [true]\ny = If(c) " + both, 24},
		"the other one":               {"c: bool[] = const [false]\ny = If(c) " + both, 48},
		"data decide: the dearer one": {"s = ReduceSum(x) {keepdims=0}\nz: float32[] = const [0]\nc = Less(s, z)\ny = If(c) " + both, 48},
		"an If within an If": {"c: bool[] = const [true]\ny = If(c) {then_branch=graph { a = If(c) " + both +
			" b = MatMul(x, v) @also output b }, else_branch=graph { output x }} @n", 24 + 48},
		"a loop of five": {"m: int64[] = const [5]\ny = Loop(m, \"\", x) {body=graph { input i: int64[] input c: bool[] input s: float32[2,3] " + cheapNode +
			"r = MatMul(s, u) output c output r }} @n", 5 * (24 + 18)},
		"a loop of none":              {"m: int64[] = const [0]\n" + loopOnce, 0},
		"a loop over what there is":   {"m = Size(i)\n" + loopOnce, 3 * 24},
		"a loop that nobody counts":   {"m = Identity(k)\n" + loopOnce, 24},
		"a loop that says it is long": {"m: int64[] = const [9223372036854775807]\n" + loopOnce, 24 * maxTrips},
		"a scan over three": {"y = Scan(e) {body=graph { input l: float32[2,5] " + cheapNode +
			"k = MatMul(l, f) output k }, num_scan_inputs=1} @n", 3 * (24 + 2*5*7)},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse(`
import "" 21
input x: float32[2,3]
input i: float32[?]
input e: float32[3,2,5]
input k: int64[]
w: float32[3,4] = const fill 1
v: float32[3,8] = const fill 1
u: float32[3,3] = const fill 1
f: float32[5,7] = const fill 1
` + c.text + "\noutput y\n")
			require.NoError(t, err)
			got, err := MACs(m.Graph, map[string]Info{"i": {DType: 1, Shape: []int{3}}})
			require.NoError(t, err)
			require.Equal(t, c.want, got["n"])
			require.NotContains(t, got, "inner")
		})
	}
}

const loopOnce = "y = Loop(m, \"\", x) {body=graph { input j: int64[] input c: bool[] input s: float32[2,3] " + cheapNode + "output c output s }} @n"

// TestMACsDoNotOverflow: a model may claim any size.
func TestMACsDoNotOverflow(t *testing.T) {
	require.EqualValues(t, math.MaxInt64, times(math.MaxInt64/2, 3))
	require.EqualValues(t, math.MaxInt64-1, times((math.MaxInt64-1)/2, 2))
	require.EqualValues(t, 0, times(5, -1))
	require.EqualValues(t, math.MaxInt64, saturatingAdd(math.MaxInt64-1, 2))
	require.EqualValues(t, math.MaxInt64, saturatingAdd(math.MaxInt64-1, 1))
}
