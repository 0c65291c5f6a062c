package quant

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// For fills in the preset where none was asked for: mixed in the regions placement for models with attention and for those
// in which an activation function that is flat below zero feeds a layer, else performance. The values between a
// transformer's layers have a few channels far out on one side, and Swish's reach from -0.28 to far up: symmetric ranges
// halve the levels that the rest has. Measured on a text detector of HardSwish blocks with everything INT8: 11 % noise in
// the output with symmetric ranges and 5 % without.
func (c Config) For(g *graph.Graph) Config {
	if c.Preset == "" {
		c.Preset = Performance
		if c.Placement != POT && (attends(g) || leans(g)) {
			c.Preset = Mixed
		}
	}
	return c
}

// leans reports whether a function that is one-sided, but for a small negative part, feeds a layer of g.
func leans(g *graph.Graph) bool {
	x := graph.NewIndex(g)
	return slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool { return oneSided(x, g, n) && feeds(x, g, n.Outputs[0]) })
}

// maxSlope is how steep a one-sided function may be below zero: from a half on, symmetric ranges lose less than a bit.
const maxSlope = 0.5

// oneSided: n's results go up without bound and stay near zero below it. Relu's have no negative part, so that their
// ranges are one-sided in any preset.
func oneSided(x *graph.Index, g *graph.Graph, n *graph.Node) bool {
	if n.Domain != "" || len(n.Outputs) == 0 {
		return false
	}
	switch n.Op {
	case "HardSwish", "Swish", "Gelu", "Mish", "Elu", "Celu", "Selu":
		return true
	case "LeakyRelu":
		a := n.Float("alpha", 0.01)
		return a > -maxSlope && a < maxSlope
	case "PRelu":
		t := g.Consts[n.Input(1)]
		return t != nil && t.DType == tensor.Float32 && !slices.ContainsFunc(t.F32(), func(a float32) bool { return !(a > -maxSlope && a < maxSlope) })
	case "Mul":
		return gated(x, g, n)
	}
	return false
}

// gated: n multiplies a value by a bounded function of itself, up to constant factors. So are Swish, Mish, HardSwish and both
// forms of GELU written out.
func gated(x *graph.Index, g *graph.Graph, n *graph.Node) bool {
	for i := range n.Inputs {
		v, gate := unscaled(x, g, n.Input(i)), n.Input(1-i)
		if len(n.Inputs) == 2 && g.Consts[v] == nil && gateOf(x, g, v, gate) {
			return true
		}
	}
	return false
}

// unscaled climbs from v over products and quotients with constants.
func unscaled(x *graph.Index, g *graph.Graph, v string) string {
	for n := x.Producer[v]; n != nil && n.Domain == ""; n = x.Producer[v] {
		switch {
		case (n.Op == "Mul" || n.Op == "Div") && g.Consts[n.Input(1)] != nil:
			v = n.Inputs[0]
		case n.Op == "Mul" && g.Consts[n.Input(0)] != nil:
			v = n.Inputs[1]
		default:
			return v
		}
	}
	return v
}

// gateNodes bounds the operators of a gate: GELU with Tanh, the longest, has eight.
const gateNodes = 12

// gateOf: gate follows from v and constants alone, element by element, through a bounded function.
func gateOf(x *graph.Index, g *graph.Graph, v, gate string) bool {
	bounded, seen := false, map[string]bool{}
	open := []string{gate}
	for len(open) > 0 {
		w := open[len(open)-1]
		open = open[:len(open)-1]
		if w == v || g.Consts[w] != nil || seen[w] {
			continue
		}
		n := x.Producer[w]
		if n == nil || n.Domain != "" || len(seen) == gateNodes {
			return false
		}
		seen[w] = true
		switch n.Op {
		case "Sigmoid", "HardSigmoid", "Tanh", "Erf", "Clip":
			bounded = true
			open = append(open, n.Inputs[0])
		case "Softplus", "Exp", "Log", "Add", "Sub", "Mul", "Div", "Pow":
			open = append(open, n.Inputs...)
		default:
			return false
		}
	}
	return bounded
}

// reach bounds the operators between an activation function and the layer that it feeds.
const reach = 64

// feeds: v is the data of a layer, directly, scaled, or behind operators that an integer region may hold and that leave it
// one-sided.
func feeds(x *graph.Index, g *graph.Graph, v string) bool {
	open, seen := []string{v}, map[*graph.Node]bool{}
	for len(open) > 0 && len(seen) < reach {
		uses := x.Uses[open[0]]
		open = open[1:]
		for _, u := range uses {
			switch n := u.Node; {
			case u.Sub || n.Domain != "" || seen[n]:
			case layerData(g, u):
				return true
			case passes(classes[n.Op]), n.Op == "Div" && g.Consts[n.Input(1)] != nil:
				seen[n] = true
				open = append(open, n.Outputs...)
			}
		}
	}
	return false
}

// layerData: the use is the data of a product with constants.
func layerData(g *graph.Graph, u graph.Use) bool {
	switch u.Node.Op {
	case "Conv", "ConvTranspose", "Gemm":
		return u.Input == 0
	case "MatMul":
		return g.Consts[u.Node.Input(1-u.Input)] != nil
	}
	return false
}

func passes(c class) bool {
	return c == classElementwise || c == classPool || c == classConcat || c == classCarry || c == classTransparent
}
