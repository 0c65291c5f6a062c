package plan

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/tensor"
)

func sample() *Params {
	return &Params{
		Points: []Point{
			{Value: "x", Uses: []Use{{"conv", 0}}, DType: tensor.Uint8, Axis: -1, Scale: []float32{0.5}, Zero: []int32{128}},
			{Value: "w", Kind: Weight, Uses: []Use{{"conv", 1}}, DType: tensor.Int8, Scale: []float32{1, 2}, Zero: []int32{0, 0}},
			{Value: "y", Uses: []Use{{"gemm", 0}}, DType: tensor.Uint8, Axis: -1, Scale: []float32{3}, Zero: []int32{0}},
		},
		Groups:  [][]uint32{{0, 1}, {2}},
		Patches: []Patch{{Group: 1, Use: Use{"gemm", 2}, DType: tensor.Float32, Shape: []uint32{1}, Data: []byte{0, 0, 128, 63}}},
	}
}

func TestParamsRoundTrip(t *testing.T) {
	p := sample()
	q, err := DecodeParams(p.Encode())
	require.NoError(t, err)
	require.Equal(t, p, q)
	require.Equal(t, p.Digest(), q.Digest())
}

// A digest is part of what users keep on disk: it may change only together with a version.
func TestDigestsAreFixed(t *testing.T) {
	require.Equal(t, "assay.View\x00\x91\x93\x01\x02\xcd\x01\x00", string(EncodeView(View{Samples: []uint32{1, 2, 256}})))
	require.Equal(t, "assay.Cell\x00", string(Encode("Cell", Cell{})[:11]))
	require.Equal(t, View{}.Digest(), View{Samples: []uint32{}}.Digest(), "nil and empty are one value")
	require.NotEqual(t, DigestOf("A", uint8(1)), DigestOf("B", uint8(1)), "kinds are apart")
	require.NotEqual(t, Problem{Block: 1}.Digest(), Problem{Block: 2}.Digest())
	require.NotEqual(t, Cell{Index: 1}.Digest(), Cell{What: Taps}.Digest())
}

func TestDecodeRefuses(t *testing.T) {
	view := EncodeView(View{Samples: []uint32{7}})
	for name, b := range map[string][]byte{
		"empty":              {},
		"foreign prefix":     Encode("Cell", View{Samples: []uint32{7}}),
		"truncated":          view[:len(view)-1],
		"trailing bytes":     append(append([]byte{}, view...), 0),
		"longer spelling":    []byte("assay.View\x00\x91\x91\xcc\x07"),
		"nil for a list":     []byte("assay.View\x00\x91\xc0"),
		"two billion":        []byte("assay.View\x00\x91\xdd\x7f\xff\xff\xff\x01"),
		"more fields":        []byte("assay.View\x00\x92\x90\x01"),
		"number for a list":  []byte("assay.View\x00\x91\x07"),
		"does not fit":       []byte("assay.View\x00\x91\x91\xcf\x00\x00\x00\x01\x00\x00\x00\x00"),
		"string for a list":  []byte("assay.View\x00\x91\xa1a"),
		"negative in uint32": []byte("assay.View\x00\x91\x91\xff"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeView(b)
			require.Error(t, err)
		})
	}
}

