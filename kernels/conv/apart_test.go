package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
)

// TestPixelsApart demands the bits of a dense output in pixels that lie apart, and that nothing between them changes. The
// output ends with the channels of its last pixel, at a page without access.
func TestPixelsApart(t *testing.T) {
	const untouched = 12345
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for i, g := range geometries(r) {
			if g.depthwise() || g.Batch == 0 {
				continue
			}
			src := floats(r, g.Batch*g.H*g.W*g.C, i%2 == 0)
			p, err := PackF32(g, floats(r, g.OC*(g.C/g.Group)*g.KH*g.KW, false), floats(r, g.OC, true))
			require.NoError(t, err)
			require.True(t, p.TakesApart())
			act, pixels := clamps[i%len(clamps)], g.Batch*g.OutH()*g.OutW()
			want := make([]float32, pixels*g.OC)
			p.Run(want, src, g, act, garbage(t, p.Scratch(g)))

			g.Apart = g.OC + []int{0, 1, 16, 37}[i%4]
			dst := guard.Slice[float32](t, (pixels-1)*g.Apart+g.OC)
			for j := range dst {
				dst[j] = untouched
			}
			p.Run(dst, src, g, act, garbage(t, p.Scratch(g)))
			for j, v := range dst {
				expect := float32(untouched)
				if c := j % g.Apart; c < g.OC {
					expect = want[j/g.Apart*g.OC+c]
				}
				if math.Float32bits(v) != math.Float32bits(expect) {
					require.Failf(t, "bits differ", "%+v: element %d is %v, not %v", g, j, v, expect)
				}
			}
		}
	})
}

// TestBytesOfPixelsApart is the same for integers.
func TestBytesOfPixelsApart(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 7))
		for i, g := range geometries(r) {
			if g.depthwise() || g.Batch == 0 {
				continue
			}
			src, w := guard.Slice[uint8](t, g.Batch*g.H*g.W*g.C), make([]int8, g.OC*(g.C/g.Group)*g.KH*g.KW)
			for j := range src {
				src[j] = uint8(r.IntN(256))
			}
			for j := range w {
				w[j] = int8(r.IntN(256))
			}
			p, err := PackI8(g, w, nil, nil)
			require.NoError(t, err)
			require.True(t, p.TakesApart())
			rq := numeric.NewRequant([]float32{0.001}, 90)
			pixels := g.Batch * g.OutH() * g.OutW()
			want := make([]uint8, pixels*g.OC)
			p.Run(want, src, g, 7, rq, garbage(t, p.Scratch(g)))

			g.Apart = g.OC + []int{0, 1, 16, 37}[i%4]
			dst := guard.Slice[uint8](t, (pixels-1)*g.Apart+g.OC)
			p.Run(dst, src, g, 7, rq, garbage(t, p.Scratch(g)))
			for j, v := range dst {
				expect := uint8(0)
				if c := j % g.Apart; c < g.OC {
					expect = want[j/g.Apart*g.OC+c]
				}
				if v != expect {
					require.Failf(t, "bytes differ", "%+v: element %d is %v, not %v", g, j, v, expect)
				}
			}
		}
	})
}

func TestDepthwiseTakesNoPixelsApart(t *testing.T) {
	g := Geometry{Batch: 1, H: 4, W: 4, C: 8, OC: 8, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Group: 8}
	p, err := PackF32(g, make([]float32, 72), nil)
	require.NoError(t, err)
	require.False(t, p.TakesApart())
}
