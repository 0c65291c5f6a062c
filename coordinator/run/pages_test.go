package run

import (
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"assay/shared/config"
	"assay/shared/tensor"
)

// detectorPages are how many pages a text detector sees, of what size.
const detectorPages, pageHeight, pageWidth = 6, 480, 640

// TestTextDetectorInFloat: the heat map of a text detector, over pages that are drawn here, is ONNX Runtime's.
//
// The map is the Sigmoid of scores up to 180. The scores are within 1e-5 of the largest one. Of the map this makes up to
// a quarter of an error of 1e-5 * 180 where a score is near zero, at the rim of a letter. Measured on 44 such pages: 4e-5
// to 1.4e-4 of the largest value. By a float64 evaluation of every operator, most of it comes from the 3x3
// convolutions of 96 channels: a sum of 864 products is one chain here (package numeric), whose rounding is 4.5e-7 of the
// result in the mean, and some partial sums in ONNX Runtime, with 1.5e-7. Text is where both say that it is.
func TestTextDetectorInFloat(t *testing.T) {
	python := interpreter(t)
	model, in := asset(t, "models/ch_PP-OCRv3_det_infer.onnx"), map[string]*tensor.Tensor{"x": pages(t, detectorPages, pageHeight, pageWidth)}
	mapped := atLevels(t, python, model, in, inputs(t, in))
	score := beforeLast(t, model, "Sigmoid")
	require.NotEqual(t, model, score)
	scores := atLevels(t, python, score, in, inputs(t, in))
	t.Logf("map %+v, scores %+v", mapped, scores)
	for _, at := range []string{"0", "1", "2", "99"} {
		require.LessOrEqual(t, mapped[at].Error, 2e-4, "level %s", at)
		require.LessOrEqual(t, scores[at].Error, 1e-5, "level %s", at)
		require.LessOrEqual(t, mapped[at].Noise, 1e-10, "level %s", at)
	}
}

// TestTextDetectorInINT8: a job on the same pages writes a file that keeps the rules of TestArchitecturesAgree, by its
// scores: ONNX Runtime's Sigmoid has no values below 1.5e-8, so that a line without text has no largest element there. They
// are not ours bit for bit, because it computes HardSwish, HardSigmoid and ConvTranspose in float.
func TestTextDetectorInINT8(t *testing.T) {
	python := interpreter(t)
	in := map[string]*tensor.Tensor{"x": pages(t, detectorPages, pageHeight, pageWidth)}
	j := config.New()
	j.Model, j.Data.Source = asset(t, "models/ch_PP-OCRv3_det_infer.onnx"), arrays(t, in)
	j.Drop, j.Iterations, j.OutputDir, j.StateDir = "1", 0, t.TempDir(), t.TempDir()
	res, err := Job(t.Context(), j, "", Events{})
	require.NoError(t, err)
	require.Empty(t, res.Report.Decisions.FloatGroups)
	require.Equal(t, "sqnr", res.Report.Decisions.Metrics[0].Name)
	t.Logf("all INT8 %v, F1 over pixels above 0.3 %.4f", res.Report.Decisions.Metrics[0].Int8, textF1(t, j.Model, res.Files[0], in["x"]))
	requireLevels(t, python, beforeLast(t, res.Files[0], "Sigmoid"), in, false)
}

// textF1 compares where two models see text: twice the pixels above 0.3 in both maps over the sum of those in either.
func textF1(t *testing.T, float, other string, x *tensor.Tensor) float64 {
	a, b := heat(t, float, x), heat(t, other, x)
	both, sum := 0.0, 0.0
	for i := range a {
		if a[i] > 0.3 && b[i] > 0.3 {
			both++
		}
		for _, v := range []float32{a[i], b[i]} {
			if v > 0.3 {
				sum++
			}
		}
	}
	return 2 * both / sum
}

// heat is a model's first output for each page, one after the other.
func heat(t *testing.T, model string, x *tensor.Tensor) []float32 {
	p, size := compiled(t, model), len(x.Data)/x.Shape[0]
	all := &tensor.Tensor{DType: tensor.Float32}
	for i := range x.Shape[0] {
		row := &tensor.Tensor{DType: x.DType, Shape: append([]int{1}, x.Shape[1:]...), Data: x.Data[i*size : (i+1)*size]}
		out, err := p.Run(t.Context(), map[string]*tensor.Tensor{"x": row}, [32]byte{})
		require.NoError(t, err)
		all.Data = append(all.Data, out[p.Wants()[0]].Data...)
	}
	all.Shape = []int{len(all.Data) / 4}
	return all.F32()
}

// interpreter is a Python with ONNX Runtime; the test is skipped without one, and where whole jobs are not asked for.
func interpreter(t *testing.T) string {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" || testing.Short() {
		t.Skip("skipped: whole networks against ONNX Runtime, which ASSAY_PYTHON has")
	}
	return python
}

// pages are n drawn pages of h x w pixels, as a text detector takes them: channels first, (x/255 - mean)/std. Each has lines
// of random words in sizes of 14 to 40 pixels, dark on light or light on dark, over a gradient.
func pages(t testing.TB, n, h, w int) *tensor.Tensor {
	parsed, err := opentype.Parse(goregular.TTF)
	require.NoError(t, err)
	x, r := tensor.New(tensor.Float32, n, 3, h, w), rand.New(rand.NewPCG(11, 12))
	for i := range n {
		img := page(t, parsed, r, h, w)
		for c := range 3 {
			mean, std := []float32{.485, .456, .406}[c], []float32{.229, .224, .225}[c]
			for p := range h * w {
				x.F32()[(i*3+c)*h*w+p] = (float32(img.Pix[4*p+c])/255 - mean) / std
			}
		}
	}
	return x
}

// page draws one.
func page(t testing.TB, parsed *opentype.Font, r *rand.Rand, h, w int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	base, slope := 140+r.IntN(100), r.IntN(3)
	ink := color.RGBA{uint8(r.IntN(60)), uint8(r.IntN(60)), uint8(r.IntN(60)), 255}
	if r.IntN(4) == 0 {
		base, ink = 10+r.IntN(60), color.RGBA{220, uint8(180 + r.IntN(70)), 230, 255}
	}
	for p := range h * w {
		v := uint8(base + slope*8*(p%w)/w)
		img.SetRGBA(p%w, p/w, color.RGBA{v, v, v - uint8(r.IntN(4)), 255})
	}
	for y := 8; y < h; {
		size := 14 + r.IntN(27)
		face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
		require.NoError(t, err)
		d := font.Drawer{Dst: draw.Image(img), Src: image.NewUniform(ink), Face: face, Dot: fixed.P(8+r.IntN(w/4), y+size)}
		for range 1 + r.IntN(5) {
			word := strings.Map(func(rune) rune { return rune('a' + r.IntN(26)) }, strings.Repeat("x", 2+r.IntN(8)))
			d.DrawString(word + " ")
		}
		require.NoError(t, face.Close())
		y += size + 6 + r.IntN(40)
	}
	return img
}
