package pool

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"assay/kernels/numeric"

	"github.com/stretchr/testify/require"
)

// taps lists the elements of one window in row-major order: the definition that the kernels are held to.
func taps[T any](src []T, w Window, n, oy, ox, c int) (in []T, positions int) {
	for ky := range w.KH {
		for kx := range w.KW {
			y, x := oy*w.StrideH-w.PadTop+ky*w.DilationH, ox*w.StrideW-w.PadLeft+kx*w.DilationW
			if y < w.H+w.PadBottom && x < w.W+w.PadRight {
				positions++
			}
			if y >= 0 && y < w.H && x >= 0 && x < w.W {
				in = append(in, src[((n*w.H+y)*w.W+x)*w.C+c])
			}
		}
	}
	return in, positions
}

// windows are geometries around every border, with channels around the blocks and words of the kernels.
func windows() []Window {
	var all []Window
	base := Window{Batch: 2, H: 6, W: 7, KH: 3, KW: 2, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadRight: 1, OutH: 3, OutW: 7}
	for c := 1; c < 2*block+3; c += 1 + c/20 {
		w := base
		w.C = c
		all = append(all, w)
	}
	all = append(all,
		Window{Batch: 1, H: 20, W: 20, C: 67, KH: 20, KW: 17, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, OutH: 1, OutW: 4},
		Window{Batch: 1, H: 9, W: 9, C: 3, KH: 3, KW: 3, StrideH: 2, StrideW: 3, DilationH: 2, DilationW: 3, PadTop: 2, PadLeft: 3, PadBottom: 2, PadRight: 3, OutH: 5, OutW: 4},
		Window{Batch: 1, H: 4, W: 4, C: 5, KH: 3, KW: 3, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, OutH: 2, OutW: 2}, // ceil_mode
	)
	return all
}

// each calls f for all outputs of w.
func (w Window) outputs(f func(n, oy, ox, c, at int)) {
	at := 0
	for n := range w.Batch {
		for oy := range w.OutH {
			for ox := range w.OutW {
				for c := range w.C {
					f(n, oy, ox, c, at)
					at++
				}
			}
		}
	}
}

const mark = 77 // what stands around an output

func TestFloatPoolsAreTheirDefinition(t *testing.T) { eachTier(t, floatPoolsAreTheirDefinition) }

func floatPoolsAreTheirDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i, w := range windows() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			src := make([]float32, w.Batch*w.H*w.W*w.C)
			for k := range src {
				switch v := float32(rng.NormFloat64()); rng.IntN(60) {
				case 0:
					src[k] = math.Float32frombits(0xffc00003)
				case 1:
					src[k] = float32(math.Copysign(0, -1))
				case 2:
					src[k] = float32(math.Inf(-1))
				default:
					src[k] = v
				}
			}
			n := w.Batch * w.OutH * w.OutW * w.C
			for _, mode := range []string{"max", "average", "average with padding"} {
				buf := make([]float32, n+64)
				for k := range buf {
					buf[k] = mark
				}
				dst := buf[32 : 32+n : 32+n]
				if mode == "max" {
					MaxF32(dst, src, w)
				} else {
					AverageF32(dst, src, w, mode != "average")
				}
				w.outputs(func(n, oy, ox, c, at int) {
					in, positions := taps(src, w, n, oy, ox, c)
					want := in[0]
					var sum numeric.Chain
					for _, v := range in {
						want = numeric.Max(want, v)
						sum.Add(v)
					}
					switch mode {
					case "average":
						want = numeric.Canon(sum.Sum() / float32(len(in)))
					case "average with padding":
						want = numeric.Canon(sum.Sum() / float32(positions))
					}
					require.Equalf(t, math.Float32bits(numeric.Canon(want)), math.Float32bits(dst[at]), "%s %d %d %d %d", mode, n, oy, ox, c)
				})
				for k := range 32 {
					require.Equal(t, float32(mark), buf[k])
					require.Equal(t, float32(mark), buf[32+n+k])
				}
			}
		})
	}
}

func TestMaxOfBytesIsItsDefinition(t *testing.T) { eachTier(t, maxOfBytesIsItsDefinition) }

func maxOfBytesIsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for i, w := range windows() {
		src := make([]uint8, w.Batch*w.H*w.W*w.C)
		for k := range src {
			src[k] = uint8(rng.Uint32())
		}
		n := w.Batch * w.OutH * w.OutW * w.C
		for _, signed := range []bool{false, true} {
			buf := make([]uint8, n+64)
			for k := range buf {
				buf[k] = mark
			}
			dst := buf[32 : 32+n : 32+n]
			if signed {
				MaxI8(dst, src, w)
			} else {
				MaxU8(dst, src, w)
			}
			w.outputs(func(n, oy, ox, c, at int) {
				in, _ := taps(src, w, n, oy, ox, c)
				want := in[0]
				for _, v := range in {
					if signed && int8(v) > int8(want) || !signed && v > want {
						want = v
					}
				}
				require.Equalf(t, want, dst[at], "geometry %d signed %v: %d %d %d %d", i, signed, n, oy, ox, c)
			})
			for k := range 32 {
				require.Equal(t, uint8(mark), buf[k])
				require.Equal(t, uint8(mark), buf[32+n+k])
			}
		}
	}
}

