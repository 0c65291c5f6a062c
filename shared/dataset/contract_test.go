package dataset

import (
	"image/color"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/tensor"
)

// TestConventions: every name gives a preprocessing that can be meant, of the caller's own; an unknown one is told the others.
func TestConventions(t *testing.T) {
	require.Equal(t, []string{"imagenet-torch", "imagenet-tf", "imagenet-caffe", "raw255", "unit"}, Conventions())
	for _, name := range Conventions() {
		p, err := Like(name)
		require.NoError(t, err)
		require.NoError(t, p.Check())
		for i := range p.Mean {
			p.Mean[i] = -1
		}
		again, err := Like(name)
		require.NoError(t, err)
		require.NotContains(t, again.Mean, float32(-1), "%s: what one caller changes, another does not see", name)
		for _, c := range []struct {
			model, crop Size
			short       int
		}{
			{Size{224, 224}, Size{224, 224}, 256}, {Size{128, 128}, Size{128, 128}, 146}, {Size{127, 127}, Size{}, 0}, {Size{}, Size{}, 0},
			{Size{320, 240}, Size{}, 0},
		} {
			at := again.At(c.model)
			require.False(t, at.Usual)
			if !again.Usual {
				c.short, c.crop = 0, Size{}
			}
			require.Equal(t, c.short, at.Resize.Short, "%s at %v", name, c.model)
			require.Equal(t, c.crop, at.Crop)
		}
	}
	_, err := Like("imagenet")
	require.EqualError(t, err, `preprocessing "imagenet" is unknown; known are imagenet-torch, imagenet-tf, imagenet-caffe, raw255, unit`)
}

// TestPreprocessingThatCannotBeMeant: each fault alone is refused, and the zero Prep is not.
func TestPreprocessingThatCannotBeMeant(t *testing.T) {
	require.NoError(t, Prep{}.Check())
	nan := float32(math.NaN())
	for want, p := range map[string]Prep{
		"size -1 is outside":                 {Resize: Resize{Short: -1}},
		"size 16385 is outside":              {Crop: Size{16385, 1}},
		"size 0 x 3 has one side only":       {Pad: Pad{Size: Size{0, 3}}},
		`resize keeps aspect "fit"`:          {Resize: Resize{Size: Size{1, 1}, Keep: "fit"}},
		`resize keeps aspect "greater"`:      {Resize: Resize{Short: 3, Keep: KeepGreater}},
		`padding at "center"`:                {Pad: Pad{Stride: 2, At: "center"}},
		"central fraction 1.5 is outside":    {Fraction: 1.5},
		"central fraction NaN is outside":    {Fraction: math.NaN()},
		`reader "cv2" is unknown`:            {Reader: "cv2"},
		`layout "CHW"`:                       {Layout: "CHW"},
		`channels "gray"`:                    {Channels: "gray"},
		"scale 0.5 is a divisor":             {Affine: Affine{Scale: 0.5}},
		"scale -1: a positive divisor":       {Affine: Affine{Scale: -1}},
		"mean NaN: a finite number":          {Affine: Affine{Mean: []float32{nan}, Std: []float32{0}}},
		"std 0: a finite number":             {Affine: Affine{Std: []float32{1, 0}}},
		"mean has 2 values, the data has 3 ": {Affine: Affine{Mean: []float32{1, 2}, Std: []float32{1, 2, 3}}},
	} {
		require.ErrorContains(t, p.Check(), want)
	}
}

// TestPicturesAndShapes: which sources are decoded, and what is fed of them at once.
func TestPicturesAndShapes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.png", pngOf(t, 2, 2, color.White))
	set, in, _ := build(t, Source{Data: dir, Inputs: tiny})
	require.True(t, set.Pictures())
	require.Equal(t, []int{5, 3, 2, 2}, in.Streams[0].FedShape(5))
	array := write(t, dir, "x/a.npy", npyOf("<f4", "(3, 2)", make([]byte, 24)))
	set, in, _ = build(t, Source{Data: array, Inputs: []Want{{"x", tensor.Float32, []int{-1, 2}}}})
	require.False(t, set.Pictures())
	require.Equal(t, []int{1, 2}, in.Streams[0].FedShape(1))
	require.Nil(t, Stream{}.FedShape(1))
	require.Equal(t, []int{4, 3}, Stream{Rows: 2, Pieces: []Piece{{Shape: []uint32{2, 3}}}}.FedShape(2))
	require.Equal(t, []int{}, Stream{Pieces: []Piece{{Shape: []uint32{}}}}.FedShape(1), "rank 0 has no batch")
}

