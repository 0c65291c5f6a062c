package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// fires is a random chain of fire modules: a convolution that squeezes, two or three that expand it again, each with a
// Relu or none, joined in any order along the channels. In integers all of a module's parts have one scale.
func fires(r *rand.Rand, n, channels, side int, integers bool) *graph.Model {
	b := &builder{g: &graph.Graph{Consts: map[string]*tensor.Tensor{}, Types: map[string]graph.Type{}}, r: r}
	b.g.Inputs = []graph.Port{{Name: "x", Type: graph.FixedType(tensor.Float32, n, channels, side, side)}}
	quantized := func(v string) string {
		if integers {
			return b.pair(v, 0.03, 20)
		}
		return v
	}
	conv := func(name, in string, c, out, group, k int) string {
		attrs := []graph.Attr{integer("group", int64(group)), ints("pads", int64(k/2), int64(k/2), int64(k/2), int64(k/2))}
		y := b.node("Conv", name, attrs, in, b.weights(name+".w", []int{out, c / group, k, k}, 0, c*k*k/group, !integers), b.bias(name+".b", out))
		if r.IntN(2) == 0 {
			y = b.node("Relu", name+".relu", nil, y)
		}
		return quantized(y)
	}
	x, c := quantized("x"), channels
	for i := range 1 + r.IntN(3) {
		name := fmt.Sprintf("f%d", i)
		x = conv(name+".squeeze", x, c, 8, 1, 1)
		var parts []string
		c = 0
		for j := range 2 + r.IntN(2) {
			out, group := 2*(1+r.IntN(20)), 1+r.IntN(2)
			if r.IntN(6) == 0 {
				out, group = 8, 8 // depthwise: writes no columns
			}
			parts = append(parts, conv(fmt.Sprintf("%s.%d", name, j), x, 8, out, group, 1+2*r.IntN(2)))
			c += out
		}
		if r.IntN(4) == 0 {
			parts, c = append(parts, x), c+8 // what others read too
		}
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		x = quantized(b.node("Concat", name+".join", []graph.Attr{integer("axis", 1)}, parts...))
	}
	b.node("Neg", "y", nil, x)
	b.g.Outputs = []graph.Port{{Name: "y"}}
	return &graph.Model{Graph: b.g, Opset: 21, FileOpset: 21}
}

// TestFireModulesChangeNoBit compares fire modules, whose parts write their columns, with themselves kernel by kernel, on every tier.
func TestFireModulesChangeNoBit(t *testing.T) {
	for _, integers := range []bool{false, true} {
		t.Run(map[bool]string{false: "float", true: "int8"}[integers], func(t *testing.T) {
			eachTier(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(9, 5))
				saved := int64(0)
				for range 20 {
					n, channels, side := 1+r.IntN(3), []int{2, 6, 16}[r.IntN(3)], []int{1, 5, 7, 14, 33}[r.IntN(5)]
					m := fires(r, n, channels, side, integers)
					x := tensor.New(tensor.Float32, n, channels, side, side)
					for j, v := 0, x.F32(); j < len(v); j++ {
						v[j] = float32(r.NormFloat64())
					}
					grouped, apart := together(t, m, map[string]*tensor.Tensor{"x": x})
					saved += apart - grouped
				}
				require.Greater(t, saved, int64(20), "few parts were joined")
			})
		})
	}
}
