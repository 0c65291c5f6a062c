package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// agree runs a graph in the engine, twice with the same key, and node by node: the bits are the same.
func agree(t *testing.T, text string, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	m, err := graph.Parse(text)
	require.NoError(t, err)
	want, err := op.EvalGraph(context.Background(), m.Graph, in)
	require.NoError(t, err)
	p, err := engine.New(engine.Options{Memory: 1 << 26}).Compile(m, nil)
	require.NoError(t, err)
	require.False(t, p.RowWise())
	for range 2 {
		got, err := p.Run(context.Background(), in, [32]byte{1})
		require.NoError(t, err)
		for _, out := range m.Graph.Outputs {
			require.Equal(t, contents(want[out.Name]), contents(got[out.Name]), out.Name)
		}
	}
	return want
}

func dense(shape []int, v ...float32) *tensor.Tensor { return tensor.Of(tensor.Float32, shape, v) }

func int64s(v ...int64) *tensor.Tensor { return tensor.Of(tensor.Int64, []int{len(v)}, v) }

func boolean(v bool) *tensor.Tensor {
	t := tensor.New(tensor.Bool)
	if v {
		t.Data[0] = 1
	}
	return t
}

const branches = `
input x: float32[n,3]
input c: bool
k: float32[3] = const [1, 2, 3]
m = Add(x, k)
s = Shape(x) {start=0, end=1}
one: int64[1] = const [1]
single = Equal(s, one)
flat = If(single) {then_branch=graph { z: int64[1] = const [0] r = Squeeze(m, z) output r }, else_branch=graph { r = Neg(m) output r }}
y = If(c) {then_branch=graph { r = Mul(flat, k) output r }, else_branch=graph { w: float32[3,2] = const [1, 2, 3, 4, 5, 6] q = Sub(x, k) r = MatMul(q, w) output r }}
out = Relu(y)
output out
output flat
`

// TestIf takes branches by shape, whose results differ in rank, and by data, whose results differ in shape.
func TestIf(t *testing.T) {
	for _, rows := range []int{1, 2} {
		for _, c := range []bool{false, true} {
			x := dense([]int{rows, 3}, []float32{1, -2, 3, -4, 5, 6}[:3*rows]...)
			agree(t, branches, map[string]*tensor.Tensor{"x": x, "c": boolean(c)})
		}
	}
}

// TestBranchesWithMeetingNames: a branch takes the If's place under names with the If's in front, and the graph, another branch
// within it or what it captures may have such names already.
func TestBranchesWithMeetingNames(t *testing.T) {
	const text = `
input x: float32[n,3]
k: bool[] = const [1]
"i/q" = Neg(x)
"i/w": float32[3] = const [5, 6, 7]
y = If(k) {then_branch=graph { w: float32[3] = const [1, 2, 3] q = Abs(x) p = Add(q, w) r = Mul(p, "i/q") output r }, else_branch=graph { output x }} @i
z = Add(y, "i/q")
out = Add(z, "i/w")
output out
`
	agree(t, text, map[string]*tensor.Tensor{"x": dense([]int{2, 3}, 1, -2, 3, -4, 5, 6)})
}

// TestLoop carries a growing value, collects another, and captures a weight and a value from around it.
func TestLoop(t *testing.T) {
	const text = `
input x: float32[1,2]
input n: int64[]
w: float32[2,2] = const [1, 0.5, -1, 2]
go: bool[] = const [1]
h = Mul(x, x)
final, rows = Loop(n, go, x) {body=graph {
  input i: int64[]
  input c: bool[]
  input v: float32[?,2]
  p = MatMul(v, w)
  a: int64[1] = const [0]
  row = ReduceSum(p, a) {keepdims=0}
  plus = Add(row, h)
  grown = Concat(v, x) {axis=0}
  c2 = Identity(c)
  output c2
  output grown
  output row: float32[2]
}}
last = Relu(final)
output last
output rows
`
	for n := range int64(4) {
		out := agree(t, text, map[string]*tensor.Tensor{"x": dense([]int{1, 2}, 1, -2), "n": tensor.Of(tensor.Int64, nil, []int64{n})})
		require.Equal(t, int(n)+1, out["last"].Shape[0])
	}
}

