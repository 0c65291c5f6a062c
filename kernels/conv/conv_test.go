package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

func square(n, hw, c, oc, k, stride, pad, group int) Geometry {
	return Geometry{Batch: n, H: hw, W: hw, C: c, OC: oc, KH: k, KW: k, StrideH: stride, StrideW: stride,
		DilationH: 1, DilationW: 1, PadTop: pad, PadLeft: pad, PadBottom: pad, PadRight: pad, Group: group}
}

// geometries has one line for each way through the code, then random ones.
func geometries(r *rand.Rand) []Geometry {
	gs := []Geometry{
		square(2, 5, 8, 20, 1, 1, 0, 1),   // pixels as they lie
		square(1, 9, 7, 5, 1, 2, 0, 1),    // strided pixels, depth not a multiple of four
		square(2, 7, 5, 33, 3, 1, 1, 1),   // two lines in a tile
		square(1, 17, 3, 8, 3, 2, 1, 1),   // first layer
		square(1, 17, 3, 8, 3, 2, 0, 1),   // first layer without padding
		square(1, 30, 3, 4, 5, 3, 2, 1),   // longer line
		square(2, 4, 6, 10, 3, 1, 1, 1),   // gathered
		square(1, 6, 9, 12, 3, 2, 1, 3),   // groups, gathered
		square(2, 13, 17, 40, 3, 1, 1, 1), // bytes gathered, floats in lines
		square(1, 15, 32, 34, 3, 1, 1, 2), // the same in groups
		square(1, 10, 12, 18, 3, 1, 1, 3), // groups
		square(1, 8, 8, 8, 1, 1, 0, 2),    // groups of pixels
		square(1, 9, 4, 8, 3, 1, 1, 4),    // two outputs for each input channel
		square(1, 9, 1, 1, 3, 1, 1, 1),    // one channel
		square(2, 8, 16, 16, 3, 1, 1, 16), // depthwise
		square(1, 9, 70, 70, 3, 2, 1, 70), // depthwise, odd channels
		square(1, 9, 130, 130, 5, 1, 2, 130),
		square(1, 11, 17, 17, 5, 2, 2, 17),
		square(1, 12, 8, 8, 3, 1, 1, 8),
		square(1, 23, 16, 16, 3, 2, 1, 16), // vectors of pixels that lie apart
		square(2, 21, 32, 32, 5, 3, 1, 32),
		square(1, 12, 32, 32, 7, 1, 3, 32),
		square(1, 3, 24, 24, 3, 1, 4, 24), // more padding than picture
		square(1, 3, 4, 5, 3, 1, 4, 1),
		{Batch: 2, H: 1, W: 40, C: 6, OC: 7, KH: 1, KW: 5, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
			PadLeft: 2, PadRight: 2, Group: 1}, // one dimension
		{Batch: 1, H: 12, W: 12, C: 4, OC: 9, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilationH: 2, DilationW: 2,
			PadTop: 2, PadLeft: 2, PadBottom: 2, PadRight: 2, Group: 1},
		{Batch: 1, H: 13, W: 9, C: 32, OC: 32, KH: 3, KW: 3, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1,
			PadBottom: 1, PadRight: 1, Group: 32},
		{Batch: 1, H: 20, W: 16, C: 16, OC: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilationH: 3, DilationW: 2,
			PadTop: 1, PadLeft: 2, PadBottom: 3, PadRight: 0, Group: 16},
	}
	gs = append(append(append(gs, emptyGeometries()...), sidedGeometries()...), firstGeometries()...)
	for c := 1; c <= 34; c++ { // every tail of channels, depthwise
		gs = append(gs, square(1, 6, c, c, 3, 1+c%2, 1, c))
	}
	gs = append(append(gs, lineGeometries()...), slideGeometries()...)
	for range 60 {
		gs = append(gs, randomGeometry(r))
	}
	return gs
}

// emptyGeometries have no picture, or pictures of padding alone, wider than one vector and narrower, for each kind of kernel.
func emptyGeometries() (gs []Geometry) {
	for _, c := range []int{5, 16, 32, 64, 130} {
		for _, stride := range []int{1, 2} {
			gs = append(gs, square(0, 9, c, c, 3, stride, 1, c), square(0, 9, c, c, 5, stride, 0, c), square(2, 0, c, c, 3, stride, 4, c))
		}
		gs = append(gs, square(1, 0, c, c, 4, 1, 3, c), square(0, 9, c, 7, 3, 1, 1, 1), square(0, 9, c, 7, 1, 1, 0, 1), square(1, 0, c, 7, 3, 2, 4, 1))
		flat := square(1, 6, c, c, 3, 1, 2, c)
		flat.W = 0
		gs = append(gs, flat)
	}
	return gs
}

