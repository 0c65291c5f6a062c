package dataset

import (
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset/jpeg"
	"assay/shared/dataset/resample"
	"assay/shared/tensor"
)

// TestAspects: the sizes that Accuracy Checker's aspect_ratio_scale gives, computed by its formulas in Python.
func TestAspects(t *testing.T) {
	wide, high, small := Size{500, 333}, Size{333, 500}, Size{70, 50}
	for _, c := range []struct {
		resize Resize
		from   Size
		to     Size
	}{
		{Resize{Short: 256}, wide, Size{384, 256}},
		{Resize{Short: 256}, high, Size{256, 384}},
		{Resize{Size: Size{256, 256}, Keep: KeepGreater}, wide, Size{384, 256}},
		{Resize{Size: Size{200, 100}, Keep: KeepGreater}, wide, Size{150, 100}},
		{Resize{Size: Size{200, 100}, Keep: KeepGreater}, high, Size{200, 300}},
		{Resize{Size: Size{200, 100}, Keep: KeepWidth}, high, Size{66, 100}},
		{Resize{Size: Size{200, 100}, Keep: KeepHeight}, wide, Size{200, 133}},
		{Resize{Size: Size{1024, 600}, Keep: KeepFit}, wide, Size{900, 600}},
		{Resize{Size: Size{1024, 600}, Keep: KeepFit}, high, Size{399, 600}},
		{Resize{Size: Size{128, 32}, Keep: KeepEAST}, wide, Size{128, 32}},
		{Resize{Size: Size{320, 32}, Keep: KeepEAST}, high, Size{160, 320}},
		{Resize{Size: Size{320, 32}, Keep: KeepEAST}, small, Size{32, 32}},
		{Resize{Size: Size{7, 9}}, small, Size{7, 9}},
	} {
		require.Equal(t, c.to, c.resize.of(c.from), "%+v of %v", c.resize, c.from)
	}
}

// TestPadding: where new pixels go, how sizes grow, and what does not fit.
func TestPadding(t *testing.T) {
	im := &jpeg.Image{W: 1, H: 1, C: 3, Pix: []byte{9, 9, 9}}
	for at, want := range map[string]int{"": 0, "left_top": 3, "right_bottom": 0} {
		out := Pad{Size: Size{2, 2}, At: at, Value: [3]byte{1, 2, 3}}.apply(im, Size{2, 2})
		for i := range 4 {
			v := []byte{1, 2, 3}
			if i == want {
				v = im.Pix
			}
			require.Equal(t, v, out.Pix[3*i:3*i+3], "%q, pixel %d", at, i)
		}
	}
	require.Equal(t, []byte{1, 1, 9, 9, 1, 1, 1, 1, 1}[2:4], Pad{Value: [3]byte{1}}.apply(&jpeg.Image{W: 2, H: 1, C: 1, Pix: []byte{9, 9}}, Size{5, 1}).Pix[1:3])
	require.Equal(t, Size{64, 32}, Pad{Stride: 32}.of(Size{33, 32}))
	require.Equal(t, Size{320, 96}, Pad{Stride: 32, Size: Size{300, 90}}.of(Size{3, 3}))
	_, err := Prep{Pad: Pad{Size: Size{2, 2}}}.place(&jpeg.Image{W: 3, H: 1, C: 1, Pix: make([]byte, 3)}, canvas{})
	require.ErrorContains(t, err, "more than the padding's 2 x 2")
}

// TestGeometryReachesTheModel: central part, resize, crop and padding in a row, with the values of a picture of two halves.
func TestGeometryReachesTheModel(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.png", pngOf(t, 8, 8, color.NRGBA{200, 100, 50, 255}))
	p := Prep{Reader: OpenCVReader, Channels: "bgr", Fraction: 0.75, Resize: Resize{Size: Size{4, 2}, Keep: KeepFit, Filter: resample.OpenCVLinear},
		Pad: Pad{Size: Size{4, 2}, At: "right_bottom", Value: [3]byte{1, 2, 3}}}
	_, in, m := build(t, Source{Data: dir, Prep: p, Inputs: []Want{{"x", tensor.Float32, []int{-1, 3, 2, 4}}}})
	require.Equal(t, []float32{
		50, 50, 3, 3, 50, 50, 3, 3,
		100, 100, 2, 2, 100, 100, 2, 2,
		200, 200, 1, 1, 200, 200, 1, 1,
	}, all(t, in, m)[0].F32())
}

// TestReadersMatchTheData: a reader of arrays refuses pictures and the other way round, and both say what to name.
func TestReadersMatchTheData(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.png", pngOf(t, 2, 2, color.White))
	array := write(t, dir, "a.npy", npyOf("<f4", "(1, 2)", make([]byte, 8)))
	_, err := Open(t.Context(), Source{Data: dir, Inputs: tiny, Prep: Prep{Reader: NumpyReader}})
	require.ErrorContains(t, err, "numpy_reader reads arrays: name opencv_imread or pillow_imread")
	_, err = Open(t.Context(), Source{Data: array, Inputs: []Want{{"x", tensor.Float32, []int{-1, 2}}}, Prep: Prep{Reader: PillowReader}})
	require.ErrorContains(t, err, "pillow_imread reads pictures: name numpy_reader")
	_, err = Open(t.Context(), Source{Data: array, Inputs: []Want{{"x", tensor.Float32, []int{-1, 2}}}, Prep: Prep{Reader: NumpyReader}})
	require.NoError(t, err)
}

// TestTextsReadBack: what Flags prints is what the parsers read.
func TestTextsReadBack(t *testing.T) {
	for _, s := range []string{"256", "320x240", "256,bicubic", "1024x600,fit_to_window,opencv-linear", "300x300,greater"} {
		r, err := ParseResize(s)
		require.NoError(t, err)
		require.Equal(t, s, r.String())
	}
	for _, s := range []string{"300", "300x200,left_top", "stride:32", "300,stride:32,right_bottom,value:1:2:3"} {
		p, err := ParsePad(s)
		require.NoError(t, err)
		require.Equal(t, s, p.String())
	}
	for _, s := range []string{"224", "224,floor", "3x4,floor"} {
		c, floor, err := ParseCrop(s)
		require.NoError(t, err)
		require.Equal(t, s, cropString(c, floor))
	}
	for s, want := range map[string]string{
		"3,lanczos": "known are bilinear", "3,grater": "how the aspect is kept: greater", "x": "320x240",
	} {
		_, err := ParseResize(s)
		require.ErrorContains(t, err, want)
	}
	for s, want := range map[string]string{"": "stride:N", "right_bottom": "neither a size", "stride:0": "a stride of 1", "3,value:1:2": "three between", "3,value:256": "one byte"} {
		_, err := ParsePad(s)
		require.ErrorContains(t, err, want)
	}
	_, _, err := ParseCrop("3,ceil")
	require.ErrorContains(t, err, "only floor may stand")
}

// TestBackground: with a class for the background in front, each label counts one more.
func TestBackground(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cat/a.png", pngOf(t, 2, 2, color.White))
	write(t, dir, "dog/a.png", pngOf(t, 2, 2, color.White))
	set, err := Open(t.Context(), Source{Data: dir, Inputs: tiny, Background: true})
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2}, set.Labels)
}
