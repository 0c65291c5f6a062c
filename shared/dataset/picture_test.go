package dataset

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset/jpeg"
	"assay/shared/tensor"
)

// TestPNGAndGIFAreReadAsPillowDoes: every colour type and depth, as RGB and as grey.
func TestPNGAndGIFAreReadAsPillowDoes(t *testing.T) {
	goldens, err := filepath.Glob("testdata/png/*.sha")
	require.NoError(t, err)
	require.NotEmpty(t, goldens)
	for _, golden := range goldens {
		name := golden[:len(golden)-len(".sha")]
		t.Run(filepath.Base(name), func(t *testing.T) {
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			im, err := decodePicture(b, "")
			require.NoError(t, err)
			digest := func(im *jpeg.Image) [32]byte { return sha256.Sum256(im.Pix) }
			require.Equal(t, string(want), fmt.Sprintf("%d %d %x %x\n", im.W, im.H, digest(toChannels(im, 3, "")), digest(toChannels(im, 1, ""))))
		})
	}
}

// TestOpenCVReader: the reader opencv_imread gives cv2.imread's pixels, turned as EXIF says, and OpenCV's grey.
func TestOpenCVReader(t *testing.T) {
	golden, err := os.ReadFile("testdata/opencv.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(golden)) {
		name, want, _ := strings.Cut(line, " ")
		b, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		im, err := decodePicture(b, OpenCVReader)
		require.NoError(t, err, name)
		im = im.Upright()
		digest := func(c int) [32]byte { return sha256.Sum256(toChannels(im, c, OpenCVReader).Pix) }
		require.Equal(t, want, fmt.Sprintf("%d %d %x %x\n", im.W, im.H, digest(3), digest(1)), name)
	}
}

// TestSixteenBitGreyIsRefused: the usual readers disagree about it, so neither is guessed.
func TestSixteenBitGreyIsRefused(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray16(image.Rect(0, 0, 2, 2))))
	_, err := decodePicture(b.Bytes(), "")
	require.ErrorContains(t, err, "16-bit grey PNG is not read")
}

// TestPublicData opens the shared data sets as a user would name them.
func TestPublicData(t *testing.T) {
	for name, c := range map[string]struct {
		source  Source
		samples int
		labels  []int32
	}{
		"mnist": {Source{Data: assets(t, "mnist", "t10k-images-idx3-ubyte.gz"), Labels: assets(t, "mnist", "t10k-labels-idx1-ubyte.gz"),
			Inputs: []Want{{"x", tensor.Float32, []int{1, 784, 1}}}, Prep: Prep{Affine: Affine{Scale: 255}}}, 10000, []int32{7, 2, 1, 0}},
		"imagenet": {Source{Data: assets(t, "imagenet", "images"), Labels: assets(t, "imagenet", "labels.txt"),
			Inputs: []Want{{"x", tensor.Float32, []int{-1, 3, 224, 224}}}, Prep: Prep{Usual: true}}, 250, []int32{0, 4, 8, 12}},
		"cifar10": {Source{Data: assets(t, "cifar10", "test"), Inputs: []Want{{"x", tensor.Float32, []int{-1, 32, 32, 3}}}}, 10000, []int32{0, 0, 0, 0}},
		"sts": {Source{Data: assets(t, "sts"), Inputs: []Want{
			{"input_ids", tensor.Int64, []int{-1, -1}}, {"attention_mask", tensor.Int64, []int{-1, -1}}, {"token_type_ids", tensor.Int64, []int{-1, -1}}}}, 1200, nil},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Open(t.Context(), c.source)
			require.NoError(t, err)
			require.Equal(t, c.samples, set.Len())
			if c.labels != nil {
				require.Equal(t, c.labels, set.Labels[:4])
			}
			m := memory{}
			in, faults, err := set.Select([]int{5, 3}).Build(t.Context(), m.put, nil)
			require.NoError(t, err)
			require.NoError(t, faults.Err())
			fed, err := in.Feed(t.Context(), m.get, []uint32{1, 0})
			require.NoError(t, err)
			for _, w := range c.source.Inputs {
				require.Equal(t, 2, fed[w.Name].Shape[0])
			}
		})
	}
}

// BenchmarkBuild decodes, resizes and crops photographs as a run begins.
func BenchmarkBuild(b *testing.B) {
	dir := filepath.Join("..", "..", "..", "shared", "assets", "imagenet", "images")
	p, _ := Like("imagenet-torch")
	set, err := Open(b.Context(), Source{Data: dir, Prep: p, Inputs: []Want{{"x", tensor.Float32, []int{-1, 3, 224, 224}}}})
	if err != nil {
		b.Skip("skipped: ../shared/assets is absent")
	}
	for b.Loop() {
		if _, _, err := set.Build(b.Context(), memory{}.put, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*set.Len()), "ms/picture")
}
