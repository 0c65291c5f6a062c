package quantize

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"

	"github.com/stretchr/testify/require"
)

type golden struct {
	Quantize []struct {
		Signed  bool
		Y       [2]float64
		In, Out string
	}
	Tables []struct {
		Op     string
		Signed bool
		X, Y   [2]float64
		Alpha  float32
		Out    string
	}
}

// load reads what ONNX Runtime computed; testdata/golden.py writes it.
func load(t *testing.T) golden {
	b, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(b, &g))
	require.NotEmpty(t, g.Quantize)
	require.NotEmpty(t, g.Tables)
	return g
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func affine(p [2]float64) numeric.Affine {
	return numeric.Affine{Scale: float32(p[0]), Zero: int32(p[1])}
}

func TestQuantizeIsONNXRuntimes(t *testing.T) { eachTier(t, quantizeIsONNXRuntimes) }

func quantizeIsONNXRuntimes(t *testing.T) {
	for i, c := range load(t).Quantize {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			raw, want := unhex(t, c.In), unhex(t, c.Out)
			src := make([]float32, len(want))
			for k := range src {
				src[k] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*k:]))
			}
			got := make([]uint8, len(src))
			if c.Signed {
				s8 := make([]int8, len(src))
				Quantize(s8, src, affine(c.Y))
				for k, v := range s8 {
					got[k] = uint8(v)
				}
			} else {
				Quantize(got, src, affine(c.Y))
			}
			for k := range want {
				require.Equalf(t, want[k], got[k], "%v (%x) at %v", src[k], math.Float32bits(src[k]), c.Y)
			}
		})
	}
}

func TestTablesAreONNXRuntimes(t *testing.T) {
	functions := map[string]func(alpha float32) func(float32) float32{
		"QLinearSigmoid": func(float32) func(float32) float32 { return numeric.Sigmoid },
		"QLinearLeakyRelu": func(alpha float32) func(float32) float32 {
			return func(x float32) float32 {
				if x < 0 {
					return x * alpha
				}
				return x
			}
		},
		"QLinearConcat": func(float32) func(float32) float32 { return nil },
	}
	for i, c := range load(t).Tables {
		t.Run(fmt.Sprintf("%d %s", i, c.Op), func(t *testing.T) {
			got := Table(Side{affine(c.X), c.Signed}, Side{affine(c.Y), c.Signed}, functions[c.Op](c.Alpha))
			require.Equal(t, c.Out, hex.EncodeToString(got[:]))
		})
	}
}

func TestAxisUsesItsOwnParameters(t *testing.T) { eachTier(t, axisUsesItsOwnParameters) }

func axisUsesItsOwnParameters(t *testing.T) {
	a := []numeric.Affine{{Scale: 1}, {Scale: 2, Zero: 10}, {Scale: 0.5, Zero: -3}}
	src := []float32{1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6}
	got := make([]int8, 12)
	QuantizeAxis(got, src, 2, 2, a)
	require.Equal(t, []int8{1, 2, 12, 12, 7, 9, -1, -2, 8, 8, -13, -15}, got)
	back := make([]float32, 12)
	DequantizeAxis(back, got, 2, 2, a)
	require.Equal(t, []float32{1, 2, 4, 4, 5, 6, -1, -2, -4, -4, -5, -6}, back)
	require.NotPanics(t, func() { QuantizeAxis(got[:0], src[:0], 0, 2, a) })
}

func TestWideLevels(t *testing.T) { eachTier(t, wideLevels) }

