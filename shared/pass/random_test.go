package pass

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// drawn is the text of a random graph: nodes that the passes look for, in chains, with values that have other readers, that
// are outputs, or that a nested graph captures. Every value is float32; its shape is tracked so that the graph can run.
type drawn struct {
	r      *rand.Rand
	consts strings.Builder
	nodes  strings.Builder
	values []drawnValue
	made   int
}

type drawnValue struct {
	name  string
	shape []int
}

// draw makes a graph of about n patterns and says which values are its outputs.
func draw(seed uint64, n int) string {
	d := &drawn{r: rand.New(rand.NewPCG(seed, 7))}
	d.values = []drawnValue{{"image", []int{2, 4, 5, 6}}, {"rows", []int{3, 4}}, {"both", []int{2, 2, 2}}}
	for range n {
		d.pattern(d.values[d.r.IntN(len(d.values))])
	}
	var b strings.Builder
	b.WriteString("input image: float32[2,4,5,6]\ninput rows: float32[3,4]\ninput both: float32[2,2,2]\nt: bool[] = const [1]\n" + d.consts.String() + d.nodes.String())
	for i, v := range d.values {
		if i > 2 && d.r.IntN(3) == 0 || i == len(d.values)-1 {
			b.WriteString("output " + v.name + "\n")
		}
	}
	return b.String()
}

// constant declares noise, of numbers from 1/128 to 1 where it must be positive.
func (d *drawn) constant(positive bool, shape ...int) string {
	d.made++
	name := fmt.Sprintf("c%d", d.made)
	v := make([]string, tensor.Count(shape))
	for i := range v {
		x := float64(d.r.IntN(257)-128) / 128
		if positive {
			x = float64(d.r.IntN(128)+1) / 128
		}
		v[i] = fmt.Sprint(x)
	}
	fmt.Fprintf(&d.consts, "%s: %s = const [%s]\n", name, graph.FixedType(tensor.Float32, shape...), strings.Join(v, ","))
	return name
}

func (d *drawn) ints(v ...int) string {
	d.made++
	name := fmt.Sprintf("c%d", d.made)
	fmt.Fprintf(&d.consts, "%s: int64[%d] = const %s\n", name, len(v), strings.ReplaceAll(fmt.Sprint(v), " ", ","))
	return name
}

// node adds a node with one output.
func (d *drawn) node(shape []int, format string, args ...any) drawnValue {
	d.made++
	v := drawnValue{fmt.Sprintf("v%d", d.made), shape}
	fmt.Fprintf(&d.nodes, "%s = %s\n", v.name, fmt.Sprintf(format, args...))
	d.values = append(d.values, v)
	return v
}

// pattern adds one of the forms that some pass rewrites, or one that looks like it and has to stay.
func (d *drawn) pattern(x drawnValue) {
	switch k := d.r.IntN(13); {
	case k == 0:
		d.node(x.shape, "Identity(%s)", x.name)
	case k == 1:
		d.node(x.shape, "Dropout(%s)", x.name)
	case k == 2:
		up := d.node(x.shape, "Cast(%s) {to=11}", x.name)
		d.values = d.values[:len(d.values)-1] // a double
		d.node(x.shape, "Cast(%s) {to=1}", up.name)
	case k == 3:
		d.transposes(x)
	case k == 4:
		d.reshapes(x)
	case k == 5:
		d.limits(x)
	case k == 6:
		d.node(x.shape, "If(t) {then_branch=graph { n%d = Neg(%s) output n%d }, else_branch=graph { output %s }}", d.made, x.name, d.made, x.name)
	case k == 7:
		d.product(x)
	case len(x.shape) == 4:
		d.picture(x)
	case len(x.shape) == 2:
		d.matrix(x)
	default:
		d.normalized(x)
	}
	if d.r.IntN(3) == 0 {
		d.normalized(d.values[len(d.values)-1])
	}
}

func (d *drawn) transposes(x drawnValue) {
	for range 2 {
		perm := d.r.Perm(len(x.shape))
		shape := make([]int, len(perm))
		for i, p := range perm {
			shape[i] = x.shape[p]
		}
		x = d.node(shape, "Transpose(%s) {perm=%s}", x.name, strings.ReplaceAll(fmt.Sprint(perm), " ", ","))
	}
}

func (d *drawn) reshapes(x drawnValue) {
	size := tensor.Count(x.shape)
	last := x.shape[len(x.shape)-1]
	flat := d.node([]int{size}, "Reshape(%s, %s)", x.name, d.ints(-1))
	y := d.node([]int{size / last, last}, "Reshape(%s, %s)", flat.name, d.ints(-1, last))
	if d.r.IntN(2) == 0 {
		d.made++
		fmt.Fprintf(&d.nodes, "s%d = Shape(%s)\n", d.made, x.name)
		d.node(x.shape, "Reshape(%s, s%d)", y.name, d.made)
	} else {
		d.node([]int{size / last, last, 1}, "Reshape(%s, %s)", y.name, d.ints(0, 0, 1))
	}
}

