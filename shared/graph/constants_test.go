package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// everyType are the element types of a fixed size.
var everyType = []tensor.DType{
	tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Uint8,
	tensor.Uint16, tensor.Uint32, tensor.Uint64, tensor.Bool, tensor.Int4, tensor.Uint4, tensor.Int2, tensor.Uint2, tensor.Complex64, tensor.Complex128,
}

// TestConstantsKeepEveryPattern: bytes of noise, the ends of each type, and one value many times come back as they were, written
// in few elements or many, in the graph and in an attribute.
func TestConstantsKeepEveryPattern(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for _, d := range everyType {
		for _, n := range []int{0, 1, 3, inlineElements, inlineElements + 1, 100} {
			for _, same := range []bool{false, true} {
				x := tensor.New(d, n)
				for i := range x.Data {
					x.Data[i] = byte(r.Uint32())
					if same && i >= d.Size() {
						x.Data[i] = x.Data[i-d.Size()]
					}
				}
				if d == tensor.Bool || d.Bits() < 8 {
					for i := range x.Data {
						x.Data[i] = tensor.Unpack(tensor.Uint2, []byte{x.Data[i] & 1}, 1)[0]
					}
				}
				m := &Model{Opset: textOpset, Graph: newGraph()}
				m.Graph.Consts["c"] = x
				m.Graph.Nodes = []*Node{{Name: "n", Op: "Op", Outputs: []string{"y"}, Attrs: []Attr{
					{Name: "t", Kind: KindTensor, Tensor: x}, {Name: "u", Kind: KindTensors, Tensors: []*tensor.Tensor{x, x}},
				}}}
				again, err := ParseWith(Print(m), Table(m))
				require.NoError(t, err, "%s of %d", d, n)
				require.Equal(t, x.Data, again.Graph.Consts["c"].Data, "%s of %d", d, n)
				require.Equal(t, d, again.Graph.Consts["c"].DType)
				require.Equal(t, x.Data, again.Graph.Nodes[0].Attrs[0].Tensor.Data)
				require.Len(t, again.Graph.Nodes[0].Attrs[1].Tensors, 2)
				if same && n > inlineElements && d.Size() <= 8 && d != tensor.Complex64 {
					require.NotContains(t, Print(m), "0x")
				}
			}
		}
	}
}

// TestGeneratedConstants: fill, ramp and random say what they make; ramps of integers wrap, those of floats round once.
func TestGeneratedConstants(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"int8[4] = const ramp 126 1", "[126, 127, -128, -127]"},
		{"uint8[3] = const ramp 1 -1", "[1, 0, 255]"},
		{"int4[4] = const ramp 6 1", "[6, 7, -8, -7]"},
		{"uint4[3] = const ramp 15 1", "[15, 0, 1]"},
		{"int64[2] = const ramp 9223372036854775807 1", "[9223372036854775807, -9223372036854775808]"},
		{"float32[3] = const ramp 0.1 0.1", "[0.1, 0.2, 0.3]"},
		{"float16[3] = const ramp 0 0.25", "[0, 0.25, 0.5]"},
		{"float64[2] = const ramp 1e300 1e300", "[1e+300, 2e+300]"},
		{"bool[2] = const fill true", "[1, 1]"},
		{"float32[2] = const fill nan", "[nan, nan]"},
		{"float32[2] = const fill -inf", "[-inf, -inf]"},
		{"int32[2,2] = const [[1, 2], [3, 4]]", "[1, 2, 3, 4]"},
		{"float32[] = const [0x1p-3]", ""},
		{"uint8[4] = const random 3", ""},
	} {
		m, err := Parse("w: " + c.text)
		require.NoError(t, err, c.text)
		if c.want != "" {
			require.Contains(t, Print(m), "= const "+c.want+"\n", c.text)
		}
	}
	for _, d := range everyType[:17] {
		one, err := Parse(fmt.Sprintf("w: %s[300] = const random 1", d))
		require.NoError(t, err)
		two, err := Parse(fmt.Sprintf("w: %s[300] = const random 2", d))
		require.NoError(t, err)
		require.NotEqual(t, one.Graph.Consts["w"].Data, two.Graph.Consts["w"].Data, "%s", d)
		if d == tensor.Float32 {
			for _, v := range one.Graph.Consts["w"].F32() {
				require.True(t, v >= -1 && v < 1 && v*128 == float32(math.Trunc(float64(v*128))), "%v", v)
			}
		}
	}
}