func wideLevels(t *testing.T) {
	u16 := make([]uint16, 4)
	Quantize(u16, []float32{-1, 0.5, 70000, 65534.5}, numeric.Affine{Scale: 1})
	require.Equal(t, []uint16{0, 0, 65535, 65534}, u16)
	s16 := make([]int16, 3)
	Quantize(s16, []float32{-40000, 1.5, 40000}, numeric.Affine{Scale: 1, Zero: 1})
	require.Equal(t, []int16{-32768, 3, 32767}, s16)
	f := make([]float32, 2)
	Dequantize(f, []int32{1<<24 + 1, -5}, numeric.Affine{Scale: 2})
	require.Equal(t, []float32{1 << 25, -10}, f)
	Dequantize(f, []int8{-128, 127}, numeric.Affine{Scale: 0.5, Zero: -128})
	require.Equal(t, []float32{0, 127.5}, f)
}

// TestQuantizeOfEveryLength compares whole rows in every tier with single elements, and dequantizes them again.
func TestQuantizeOfEveryLength(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for n := range 100 {
			src, u, s := guard.Slice[float32](t, n), guard.Slice[uint8](t, n), guard.Slice[int8](t, n)
			fu, fs := guard.Slice[float32](t, n), guard.Slice[float32](t, n)
			for i := range src {
				src[i] = float32(i*i%517)*0.37 - 60
			}
			a, b := numeric.Affine{Scale: 0.7, Zero: 111}, numeric.Affine{Scale: 0.31, Zero: -17}
			Quantize(u, src, a)
			Quantize(s, src, b)
			Dequantize(fu, u, a)
			Dequantize(fs, s, b)
			for i, v := range src {
				require.Equal(t, uint8(a.Level(v, 0, 255)), u[i])
				require.Equal(t, int8(b.Level(v, -128, 127)), s[i])
				require.Equal(t, a.Real(int32(u[i])), fu[i])
				require.Equal(t, b.Real(int32(s[i])), fs[i])
			}
		}
	})
}

// TestNaNIsCanonical: an infinite scale, which no calibration makes, gives NaN of the zero point in rows and behind them; NaN has the
// lowest level.
func TestNaNIsCanonical(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, n := range []int{1, 7, 8, 35} {
			levels, words, dst := make([]uint8, n), make([]int32, n), make([]float32, n)
			for i := range levels {
				levels[i], words[i] = 9, 9
			}
			a := numeric.Affine{Scale: float32(math.Inf(1)), Zero: 9}
			for _, run := range []func(){func() { Dequantize(dst, levels, a) }, func() { Dequantize(dst, words, a) }} {
				run()
				for _, v := range dst {
					require.Equal(t, uint32(0x7fc00000), math.Float32bits(v), "%d elements", n)
				}
			}
			s := make([]int8, n)
			Quantize(s, dst, numeric.Affine{Scale: 1, Zero: 5})
			for _, v := range s {
				require.Equal(t, int8(-128), v)
			}
		}
	})
}

// TestRestStays: dst may be longer than src, and elements behind a src that ends within an axis keep what they were.
func TestRestStays(t *testing.T) {
	dst := []uint8{1, 2, 3, 4, 5, 6}
	Quantize(dst, []float32{9, 9}, numeric.Affine{Scale: 1})
	require.Equal(t, []uint8{9, 9, 3, 4, 5, 6}, dst)
	QuantizeAxis(dst, []float32{7, 7, 7, 7, 7}, 1, 2, []numeric.Affine{{Scale: 1}, {Scale: 7}, {Scale: 1}})
	require.Equal(t, []uint8{7, 7, 1, 1, 5, 6}, dst)
}

func BenchmarkQuantize(b *testing.B) {
	src, dst := make([]float32, 1<<14), make([]uint8, 1<<14)
	for i := range src {
		src[i] = float32(i%400) * 0.37
	}
	b.Run("quantize", func(b *testing.B) {
		b.SetBytes(1 << 14)
		for b.Loop() {
			Quantize(dst, src, numeric.Affine{Scale: 0.3, Zero: 9})
		}
	})
	b.Run("dequantize", func(b *testing.B) {
		b.SetBytes(1 << 14)
		for b.Loop() {
			Dequantize(src, dst, numeric.Affine{Scale: 0.3, Zero: 9})
		}
	})
}
