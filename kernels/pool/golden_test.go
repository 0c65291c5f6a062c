package pool

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"assay/kernels/numeric"

	"github.com/stretchr/testify/require"
)

type goldenCase struct {
	Kind                                         string
	Seed                                         uint32
	Shape, Kernel, Strides, Dilations, Pads, Out []int
	Signed                                       bool
	Include                                      int
	X, Y                                         [2]float64
	SHA256, Head                                 string
}

func (c goldenCase) window() Window {
	return Window{
		Batch: c.Shape[0], H: c.Shape[1], W: c.Shape[2], C: c.Shape[3], KH: c.Kernel[0], KW: c.Kernel[1],
		StrideH: c.Strides[0], StrideW: c.Strides[1], DilationH: c.Dilations[0], DilationW: c.Dilations[1],
		PadTop: c.Pads[0], PadLeft: c.Pads[1], PadBottom: c.Pads[2], PadRight: c.Pads[3], OutH: c.Out[0], OutW: c.Out[1],
	}
}

// lcg is the generator of testdata/golden.py.
func lcg(seed uint32, n int) []uint8 {
	b := make([]uint8, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = uint8(seed >> 24)
	}
	return b
}

// TestIntegersAreONNXRuntimes compares with testdata/golden.json, which testdata/golden.py writes.
func TestIntegersAreONNXRuntimes(t *testing.T) { eachTier(t, integersAreONNXRuntimes) }

func integersAreONNXRuntimes(t *testing.T) {
	var golden struct{ Cases []goldenCase }
	b, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &golden))
	require.NotEmpty(t, golden.Cases)
	for i, c := range golden.Cases {
		t.Run(fmt.Sprintf("%d %s", i, c.Kind), func(t *testing.T) {
			w := c.window()
			src := lcg(c.Seed, w.Batch*w.H*w.W*w.C)
			dst := make([]uint8, w.Batch*w.OutH*w.OutW*w.C)
			x, y := numeric.Affine{Scale: float32(c.X[0]), Zero: int32(c.X[1])}, numeric.Affine{Scale: float32(c.Y[0]), Zero: int32(c.Y[1])}
			switch c.Kind {
			case "max u8":
				MaxU8(dst, src, w)
			case "max i8":
				MaxI8(dst, src, w)
			case "max f32":
				dst = maxFloatBytes(src, w)
			case "average":
				NewAverage(x, y, c.Signed).Run(dst, src, w, c.Include == 1)
			case "global":
				NewGlobalAverage(x, y, c.Signed).Run(dst, src, w.Batch, w.H*w.W, w.C)
			default:
				require.Fail(t, "unknown kind")
			}
			require.Equal(t, c.Head, hex.EncodeToString(dst[:len(c.Head)/2]))
			require.Equal(t, c.SHA256, fmt.Sprintf("%x", sha256.Sum256(dst)))
		})
	}
}

func maxFloatBytes(src []uint8, w Window) []uint8 {
	in, out := make([]float32, len(src)), make([]float32, w.Batch*w.OutH*w.OutW*w.C)
	for i, v := range src {
		in[i] = float32(v) - 128
	}
	MaxF32(out, in, w)
	var b []uint8
	for _, v := range out {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