func (d *drawn) limits(x drawnValue) {
	for range 2 {
		switch d.r.IntN(4) {
		case 0:
			x = d.node(x.shape, "Relu(%s)", x.name)
		case 1:
			x = d.node(x.shape, "Clip(%s, %s)", x.name, d.constant(false))
		case 2:
			x = d.node(x.shape, `Clip(%s, "", %s)`, x.name, d.constant(false))
		default:
			x = d.node(x.shape, "Clip(%s, %s, %s)", x.name, d.constant(false), d.constant(false))
		}
	}
}

// added puts an Add of a constant behind x that stretches to it, or stretches it.
func (d *drawn) added(x drawnValue, channels, axis int) drawnValue {
	shape := make([]int, len(x.shape))
	for i := range shape {
		shape[i] = 1
	}
	switch d.r.IntN(5) {
	case 0: // one number
		shape = shape[:d.r.IntN(len(shape)+1)]
	case 1: // one a channel, with no axis more than it takes
		shape[axis] = channels
		shape = shape[axis:]
	case 2: // one an element of the last axis
		shape = []int{x.shape[len(x.shape)-1]}
	case 3: // an axis more than x
		shape[axis] = channels
		shape = append([]int{1}, shape...)
		if x.shape = append([]int{1}, x.shape...); len(x.shape) > 4 {
			x.shape = x.shape[1:]
			shape = shape[1:]
		}
	default:
		shape[axis] = channels
	}
	a, b := x.name, d.constant(false, shape...)
	if d.r.IntN(2) == 0 {
		a, b = b, a
	}
	return d.node(x.shape, "Add(%s, %s)", a, b)
}

// width is a number of columns, often as many as there are rows, where one axis can be taken for the other.
func (d *drawn) width(x drawnValue) int {
	if d.r.IntN(2) == 0 {
		return x.shape[0]
	}
	return 1 + d.r.IntN(4)
}

// product adds MatMul or Gemm over the last axis.
func (d *drawn) product(x drawnValue) {
	in, out := x.shape[len(x.shape)-1], d.width(x)
	shape := append(slices.Clone(x.shape[:len(x.shape)-1]), out)
	w := d.constant(false, in, out)
	if d.r.IntN(3) == 0 { // the graph computes it
		d.made++
		fmt.Fprintf(&d.nodes, "w%d = Neg(%s)\n", d.made, w)
		w = fmt.Sprintf("w%d", d.made)
	}
	y := d.node(shape, "MatMul(%s, %s)", x.name, w)
	d.added(y, out, len(shape)-1)
}

func (d *drawn) matrix(x drawnValue) {
	rows, in, out := x.shape[0], x.shape[1], d.width(x)
	factors := []string{"", "alpha=0.5, ", "beta=0.25, ", "alpha=-3.5, beta=1.5, "}[d.r.IntN(4)]
	trans := d.r.IntN(2)
	if d.r.IntN(2) == 0 {
		x = d.node([]int{in, rows}, "Transpose(%s) {perm=[1,0]}", x.name)
		factors += "transA=1, "
	}
	w := []int{in, out}
	if trans == 1 {
		slices.Reverse(w)
	}
	c := []string{`""`, d.constant(false, out), d.constant(false, 1, out), d.constant(false, rows, 1), d.constant(false)}[d.r.IntN(5)]
	y := d.node([]int{rows, out}, "Gemm(%s, %s, %s) {%stransB=%d}", x.name, d.constant(false, w...), c, factors, trans)
	if d.r.IntN(2) == 0 {
		y = d.added(y, out, 1)
	}
	if len(y.shape) == 2 {
		d.normalized(y)
	}
}

// picture adds Pad, then a convolution, transposed or not, or a pool.
func (d *drawn) picture(x drawnValue) {
	c := x.shape[1]
	if h, w := x.shape[2], x.shape[3]; d.r.IntN(2) == 0 && h+w < 40 {
		before, after := d.r.IntN(2), d.r.IntN(3)
		value, mode := `""`, ""
		switch d.r.IntN(4) {
		case 0:
			value = d.constant(false)
		case 1:
			mode = ` {mode="edge"}`
		}
		if d.r.IntN(2) == 0 {
			x = d.node([]int{x.shape[0], c, h + before + after, w}, "Pad(%s, %s, %s, %s)%s", x.name, d.ints(before, after), value, d.ints(-2), mode)
		} else {
			x = d.node([]int{x.shape[0], c, h + before + after, w + after}, "Pad(%s, %s, %s)%s", x.name, d.ints(0, 0, before, 0, 0, 0, after, after), value, mode)
		}
	}
	h, w := x.shape[2], x.shape[3]
	if h < 3 || w < 3 {
		d.normalized(x)
		return
	}
	switch d.r.IntN(4) {
	case 0:
		x = d.node([]int{x.shape[0], c, h - 1, w - 2}, "AveragePool(%s) {kernel_shape=[2,3], count_include_pad=%d}", x.name, d.r.IntN(2))
	case 1:
		x = d.node([]int{x.shape[0], 2 * c, h, w + 1}, "ConvTranspose(%s, %s, %s) {group=%d}", x.name, d.constant(false, c, 2, 1, 2), d.constant(false, 2*c), c)
	case 2:
		x = d.node([]int{x.shape[0], 3, h + 1, w}, "Conv(%s, %s) {pads=[1,1,1,1]}", x.name, d.constant(false, 3, c, 2, 3))
	default:
		x = d.node([]int{x.shape[0], c, h - 1, w - 1}, "Conv(%s, %s, %s) {group=%d}", x.name, d.constant(false, c, 1, 2, 2), d.constant(false, c), c)
	}
	if d.r.IntN(2) == 0 {
		x = d.added(x, x.shape[1], 1)
	}
	d.normalized(x)
}