func randomGeometry(r *rand.Rand) Geometry {
	for {
		group := 1 + r.IntN(3)
		g := Geometry{Batch: 1 + r.IntN(2), H: 1 + r.IntN(18), W: 1 + r.IntN(24), C: group * (1 + r.IntN(9)),
			OC: group * (1 + r.IntN(20)), KH: 1 + r.IntN(4), KW: 1 + r.IntN(4), StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3),
			DilationH: 1 + r.IntN(2), DilationW: 1 + r.IntN(2), PadTop: r.IntN(3), PadLeft: r.IntN(3), PadBottom: r.IntN(3),
			PadRight: r.IntN(3), Group: group}
		if r.IntN(3) == 0 {
			g.C = 1 + r.IntN(80)
			g.OC, g.Group = g.C, g.C
		}
		if g.Check() == nil {
			return g
		}
	}
}

// taps calls f with the index of what each tap of output (n, y, x, o) reads, -1 for padding, and of its weight.
func taps(g Geometry, n, y, x, o int, f func(src, w int)) {
	cg := g.C / g.Group
	q := o / (g.OC / g.Group)
	for ky := range g.KH {
		for kx := range g.KW {
			iy, ix := y*g.StrideH+ky*g.DilationH-g.PadTop, x*g.StrideW+kx*g.DilationW-g.PadLeft
			for c := range cg {
				src := -1
				if iy >= 0 && iy < g.H && ix >= 0 && ix < g.W {
					src = ((n*g.H+iy)*g.W+ix)*g.C + q*cg + c
				}
				f(src, ((o*cg+c)*g.KH+ky)*g.KW+kx)
			}
		}
	}
}

// outputs calls f for each output element.
func outputs(g Geometry, f func(i, n, y, x, o int)) {
	i := 0
	for n := range g.Batch {
		for y := range g.OutH() {
			for x := range g.OutW() {
				for o := range g.OC {
					f(i, n, y, x, o)
					i++
				}
			}
		}
	}
}

func floats(r *rand.Rand, n int, odd bool) []float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN()), 1e-40}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
		if odd && r.IntN(60) == 0 {
			v[i] = special[r.IntN(len(special))]
		}
	}
	return v
}

var clamps = []numeric.Clamp{{}, numeric.Relu(), {On: true, Lo: 0, Hi: 6}, {On: true, Lo: -1, Hi: float32(math.Copysign(0, -1))}}

func eachTier(t *testing.T, f func(t *testing.T)) {
	for _, tr := range tier.Supported() {
		t.Run(tr.String(), func(t *testing.T) {
			defer tier.Force(tr)()
			f(t)
		})
	}
}

// garbage is scratch whose content is not 0, at the end of a page.
func garbage(t *testing.T, n int) []byte {
	s := guard.Slice[uint8](t, n)
	for i := range s {
		s[i] = 0xee
	}
	return s
}

func TestF32IsOneChain(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for i, g := range geometries(r) {
			require.NoError(t, g.Check())
			src := guard.Copy(t, floats(r, g.Batch*g.H*g.W*g.C, i%2 == 0))
			w, bias := floats(r, g.OC*(g.C/g.Group)*g.KH*g.KW, i%4 == 0), floats(r, g.OC, true)
			act := clamps[i%len(clamps)]
			p, err := PackF32(g, w, bias)
			require.NoError(t, err)
			dst := guard.Slice[float32](t, g.Batch*g.OutH()*g.OutW()*g.OC)
			p.Run(dst, src, g, act, garbage(t, p.Scratch(g)))
			outputs(g, func(j, n, y, x, o int) {
				want := bias[o]
				taps(g, n, y, x, o, func(s, k int) {
					v := float32(0)
					if s >= 0 {
						v = src[s]
					}
					want = numeric.FMA32(v, w[k], want)
				})
				want = act.Apply(want)
				if math.Float32bits(want) != math.Float32bits(dst[j]) {
					require.Failf(t, "bits differ", "case %d, %+v, %v: [%d %d %d %d] is %g, want %g", i, g, act, n, y, x, o, dst[j], want)
				}
			})
		}
	})
}

