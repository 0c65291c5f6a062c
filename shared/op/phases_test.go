package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestPhasesAreTheConvolutionOverSpreadData: transposed convolutions of many geometries give the bits of the form that goes over
// the zeros between, where products vanish below the least float32 and leave a -0 as well.
func TestPhasesAreTheConvolutionOverSpreadData(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	phases, negative := 0, 0
	for round := range 400 {
		group := 1 + rng.IntN(2)
		c, oc := group*(1+rng.IntN(5)), 1+rng.IntN(9)
		size, rank := [2]int{1 + rng.IntN(6), 1 + rng.IntN(6)}, 2
		kernel, stride := [2]int{1 + rng.IntN(5), 1 + rng.IntN(5)}, [2]int{1 + rng.IntN(3), 1 + rng.IntN(3)}
		before, after, more := [2]int{rng.IntN(2), rng.IntN(2)}, [2]int{rng.IntN(2), rng.IntN(2)}, [2]int{rng.IntN(2), rng.IntN(2)}
		if round%5 == 0 {
			rank = 1
		}
		text := "x: float32[2," + listed(append([]int{c}, size[:rank]...)) + "]"
		weight := append([]int{c, oc}, kernel[:rank]...)
		node := fmt.Sprintf("ConvTranspose(x, w, b) {group=%d, strides=[%s], pads=[%s], output_padding=[%s]}", group, listed(stride[:rank]),
			listed(append(append([]int{}, before[:rank]...), after[:rank]...)), listed(more[:rank]))
		n, in := parseCase(t, text+fmt.Sprintf("; w: float32[%s]; b: float32[%d]", listed(weight), group*oc), node)
		tiny := round%3 == 0
		for _, v := range in {
			for i, x := range v.F32() {
				switch {
				case tiny:
					v.F32()[i] = x * 0x1p-75
				case rng.IntN(4) == 0:
					v.F32()[i] = 0
				}
			}
		}
		if tiny {
			clear(in[2].F32())
		}
		x := &Infer{Node: n, In: make([]Info, 3), Out: make([]Info, 1)}
		for i, v := range in {
			x.In[i] = Info{DType: v.DType, Shape: v.Shape, Value: v}
		}
		if Apply(x) != nil {
			continue // pads leave nothing
		}
		l, _ := prepare(Lookup("", n.Op), x, in, ChannelsLast, func(i int) bool { return i == 0 })
		g, err := transpositionOf(l.argsInfer())
		require.NoError(t, err)
		src, err := l.operand(0, ChannelsLast)
		require.NoError(t, err)
		slow, err := l.spreadKernel(g, in[1], in[2], src)
		require.NoError(t, err)
		p, err := l.phased(g, in[1], in[2])
		require.NoError(t, err)
		if p == nil {
			continue
		}
		phases++
		fast, err := lowerConvTranspose(l)
		require.NoError(t, err)
		var out [2][]uint32
		for i, k := range []Kernel{slow, fast} {
			call := &Call{In: [][]byte{toChannelsLast(in[0]).Data, nil, nil}, Out: [][]byte{make([]byte, 4*tensor.Count(l.Out[0].Shape))}, Scratch: make([]byte, k.Scratch)}
			k.Run(call)
			for _, v := range view[float32](call.Out[0]) {
				out[i] = append(out[i], math.Float32bits(v))
				if i == 1 && v == 0 && math.Signbit(float64(v)) {
					negative++
				}
			}
		}
		require.Equal(t, out[0], out[1], "%s of %v, weight %v", node, in[0].Shape, in[1].Shape)
	}
	require.Greater(t, phases, 100)
	require.Positive(t, negative, "no sum was -0: the case is not met")
}

// listed is a list with commas.
func listed(v []int) string {
	s := fmt.Sprint(v[0])
	for _, n := range v[1:] {
		s += "," + fmt.Sprint(n)
	}
	return s
}

// TestPhasesAreLeftAlone: numbers whose product with a zero would change a sum, and geometries without phases.
func TestPhasesAreLeftAlone(t *testing.T) {
	inf, minus := float32(math.Inf(1)), float32(math.Copysign(0, -1))
	g := func(kernel, stride, dilation int) *transposition {
		return &transposition{group: 1, oc: 1, window: window{in: []int{3, 3}, out: []int{6, 6}, kernel: []int{kernel, kernel}, stride: []int{stride, stride}, dilation: []int{dilation, dilation}, before: []int{0, 0}, after: []int{0, 0}}}
	}
	require.Len(t, g(2, 2, 1).phases([]float32{1, 2, 3, 4}, nil), 4)
	require.Len(t, g(2, 2, 1).phases([]float32{1, 2, 3, 4}, []float32{0}), 4)
	require.Empty(t, g(2, 2, 1).phases([]float32{1, 2, inf, 4}, nil))
	require.Empty(t, g(2, 2, 1).phases([]float32{1, 2, inf - inf, 4}, nil))
	require.Empty(t, g(2, 2, 1).phases([]float32{1, 2, 3, 4}, []float32{minus}))
	require.Empty(t, g(2, 1, 1).phases([]float32{1, 2, 3, 4}, nil), "nothing is spread")
	require.Empty(t, g(1, 2, 1).phases([]float32{1}, nil), "some outputs meet no data")
	require.Empty(t, g(2, 2, 2).phases([]float32{1, 2, 3, 4}, nil))
}