// normalized adds a BatchNormalization, whose channels are axis 1 whatever made x.
func (d *drawn) normalized(x drawnValue) {
	if len(x.shape) < 2 {
		return
	}
	c := x.shape[1]
	d.node(x.shape, "BatchNormalization(%s, %s, %s, %s, %s)", x.name, d.constant(false, c), d.constant(false, c), d.constant(false, c), d.constant(true, c))
}

// drawnInputs are numbers of eighths with what is special among floats: exact passes keep its bits.
func drawnInputs(seed uint64, special bool) map[string]*tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 8))
	in := map[string]*tensor.Tensor{}
	for _, v := range []drawnValue{{"image", []int{2, 4, 5, 6}}, {"rows", []int{3, 4}}, {"both", []int{2, 2, 2}}} {
		x := tensor.New(tensor.Float32, v.shape...)
		for i := range x.F32() {
			x.F32()[i] = float32(r.IntN(65)-32) / 8
			if special && r.IntN(16) == 0 {
				x.F32()[i] = []float32{float32(math.Copysign(0, -1)), 1e-42, 3e38, -3e38}[r.IntN(4)]
			}
		}
		in[v.name] = x
	}
	return in
}

// TestPassesKeepRandomGraphs: on random graphs every exact pass alone keeps each bit of all outputs, the others and
// Normalize keep them within 1e-5 of the largest; what results is valid, and a second run finds nothing to do.
func TestPassesKeepRandomGraphs(t *testing.T) {
	changed := map[string]int{}
	for seed := range uint64(60) {
		text := draw(seed, 12)
		m, err := graph.Parse(text)
		require.NoError(t, err, text)
		require.NoError(t, graph.Validate(m), text)
		in := map[bool]map[string]*tensor.Tensor{true: drawnInputs(seed, true), false: drawnInputs(seed, false)}
		want := map[bool]map[string]*tensor.Tensor{true: evaluated(t, m.Graph, in[true]), false: evaluated(t, m.Graph, in[false])}
		whole := graph.Digest(m)
		check := func(name string, exact bool, names ...string) {
			c := m.Clone()
			require.NoError(t, run(c, names, func(string) error { changed[name]++; return graph.Validate(c) }), text)
			require.Equal(t, m.Graph.Inputs, c.Graph.Inputs)
			require.Equal(t, m.Graph.Outputs, c.Graph.Outputs)
			got := evaluated(t, c.Graph, in[exact])
			for _, p := range m.Graph.Outputs {
				w, g := want[exact][p.Name], got[p.Name]
				require.Equal(t, w.Shape, g.Shape, "seed %d, pass %s, output %s of\n%s", seed, name, p.Name, text)
				if exact {
					require.True(t, slices.Equal(w.Data, g.Data), "seed %d, pass %s, output %s of\n%s", seed, name, p.Name, text)
				} else {
					require.LessOrEqual(t, apart(w, g), 1e-5, "seed %d, pass %s, output %s of\n%s", seed, name, p.Name, text)
				}
			}
			digest := graph.Digest(c)
			require.NoError(t, run(c, names, nil))
			require.Equal(t, digest, graph.Digest(c), "seed %d: a second run of %s changed something", seed, name)
		}
		for _, p := range passes {
			check(p.name, p.exact, p.name)
		}
		check("exact passes", true, exactly()...)
		check("Normalize", false, normalize...)
		require.Equal(t, whole, graph.Digest(m), "seed %d: a pass over a clone wrote into the original", seed)
	}
	for _, p := range passes {
		require.NotZero(t, changed[p.name], "pass %s found nothing: the graphs do not test it", p.name)
	}
}

// evaluated computes the outputs of a graph.
func evaluated(t *testing.T, g *graph.Graph, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	env, err := op.EvalGraph(context.Background(), g, in)
	require.NoError(t, err, graph.PrintGraph(g))
	return env
}

// apart is max|got-want| / max|want|, 0 where both are 0.
func apart(want, got *tensor.Tensor) float64 {
	top, worst := 0.0, 0.0
	for i, w := range want.F32() {
		top = max(top, math.Abs(float64(w)))
		worst = max(worst, math.Abs(float64(w)-float64(got.F32()[i])))
	}
	if worst == 0 {
		return 0
	}
	return worst / top
}