func TestI8IsExact(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for i, g := range geometries(r) {
			src, w := guard.Slice[uint8](t, g.Batch*g.H*g.W*g.C), make([]int8, g.OC*(g.C/g.Group)*g.KH*g.KW)
			for j := range src {
				src[j] = uint8(r.IntN(256))
			}
			for j := range w {
				w[j] = int8(r.IntN(256))
			}
			bias := make([]int32, g.OC)
			for j := range bias {
				bias[j] = int32(r.IntN(4000) - 2000)
			}
			wZero := [][]int8{nil, {0}, {int8(r.IntN(256))}}[i%3]
			xZero := uint8(r.IntN(256))
			mult, yZero := guard.Slice[float32](t, 1+i%2*(g.OC-1)), int32(r.IntN(256))
			for j := range mult {
				mult[j] = float32(math.Exp(-4 - 6*r.Float64()))
			}
			switch {
			case i%5 == 0:
				yZero, mult[0] = 0, 0.25
			case i%7 == 0:
				mult[len(mult)-1] = 1e9 // beyond int32
			}
			rq := numeric.NewRequant(mult, yZero)
			p, err := PackI8(g, w, bias, wZero)
			require.NoError(t, err)
			dst := guard.Slice[uint8](t, g.Batch*g.OutH()*g.OutW()*g.OC)
			p.Run(dst, src, g, xZero, rq, garbage(t, p.Scratch(g)))
			zero := 0
			if wZero != nil {
				zero = int(wZero[0])
			}
			outputs(g, func(j, n, y, x, o int) {
				acc := int(bias[o])
				taps(g, n, y, x, o, func(s, k int) {
					if s >= 0 {
						acc += (int(src[s]) - int(xZero)) * (int(w[k]) - zero)
					}
				})
				if want := rq.At(int32(acc), o); dst[j] != want {
					require.Failf(t, "differ", "case %d, %+v: [%d %d %d %d] is %d, want %d", i, g, n, y, x, o, dst[j], want)
				}
			})
		}
	})
}

func TestRunAllocatesNothing(t *testing.T) {
	for _, g := range []Geometry{square(1, 9, 5, 20, 3, 1, 1, 1), square(1, 9, 20, 20, 3, 1, 1, 20), square(1, 4, 6, 6, 3, 1, 1, 2)} {
		f, err := PackF32(g, make([]float32, g.OC*(g.C/g.Group)*9), nil)
		require.NoError(t, err)
		q, err := PackI8(g, make([]int8, g.OC*(g.C/g.Group)*9), nil, nil)
		require.NoError(t, err)
		fs, fd := make([]float32, g.H*g.W*g.C), make([]float32, g.OutH()*g.OutW()*g.OC)
		qs, qd := make([]uint8, len(fs)), make([]uint8, len(fd))
		scratch := make([]byte, max(f.Scratch(g), q.Scratch(g)))
		rq := numeric.NewRequant([]float32{0.1}, 0)
		eachTier(t, func(t *testing.T) {
			require.Zero(t, testing.AllocsPerRun(5, func() {
				f.Run(fd, fs, g, numeric.Relu(), scratch)
				q.Run(qd, qs, g, 3, rq, scratch)
			}))
		})
	}
}

func TestErrorsNameTheSize(t *testing.T) {
	g := square(1, 5, 6, 6, 3, 1, 1, 2)
	_, err := PackF32(g, make([]float32, 5), nil)
	require.EqualError(t, err, "convolution weights have 5 elements: 6 x 3 x 3 x 3 make 162")
	_, err = PackI8(g, make([]int8, 162), make([]int32, 2), nil)
	require.EqualError(t, err, "convolution bias has 2 elements for 6 output channels")
	_, err = PackI8(g, make([]int8, 162), nil, make([]int8, 4))
	require.EqualError(t, err, "convolution weights have 4 zero points: want none, 1 or one for each of 6 channels")
	for change, want := range map[string]struct {
		f func(*Geometry)
		s string
	}{
		"group":  {func(g *Geometry) { g.Group = 4 }, "convolution of 6 to 6 channels in 4 groups: the groups must divide both"},
		"stride": {func(g *Geometry) { g.StrideW = 0 }, "convolution strides 1x0, dilations 1x1: they must be positive"},
		"kernel": {func(g *Geometry) { g.KH = 0 }, "convolution of 6 to 6 channels with a 0x3 kernel: sizes must be positive"},
		"pad":    {func(g *Geometry) { g.PadTop = -1 }, "convolution pads -1, 1, 1, 1: a pad is negative: crop the input first"},
		"small":  {func(g *Geometry) { g.DilationH = 4 }, "convolution kernel 3x3 with dilation 4x1 covers 9x3, more than the padded input 7x7 (5x5 with pads 1, 1, 1, 1)"},
		"batch":  {func(g *Geometry) { g.Batch = -1 }, "convolution input -1x5x5: a size is negative"},
	} {
		t.Run(change, func(t *testing.T) {
			g := g
			want.f(&g)
			require.EqualError(t, g.Check(), want.s)
		})
	}
}