// TestScoresOfSampleFiles: one score a file, in the order of the names; another number of them is refused.
func TestScoresOfSampleFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.npz", "a.npz"} {
		write(t, dir, name, archive(t, map[string][]int64{"ids": {1}, "mask": {1}}))
	}
	scores := write(t, t.TempDir(), "scores.txt", []byte("0.5\n-2\n"))
	set, err := Open(t.Context(), Source{Data: dir, Labels: scores, Scores: true, Inputs: sentence})
	require.NoError(t, err)
	require.Equal(t, []string{"a.npz", "b.npz"}, set.Names)
	require.Equal(t, []float64{0.5, -2}, set.Scores)
	require.Equal(t, []float64{-2}, set.without(Faults{{Sample: 0}}).Scores)
	write(t, filepath.Dir(scores), "scores.txt", []byte("0.5\n"))
	_, err = Open(t.Context(), Source{Data: dir, Labels: scores, Scores: true, Inputs: sentence})
	require.ErrorContains(t, err, "has 1 scores, the data has 2 files")
}

// TestConversions: what is stored for an input of another type. Floats round to nearest even, integers fit or are refused with their
// place, and nothing becomes an integer by being cut.
func TestConversions(t *testing.T) {
	half := func(v ...float32) *tensor.Tensor {
		x := tensor.New(tensor.Float16, len(v))
		for i, f := range v {
			tensor.View[uint16](x)[i] = tensor.HalfFromFloat(f)
		}
		return x
	}
	one := []int{1}
	for _, c := range []struct {
		from *tensor.Tensor
		to   tensor.DType
		want *tensor.Tensor
		err  string
	}{
		{tensor.Of(tensor.Float64, one, []float64{1 + 0x1p-24}), tensor.Float32, tensor.Of(tensor.Float32, one, []float32{1}), ""},
		{tensor.Of(tensor.Float64, one, []float64{1e300}), tensor.Float32, tensor.Of(tensor.Float32, one, []float32{float32(math.Inf(1))}), ""},
		{half(-0.5, 6e-8, 65504), tensor.Float32, tensor.Of(tensor.Float32, []int{3}, []float32{-0.5, 0x1p-24, 65504}), ""},
		{half(float32(math.Inf(-1))), tensor.Float64, tensor.Of(tensor.Float64, one, []float64{math.Inf(-1)}), ""},
		{tensor.Of(tensor.Uint64, one, []uint64{1 << 63}), tensor.Float64, tensor.Of(tensor.Float64, one, []float64{0x1p63}), ""},
		{tensor.Of(tensor.Int64, one, []int64{-7}), tensor.Float32, tensor.Of(tensor.Float32, one, []float32{-7}), ""},
		{tensor.Of(tensor.Float32, one, []float32{3}), tensor.Float64, tensor.Of(tensor.Float64, one, []float64{3}), ""},
		{tensor.Of(tensor.Int64, one, []int64{-128}), tensor.Int8, tensor.Of(tensor.Int8, one, []int8{-128}), ""},
		{tensor.Of(tensor.Int64, one, []int64{-129}), tensor.Int8, nil, "element 0 is -129 and does not fit int8"},
		{tensor.Of(tensor.Int64, one, []int64{256}), tensor.Uint8, nil, "element 0 is 256 and does not fit uint8"},
		{tensor.Of(tensor.Int32, one, []int32{-1}), tensor.Uint64, nil, "element 0 is -1 and does not fit uint64"},
		{tensor.Of(tensor.Uint64, one, []uint64{1 << 63}), tensor.Int64, nil, "does not fit int64"},
		{tensor.Of(tensor.Uint32, one, []uint32{1 << 31}), tensor.Int32, nil, "does not fit int32"},
		{tensor.Of(tensor.Int64, []int{2}, []int64{1, 2}), tensor.Bool, nil, "element 1 is 2 and does not fit bool"},
		{tensor.Of(tensor.Bool, one, []uint8{1}), tensor.Int64, tensor.Of(tensor.Int64, one, []int64{1}), ""},
		{tensor.Of(tensor.Float32, one, []float32{1}), tensor.Int64, nil, "float32 cannot become int64: save the array as integers"},
		{tensor.Of(tensor.Float32, one, []float32{1}), tensor.Float16, nil, "float32 cannot become float16: save the array in that type"},
		{tensor.New(tensor.Complex64, 1), tensor.Float32, nil, "complex64 holds no integers"},
	} {
		got, err := convert(c.from, c.to)
		if c.err != "" {
			require.ErrorContains(t, err, c.err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%s to %s", c.from.DType, c.to)
	}
}

// TestLoadedElements: what Feed reads of a type without a table is the element.
func TestLoadedElements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int16().Draw(t, "element")
		require.Equal(t, float32(int8(v)), loader(tensor.Int8)(tensor.Of(tensor.Int8, []int{1}, []int8{int8(v)}).Data))
		require.Equal(t, float32(v), loader(tensor.Int16)(tensor.Of(tensor.Int16, []int{1}, []int16{v}).Data))
		require.Equal(t, float32(uint16(v)), loader(tensor.Uint16)(tensor.Of(tensor.Uint16, []int{1}, []uint16{uint16(v)}).Data))
		require.Equal(t, float32(v)/3, loader(tensor.Float32)(tensor.Of(tensor.Float32, []int{1}, []float32{float32(v) / 3}).Data))
	})
}