// TestScan sums along an axis from its end; a loop stands behind it that depends on its result.
func TestScan(t *testing.T) {
	const text = `
input x: float32[3,4]
zero: float32[3] = const [0, 0, 0]
sum, steps = Scan(zero, x) {num_scan_inputs=1, scan_input_axes=[1], scan_input_directions=[1], scan_output_axes=[1], body=graph {
  input s: float32[3]
  input e: float32[3]
  o = Add(s, e)
  d = Identity(o)
  output o
  output d
}}
big = ReduceMax(sum) {keepdims=0}
lim = Cast(big) {to=7}
acc = Loop(lim, "", sum) {body=graph {
  input i: int64[]
  input c: bool[]
  input v: float32[3]
  r = Add(v, sum)
  output c
  output r
}}
output steps
output acc
`
	x := dense([]int{3, 4}, 1, 2, 3, 4, -1, -2, -3, -4, 0.5, 0.25, 0, 1)
	out := agree(t, text, map[string]*tensor.Tensor{"x": x})
	require.Equal(t, []float32{4, 7, 9, 10}, out["steps"].F32()[:4])
	require.Equal(t, []float32{110, -110, 19.25}, out["acc"].F32())
}

// TestShapesFromData: a shape that is an input, and one that is computed from elements.
func TestShapesFromData(t *testing.T) {
	const text = `
input x: float32[2,6]
input s: int64[?]
a = Relu(x)
b = Reshape(a, s)
m = ReduceMax(b) {keepdims=0}
n = Cast(m) {to=7}
u: int64[1] = const [0]
v = Unsqueeze(n, u)
d = ConstantOfShape(v)
e = Cast(s) {to=1}
output b
output d
output e
output s
`
	x := dense([]int{2, 6}, 1, 2, 3, 4, -1, -2, -3, -4, 0.5, 0.25, 0, 1)
	for _, s := range [][]int64{{3, 4}, {12}, {2, 3, 2}, {3, 4}} {
		agree(t, text, map[string]*tensor.Tensor{"x": x, "s": int64s(s...)})
	}
}

// TestKernelsThatWantElements: a bound of Clip is computed; no shape depends on it.
func TestKernelsThatWantElements(t *testing.T) {
	const text = `
input x: float32[2,3]
top = ReduceMean(x) {keepdims=0}
y = Clip(x, "", top)
z = Exp(y)
output z
`
	agree(t, text, map[string]*tensor.Tensor{"x": dense([]int{2, 3}, 1, 2, 3, 4, -1, -2)})
	agree(t, text, map[string]*tensor.Tensor{"x": dense([]int{2, 3}, 1, 2, 3, -4, -1, -2)})
}

// TestHostileLoops: what never ends, or collects without end, is an error in bounded time and memory.
func TestHostileLoops(t *testing.T) {
	const text = `
input x: float32[1024]
n: int64[] = const [9000000000000000000]
go: bool[] = const [1]
last, all = Loop(n, go, x) {body=graph {
  input i: int64[]
  input c: bool[]
  input v: float32[1024]
  r = Neg(v)
  output c
  output r
  output r
}}
output all
`
	x := map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1024)}
	p, err := compiled(t, text)
	require.NoError(t, err)
	_, err = p.Run(context.Background(), x, [32]byte{})
	require.ErrorContains(t, err, "does not fit into memory")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err = p.Run(ctx, x, [32]byte{})
	require.Error(t, err)
}

// TestCarriedOutputsAreCharged: what many nodes with nested graphs make stays until the run ends, so together it has to fit.
func TestCarriedOutputsAreCharged(t *testing.T) {
	const node = `y%d = Loop(n, "", x) {body=graph {
  input i: int64[]
  input c: bool[]
  input v: float32
  t = Expand(x, s)
  output c
  output t
}}
`
	run := func(nodes int) error {
		var b, sum strings.Builder
		b.WriteString("input x: float32[1]\ninput n: int64[]\ns: int64[1] = const [65536]\n") // 256 KiB each
		for i := range nodes {
			fmt.Fprintf(&b, node, i)
			fmt.Fprintf(&sum, "m%d = ReduceMax(y%d)\n", i, i)
		}
		p, err := compiled(t, b.String()+sum.String()+"output m0\noutput m"+fmt.Sprint(nodes-1)+"\n", wanted(nodes)...)
		require.NoError(t, err)
		_, err = p.Run(t.Context(), map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1), "n": tensor.Of(tensor.Int64, nil, []int64{1})}, [32]byte{})
		return err
	}
	require.NoError(t, run(8))
	require.ErrorContains(t, run(80), "does not fit into memory; raise --memory", "80 x 256 KiB are more than 16 MiB")
}

// wanted are the names m0, m1 and on.
func wanted(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint("m", i))
	}
	return out
}