func TestParamsCheck(t *testing.T) {
	for name, spoil := range map[string]func(p *Params){
		"point in no group":     func(p *Params) { p.Groups = p.Groups[:1]; p.Patches = nil },
		"point in two groups":   func(p *Params) { p.Groups[0] = []uint32{0, 1, 2} },
		"group order":           func(p *Params) { p.Groups[0], p.Groups[1] = p.Groups[1], p.Groups[0] },
		"group beyond points":   func(p *Params) { p.Groups[1] = []uint32{3} },
		"empty group":           func(p *Params) { p.Groups = append(p.Groups, nil) },
		"scale 0":               func(p *Params) { p.Points[0].Scale[0] = 0 },
		"scale infinite":        func(p *Params) { p.Points[0].Scale[0] = float32(math.Inf(1)) },
		"unknown kind":          func(p *Params) { p.Points[0].Kind = Bias + 1 },
		"axis -2":               func(p *Params) { p.Points[1].Axis = -2 },
		"activation along 0":    func(p *Params) { p.Points[0].Axis = 0 },
		"zero point below":      func(p *Params) { p.Points[0].Zero[0] = -1 },
		"INT8 zero point 128":   func(p *Params) { p.Points[1].Zero[1] = 128 },
		"INT8 zero point -129":  func(p *Params) { p.Points[1].Zero[0] = -129 },
		"one zero point less":   func(p *Params) { p.Points[1].Zero = p.Points[1].Zero[:1] },
		"no scale":              func(p *Params) { p.Points[0].Scale, p.Points[0].Zero = nil, nil },
		"bias with zero point":  func(p *Params) { p.Points[1].Kind, p.Points[1].DType, p.Points[1].Zero[0] = Bias, tensor.Int32, 1 },
		"bias in INT8":          func(p *Params) { p.Points[1].Kind = Bias },
		"descending group":      func(p *Params) { p.Groups = [][]uint32{{0, 2, 1}} },
		"point twice":           func(p *Params) { p.Groups[0] = []uint32{0, 1, 1} },
		"scale NaN":             func(p *Params) { p.Points[0].Scale[0] = float32(math.NaN()) },
		"zero point outside":    func(p *Params) { p.Points[0].Zero[0] = 256 },
		"scales without axis":   func(p *Params) { p.Points[1].Axis = -1 },
		"activation with axis":  func(p *Params) { p.Points[0].Axis = 1 },
		"float weights":         func(p *Params) { p.Points[1].DType = tensor.Float32 },
		"nothing reads it":      func(p *Params) { p.Points[0].Uses = nil },
		"patch of no group":     func(p *Params) { p.Patches[0].Group = 2 },
		"patch of wrong length": func(p *Params) { p.Patches[0].Data = nil },
	} {
		t.Run(name, func(t *testing.T) {
			p := sample()
			spoil(p)
			require.Error(t, p.Check())
			_, err := DecodeParams(p.Encode())
			require.Error(t, err)
		})
	}
}

// TestParamsCheckAllows: what stands exactly at a bound is in order.
func TestParamsCheckAllows(t *testing.T) {
	for name, change := range map[string]func(p *Params){
		"as they are":             func(*Params) {},
		"no points":               func(p *Params) { *p = Params{} },
		"uint8 at its ends":       func(p *Params) { p.Points[0].Zero[0], p.Points[2].Zero[0] = 255, 0 },
		"int8 at its ends":        func(p *Params) { p.Points[1].Zero = []int32{-128, 127} },
		"the smallest scale":      func(p *Params) { p.Points[0].Scale[0] = math.SmallestNonzeroFloat32 },
		"the largest scale":       func(p *Params) { p.Points[0].Scale[0] = math.MaxFloat32 },
		"a bias a channel":        func(p *Params) { p.Points[1].Kind, p.Points[1].DType = Bias, tensor.Int32 },
		"one weight for all":      func(p *Params) { p.Points[1].Axis, p.Points[1].Scale, p.Points[1].Zero = -1, []float32{1}, []int32{0} },
		"int8 activations":        func(p *Params) { p.Points[0].DType, p.Points[0].Zero[0] = tensor.Int8, -128 },
		"a patch without element": func(p *Params) { p.Patches[0].Shape, p.Patches[0].Data = []uint32{0}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			p := sample()
			change(p)
			require.NoError(t, p.Check())
			q, err := DecodeParams(p.Encode())
			require.NoError(t, err)
			require.Equal(t, p.Digest(), q.Digest())
		})
	}
}