// TestConstantsOfATextAreBounded: as many bytes as are left pass, one more does not, nor does a product of sizes that does not fit
// an int; what was spent is gone for the constants that follow, and a text says which one was too much.
func TestConstantsOfATextAreBounded(t *testing.T) {
	for _, c := range []struct {
		d      tensor.DType
		shapes [][]int // all but the last pass
		ok     bool
	}{
		{tensor.Uint8, [][]int{{100}}, true}, {tensor.Uint8, [][]int{{101}}, false}, {tensor.Float32, [][]int{{25}}, true}, {tensor.Float32, [][]int{{26}}, false},
		{tensor.Float32, [][]int{{5, 5}}, true}, {tensor.Float32, [][]int{{5, 6}}, false}, {tensor.Uint8, [][]int{{60}, {40}}, true}, {tensor.Uint8, [][]int{{60}, {41}}, false},
		{tensor.Uint8, [][]int{{1 << 32, 1 << 32}}, false}, {tensor.Uint8, [][]int{{0, 5}, {100}}, true}, {tensor.Float64, [][]int{{math.MaxInt}}, false},
		{tensor.Float64, [][]int{{}, {}, {11}}, false}, {tensor.Float64, [][]int{{}, {}, {10}}, true},
	} {
		p := &parser{budget: 100}
		for i, shape := range c.shapes {
			err := p.spend(&tensor.Tensor{DType: c.d, Shape: shape})
			if i+1 < len(c.shapes) || c.ok {
				require.NoError(t, err, "%s%v", c.d, shape)
			} else {
				require.ErrorContains(t, err, "may take 67108864 bytes together", "%s%v", c.d, shape)
			}
		}
	}
	_, err := Parse("a: uint8[0] = const []\ny = Op() {t=tensor uint8[9223372036854775807] fill 0}")
	require.ErrorContains(t, err, `line 2: attribute "t": `)
}

// TestNamesSurvive: any text is a name, bare where each character may stand in a word and quoted elsewhere.
func TestNamesSurvive(t *testing.T) {
	for name, quoted := range map[string]bool{
		"aAzZ09_./:+-x": false, "a:b": false, ":a": true, "a:": true, "": true, "a b": true, "a,b": true, "@": true, "[": true, "{": true, "`": true,
		"\x00": true, "é": true, "a\nb": true, `"`: true, "#": true, "1": false, "-1": false, "input": false, "const": false, "nan": false, "a(": true, "?": true, "!": true,
	} {
		require.Equal(t, !quoted, bare(name), "%q", name)
		if name == "" {
			continue
		}
		m := &Model{Opset: textOpset, Graph: newGraph()}
		m.Graph.Inputs = []Port{{Name: name, Type: FixedType(tensor.Float32, 2)}}
		m.Graph.Nodes = []*Node{{Name: name, Domain: name, Op: name, Inputs: []string{name, "", name}, Outputs: []string{name + "2"}, Doc: name, Attrs: []Attr{{Name: name, Kind: KindString, Str: []byte(name)}}}}
		m.Graph.Outputs = []Port{{Name: name + "2", Type: Type{DType: tensor.Int8, Ranked: true, Shape: []Dim{{N: -1, Sym: name}, {N: -1}}}}}
		again, err := Parse(Print(m))
		require.NoError(t, err, Print(m))
		require.Equal(t, m.Graph.Inputs, again.Graph.Inputs)
		require.Equal(t, m.Graph.Outputs, again.Graph.Outputs)
		require.Equal(t, m.Graph.Nodes, again.Graph.Nodes)
	}
}

// TestFindsEveryNaN: in each type of floats, in both parts of complex numbers, in attributes and in nested graphs; infinities are none.
func TestFindsEveryNaN(t *testing.T) {
	for text, want := range map[string]string{
		"w: float32[3] = const [1, nan, nan]":                                     `constant "w": 2 of 3 elements, the first at 1`,
		"w: float32[2] = const [inf, -inf]":                                       "",
		"w: float64[2] = const [1, nan]":                                          "1 of 2 elements, the first at 1",
		"w: float16[2] = const [nan, 1]":                                          "1 of 2 elements, the first at 0",
		"w: float16[2] = const [inf, 65504]":                                      "",
		"w: bfloat16[2] = const [nan, 1]":                                         "1 of 2 elements, the first at 0",
		"w: bfloat16[2] = const [inf, -inf]":                                      "",
		`w: complex64[1] = const bytes "000000000000c07f"`:                        "1 of 1 elements, the first at 1",
		"w: int32[1] = const [2143289344]":                                        "", // the pattern of a NaN
		"y = Op() {t=tensor float32[1] [nan]} @n":                                 `node "n" (Op): attribute "t": 1 of 1 elements, the first at 0`,
		"y = Op() {t=tensors[tensor float32[1] [1], tensor float32[1] [nan]]} @n": `attribute "t": 1 of 1 elements`,
		"y = If(c) {g=graph { v: float32[1] = const [nan] output v }} @n":         `constant "v": 1 of 1 elements`,
	} {
		m, err := Parse(text)
		require.NoError(t, err, text)
		if want == "" {
			require.NoError(t, CheckFinite(m), text)
			continue
		}
		require.ErrorContains(t, CheckFinite(m), want, text)
	}
	var b strings.Builder
	for i := range 11 {
		fmt.Fprintf(&b, "w%02d: float32[1] = const [nan]\n", i)
	}
	m, err := Parse(b.String())
	require.NoError(t, err)
	said := CheckFinite(m).Error()
	require.Contains(t, said, `"w07"`)
	require.NotContains(t, said, `"w08"`)
	require.Contains(t, said, "; and 3 more")
}