func TestGlobalAverageIsAnAverageOverTheImage(t *testing.T) {
	eachTier(t, globalAverageIsAnAverageOverTheImage)
}

func globalAverageIsAnAverageOverTheImage(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, pixels := range []int{1, 7, 49, 127, 128, 129, 300} {
		for _, c := range []int{1, 63, 64, 65, 130} {
			src := make([]float32, 2*pixels*c)
			for k := range src {
				src[k] = float32(rng.NormFloat64())
			}
			want, got := make([]float32, 2*c), make([]float32, 2*c)
			AverageF32(want, src, Window{Batch: 2, H: 1, W: pixels, C: c, KH: 1, KW: pixels, StrideH: 1, StrideW: 1, OutH: 1, OutW: 1}, false)
			GlobalAverageF32(got, src, 2, pixels, c)
			require.Equal(t, want, got)
		}
	}
}

// TestLongMeansAreChains: windows of more elements than a partial sum takes, of numbers only, in whole blocks of channels and beside
// them.
func TestLongMeansAreChains(t *testing.T) { eachTier(t, longMeansAreChains) }

func longMeansAreChains(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 6))
	for _, pixels := range []int{127, 128, 129, 256, 257, 600} {
		for _, c := range []int{1, 3, 7, 8, 9, 40, block, block + 5} {
			src := make([]float32, 2*pixels*c)
			for k := range src {
				src[k] = float32(math.Exp(3 * rng.NormFloat64()))
			}
			got, global := make([]float32, 2*c), make([]float32, 2*c)
			AverageF32(got, src, Window{Batch: 2, H: pixels, W: 1, C: c, KH: pixels, KW: 1, StrideH: 1, StrideW: 1, OutH: 1, OutW: 1}, true)
			GlobalAverageF32(global, src, 2, pixels, c)
			for i := range got {
				var sum numeric.Chain
				for p := range pixels {
					sum.Add(src[(i/c*pixels+p)*c+i%c])
				}
				require.Equal(t, sum.Sum()/float32(pixels), got[i], "%d pixels, channel %d of %d", pixels, i%c, c)
				require.Equal(t, got[i], global[i])
			}
		}
	}
	dst := []float32{1}
	GlobalAverageF32(dst, nil, 1, 0, 1)
	require.Equal(t, uint32(0x7fc00000), math.Float32bits(dst[0]), "the mean of nothing")
}

// TestMaxOfPatterns: a NaN is stored as one pattern and +0 wins, also where a window is a single element.
func TestMaxOfPatterns(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		minus := float32(math.Copysign(0, -1))
		for _, c := range []int{1, 5, 8, 19} {
			for _, x := range []struct {
				in   []float32
				want uint32
			}{
				{[]float32{math.Float32frombits(0xffc00003)}, 0x7fc00000}, {[]float32{1, math.Float32frombits(0x7f800001)}, 0x7fc00000},
				{[]float32{minus, 0}, 0}, {[]float32{0, minus}, 0}, {[]float32{minus, minus}, 0x80000000}, {[]float32{minus}, 0x80000000},
			} {
				src, dst := make([]float32, len(x.in)*c), make([]float32, c)
				for i := range src {
					src[i] = x.in[i/c]
				}
				MaxF32(dst, src, Window{Batch: 1, H: 1, W: len(x.in), C: c, KH: 1, KW: len(x.in), StrideH: 1, StrideW: 1, OutH: 1, OutW: 1})
				for _, v := range dst {
					require.Equal(t, x.want, math.Float32bits(v), "%v, %d channels", x.in, c)
				}
			}
		}
	})
}

func BenchmarkPool(b *testing.B) {
	w := Window{Batch: 1, H: 111, W: 111, C: 64, KH: 3, KW: 3, StrideH: 2, StrideW: 2, OutH: 55, OutW: 55} // SqueezeNet's first
	u, du := make([]uint8, w.H*w.W*w.C), make([]uint8, w.OutH*w.OutW*w.C)
	f, df := make([]float32, len(u)), make([]float32, len(du))
	for i := range u {
		u[i], f[i] = uint8(i*7), float32(i%100)
	}
	one := numeric.Affine{Scale: 1}
	for name, run := range map[string]func(){
		"max u8":         func() { MaxU8(du, u, w) },
		"max f32":        func() { MaxF32(df, f, w) },
		"average f32":    func() { AverageF32(df, f, w, false) },
		"average u8":     func() { NewAverage(one, one, false).Run(du, u, w, false) },
		"global u8":      func() { NewGlobalAverage(one, one, false).Run(du, u, 1, w.H*w.W, w.C) },
		"global average": func() { GlobalAverageF32(df, f, 1, w.H*w.W, w.C) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(u)))
			for b.Loop() {
				run()
			}
		})
	}
}