// TestCodecIsABijection draws params and cells and asks for the same value and the same bytes back.
func TestCodecIsABijection(t *testing.T) {
	use := rapid.Custom(func(t *rapid.T) Use {
		return Use{Node: rapid.StringN(0, 6, -1).Draw(t, "node"), Input: rapid.Uint32().Draw(t, "input")}
	})
	patch := rapid.Custom(func(t *rapid.T) Patch {
		p := Patch{Group: rapid.Uint32().Draw(t, "group"), Use: use.Draw(t, "use"), DType: tensor.DType(rapid.Uint8().Draw(t, "type"))}
		if b := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data"); len(b) > 0 {
			p.Data = b
		}
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		p := patch.Draw(t, "patch")
		var q Patch
		require.NoError(t, Decode("Patch", Encode("Patch", p), &q))
		require.Equal(t, p, q)
		x := struct {
			A int64
			B float64
			C string
			D []Use
			E bool
			F [3]uint16
		}{rapid.Int64().Draw(t, "a"), rapid.Float64().Draw(t, "b"), rapid.String().Draw(t, "c"), append([]Use{}, use.Draw(t, "d")), rapid.Bool().Draw(t, "e"), [3]uint16{1, 2, 3}}
		y := x
		y.A, y.D = 0, nil
		require.NoError(t, Decode("X", Encode("X", x), &y))
		require.Equal(t, x, y)
	})
}

// TestDecodeReplaces: what stood in the value before is gone, and memory that others still hold of it is left alone.
func TestDecodeReplaces(t *testing.T) {
	old := []uint32{7, 8, 9}
	for _, want := range []View{{}, {Samples: []uint32{1}}, {Samples: []uint32{1, 2, 3, 4}}} {
		v := View{Samples: old}
		require.NoError(t, Decode("View", EncodeView(want), &v))
		require.Equal(t, want, v)
		require.Equal(t, []uint32{7, 8, 9}, old)
	}
	p := Patch{Data: []byte{1}, Shape: []uint32{1}}
	require.NoError(t, Decode("Patch", Encode("Patch", Patch{}), &p))
	require.Equal(t, Patch{}, p)
	broken := sample()
	broken.Groups = nil
	got, err := DecodeParams(broken.Encode())
	require.Error(t, err)
	require.Nil(t, got)
}

func FuzzDecodeParams(f *testing.F) {
	f.Add(sample().Encode())
	f.Add((&Params{}).Encode())
	f.Add([]byte("assay.Params\x00\x93\xdd\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodeParams(b)
		if err != nil {
			return
		}
		require.Equal(t, b, p.Encode())
		plan := All(p)
		_ = EffectiveDigest(p, plan)
	})
}

func TestParseDigest(t *testing.T) {
	d := View{}.Digest()
	got, err := ParseDigest(d.String())
	require.NoError(t, err)
	require.Equal(t, d, got)
	text, err := d.MarshalText()
	require.NoError(t, err)
	require.NoError(t, got.UnmarshalText(text))
	for _, s := range []string{"", "ab", d.String()[1:] + "g", d.String() + "00"} {
		_, err := ParseDigest(s)
		require.Error(t, err, s)
	}
}

// TestPatchTensor: the constant of a patch is its bytes under its shape, shared and not copied.
func TestPatchTensor(t *testing.T) {
	p := Patch{DType: tensor.Float32, Shape: []uint32{2, 1}, Data: tensor.Of(tensor.Float32, []int{2}, []float32{1, -2}).Data}
	got := p.Tensor()
	require.NoError(t, got.Check())
	require.Equal(t, []int{2, 1}, got.Shape)
	require.Equal(t, []float32{1, -2}, got.F32())
	require.Same(t, &p.Data[0], &got.Data[0])
	require.Equal(t, 1, Patch{DType: tensor.Int32, Data: make([]byte, 4)}.Tensor().Len(), "no axes are a scalar")
}
