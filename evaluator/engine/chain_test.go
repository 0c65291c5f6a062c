package engine_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// chain describes a network like a MobileNet: pointwise and depthwise convolutions in turn, each with bias and Relu, a
// residual Add after every fourth, pooling and a Gemm at the end. Layer i is INT8, or float when bit i of float is set,
// as a plan's graph would have it: Q and DQ around every layer, a Cast to double and back before a reverted one.
type chain struct {
	layers, size, channels int
	float                  uint64
}

// builder collects a graph.
type builder struct {
	g *graph.Graph
	r *rand.Rand
}

func (b *builder) constant(name string, t *tensor.Tensor) string {
	b.g.Consts[name] = t
	return name
}

func (b *builder) node(op, name string, attrs []graph.Attr, in ...string) string {
	n := &graph.Node{Name: name, Op: op, Inputs: in, Outputs: []string{name}}
	for _, a := range attrs {
		n.Set(a)
	}
	b.g.Nodes = append(b.g.Nodes, n)
	return name
}

func ints(name string, v ...int64) graph.Attr {
	return graph.Attr{Name: name, Kind: graph.KindInts, Ints: v}
}
func integer(name string, v int64) graph.Attr {
	return graph.Attr{Name: name, Kind: graph.KindInt, Int: v}
}

func scalar(v float32) *tensor.Tensor { return tensor.Of(tensor.Float32, nil, []float32{v}) }

// pair quantizes x with the given scale and zero point and dequantizes it again.
func (b *builder) pair(x string, s float32, z uint8) string {
	in := []string{b.constant(x+".s", scalar(s)), b.constant(x+".z", tensor.Of(tensor.Uint8, nil, []uint8{z}))}
	q := b.node("QuantizeLinear", x+".q", nil, append([]string{x}, in...)...)
	return b.node("DequantizeLinear", x+".d", nil, append([]string{q}, in...)...)
}

// weights makes n random weights for sums of k products, as int8 with one scale per output or, reverted, as float.
func (b *builder) weights(name string, shape []int, axis, k int, float bool) string {
	q := tensor.New(tensor.Int8, shape...)
	for i := range q.Data {
		q.Data[i] = byte(b.r.IntN(255) - 127)
	}
	scale := make([]float32, shape[axis])
	for i := range scale {
		scale[i] = float32((0.8 + 0.4*b.r.Float64()) / (74 * math.Sqrt(float64(k))))
	}
	if float {
		w := tensor.New(tensor.Float32, shape...)
		f := w.F32()
		for i, v := range q.Data {
			f[i] = float32(int8(v)) * scale[0]
		}
		return b.constant(name, w)
	}
	return b.node("DequantizeLinear", name, []graph.Attr{integer("axis", int64(axis))},
		b.constant(name+".q", q), b.constant(name+".s", tensor.Of(tensor.Float32, []int{len(scale)}, scale)),
		b.constant(name+".z", tensor.New(tensor.Int8, len(scale))))
}

func (b *builder) bias(name string, n int) string {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(b.r.Float64() - 0.3)
	}
	return b.constant(name, tensor.Of(tensor.Float32, []int{n}, v))
}

// model builds the graph. Equal layers of two chains have equal constants.
func (c chain) model() *graph.Model {
	b := &builder{g: &graph.Graph{Consts: map[string]*tensor.Tensor{}, Types: map[string]graph.Type{}}}
	free := graph.Dim{N: -1, Sym: "n"}
	b.g.Inputs = []graph.Port{{Name: "x", Type: graph.Type{DType: tensor.Float32, Ranked: true,
		Shape: []graph.Dim{free, {N: c.channels}, {N: c.size}, {N: c.size}}}}}
	x := b.pair("x", 0.02, 128)
	skip := x
	for i := range c.layers {
		name := fmt.Sprintf("l%d", i)
		b.r = rand.New(rand.NewPCG(uint64(i), 1))
		float, in := c.float>>i&1 == 1, x
		if float {
			in = b.node("Cast", name+".up", []graph.Attr{integer("to", int64(tensor.Float64))}, in)
			in = b.node("Cast", name+".down", []graph.Attr{integer("to", int64(tensor.Float32))}, in)
		}
		shape, k, attrs := []int{c.channels, c.channels, 1, 1}, c.channels, []graph.Attr(nil)
		if i%2 == 1 {
			shape, k = []int{c.channels, 1, 3, 3}, 9
			attrs = []graph.Attr{integer("group", int64(c.channels)), ints("pads", 1, 1, 1, 1)}
		}
		y := b.node("Conv", name, attrs, in, b.weights(name+".w", shape, 0, k, float), b.bias(name+".b", c.channels))
		if i%4 != 3 {
			x = b.pair(b.node("Relu", name+".relu", nil, y), 0.02, 0)
			continue
		}
		x = b.pair(b.node("Add", name+".add", nil, b.pair(y, 0.03, 128), skip), 0.03, 110)
		skip = x
	}
	x = b.pair(b.node("GlobalAveragePool", "pool", nil, x), 0.01, 128)
	x = b.node("Flatten", "flat", nil, x)
	b.r = rand.New(rand.NewPCG(1000, 1))
	b.node("Gemm", "y", nil, b.pair(x, 0.01, 128), b.weights("fc.w", []int{c.channels, 10}, 1, c.channels, false))
	b.g.Outputs = []graph.Port{{Name: "y"}}
	return &graph.Model{Graph: b.g, Opset: 21, FileOpset: 21}
}

// images are n random inputs of the chain, the same for the same seed.
func (c chain) images(seed uint64, n int) map[string]*tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 2))
	x := tensor.New(tensor.Float32, n, c.channels, c.size, c.size)
	f := x.F32()
	for i := range f {
		f[i] = float32(r.NormFloat64())
	}
	return map[string]*tensor.Tensor{"x": x}
}
