package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// list is a sequence of rows of different lengths.
func list() *tensor.Tensor {
	return tensor.SequenceOf(tensor.Float32, dense([]int{2}, 1, -2), dense([]int{3}, 3, 4, -5), dense([]int{0}))
}

// TestSequencesBetweenKernels: kernels before, between and behind sequences, in bodies too; the bits are those of node by node.
func TestSequencesBetweenKernels(t *testing.T) {
	for name, text := range map[string]string{
		"taken apart and joined": `
h = Relu(x)
parts = SplitToSequence(h) {axis=1}
more = SequenceInsert(parts, k)
one: int64[] = const [1]
p = SequenceAt(more, one)
q = Exp(p)
all = SequenceInsert(more, q, one)
j = ConcatFromSequence(all) {axis=1}
y = Add(j, k)
output y
output all
`,
		"an input passes":          "y = Identity(s)\nz = Neg(x)\noutput y\noutput z\noutput s\n",
		"as wanted by nobody else": "y = Identity(s)\noutput y\n",
		"through a branch": `
y = If(c) {then_branch=graph { r = SequenceConstruct(x) output r }, else_branch=graph { r = Optional(s) output r }}
z = OptionalGetElement(y)
l = SequenceLength(z)
f = Cast(l) {to=1}
m = Mul(f, x)
output m
output y
`,
		"grown by a loop": `
none = SequenceEmpty()
y, z = Loop(n, c, none, x) {body=graph {
  input i: int64[]
  input go: bool[]
  input v: sequence(float32)
  input e: float32[?,?]
  w = Add(e, k)
  d = MatMul(w, t)
  r = SequenceInsert(v, d)
  output go
  output r
  output d
}}
m, sizes = SequenceMap(y, x) {body=graph { input a: float32[?,?] input b: float32[?,?] h = Mul(a, b) p = Relu(h) u = Shape(a) output p output u }}
output y
output z
output m
output sizes
`,
		"an optional that a loop fills": `
y = Loop(n, c, o) {body=graph {
  input i: int64[]
  input go: bool[]
  input v: optional(sequence(float32))
  has = OptionalHasElement(v)
  l = If(has) {then_branch=graph { g = OptionalGetElement(v) output g }, else_branch=graph { g = SequenceConstruct(x) output g }}
  r = SequenceInsert(l, k)
  output go
  output r
}}
output y
`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []bool{true, false} {
				agree(t, `
input x: float32[2,2]
input s: sequence(float32)
input o: optional(sequence(float32))
input c: bool[]
input n: int64[]
k: float32[2,1] = const [0.5, -3]
t: float32[2,2] = const [1, 2, 3, 4]
`+text, map[string]*tensor.Tensor{
					"x": dense([]int{2, 2}, 1, -2, 3, 4), "s": list(), "o": tensor.OptionalOf(nil), "c": boolean(c), "n": tensor.Of(tensor.Int64, nil, []int64{3}),
				})
			}
		})
	}
}

// TestLongChainsOfSequences: a thousand changes, one reading the other, are one part of a program and not a thousand within each other.
func TestLongChainsOfSequences(t *testing.T) {
	var b strings.Builder
	b.WriteString("input x: float32[1,2]\ns = SequenceEmpty()\n")
	name := "s"
	for range 1000 {
		b.WriteString(name + "i = SequenceInsert(" + name + ", x)\n")
		name += "i"
	}
	b.WriteString("y = ConcatFromSequence(" + name + ") {axis=0}\nz = Relu(y)\noutput z\n")
	out := agree(t, b.String(), map[string]*tensor.Tensor{"x": dense([]int{1, 2}, 1, -2)})
	require.Equal(t, []int{1000, 2}, out["z"].Shape)
}

// TestSequencesOfAnotherKindAreRefused: what is fed is compared with what the model declares, item by item, and a node that cannot
// take a sequence is named.
func TestSequencesOfAnotherKindAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, text string
		s          *tensor.Tensor
		want       string
	}{
		{"a tensor", "y = Identity(s)", dense([]int{1}, 1), `input "s": it holds float32, the model wants sequence`},
		{"another type", "y = Identity(s)", tensor.SequenceOf(tensor.Int64, int64s(1)), `input "s": item 0: it holds int64, the model wants float32`},
		{"another shape", "y = Identity(s)", tensor.SequenceOf(tensor.Float32, dense([]int{1}, 1), dense([]int{1, 1}, 1)), `input "s": item 1: its shape is [1 1]`},
		{"broken", "y = Identity(s)", tensor.SequenceOf(tensor.Float32, nil), `input "s": sequence holds what it cannot hold as item 0`},
		{"a kernel", "y = Neg(s)", list(), `node "Neg_y" (Neg): input 0 ("s") has element type sequence, which is not supported`},
		{"a place", "p: int64[] = const [3]\ny = SequenceAt(s, p)", list(), `node "SequenceAt_y" (SequenceAt): position 3 is outside of a sequence of 3 items`},
		{"joining", "e = SequenceEmpty()\ny = ConcatFromSequence(e) {axis=0}", list(), `node "ConcatFromSequence_y" (ConcatFromSequence): an empty sequence has nothing to join and no shape`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := graph.Parse("input s: sequence(float32[?])\n" + c.text + "\noutput y\n")
			require.NoError(t, err)
			p, err := engine.New(engine.Options{Memory: 1 << 26}).Compile(m, nil)
			require.NoError(t, err)
			_, err = p.Run(context.Background(), map[string]*tensor.Tensor{"s": c.s}, [32]byte{})
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestWhatABodyCollectsIsGivenBack: a loop within a loop may collect each time what one loop may.
func TestWhatABodyCollectsIsGivenBack(t *testing.T) {
	const text = `
input s: sequence(float32)
n: int64[] = const [%d]
front: int64[] = const [0]
y = Loop(n, "") {body=graph {
  input i: int64[]
  input c: bool[]
  w, u = Loop(n, "", i) {body=graph {
    input j: int64[]
    input d: bool[]
    input v: int64[]
    e = SequenceAt(s, front)
    more = SequenceInsert(s, e, front)
    m = SequenceLength(more)
    output d
    output m
    output e
  }}
  output c
  output w
}}
output y
`
	run := func(trips int) error {
		m, err := graph.Parse(fmt.Sprintf(text, trips))
		require.NoError(t, err)
		p, err := engine.New(engine.Options{Memory: 1 << 22}).Compile(m, nil)
		require.NoError(t, err)
		s := tensor.SequenceOf(tensor.Float32, tensor.New(tensor.Float32, 1<<10))
		_, err = p.Run(context.Background(), map[string]*tensor.Tensor{"s": s}, [32]byte{})
		return err
	}
	require.NoError(t, run(40), "40 x 40 x 4 KiB are more than the limit, 40 x 4 KiB are not")
	require.ErrorContains(t, run(4000), "does not fit into memory")
}
