//go:build !noasm && amd64

package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// winogradCase is a convolution in transformed form and what it is given.
type winogradCase struct {
	g     Geometry
	w     []int8
	bias  []int32
	zeros []int8
	src   []uint8
	xZero uint8
	rq    numeric.Requant
}

// newWinogradCase draws pixels and weights of a geometry.
func newWinogradCase(r *rand.Rand, g Geometry) winogradCase {
	c := winogradCase{g: g, w: make([]int8, g.OC*g.C*9), bias: make([]int32, g.OC), src: make([]uint8, g.Batch*g.H*g.W*g.C), xZero: uint8(r.Uint32())}
	for i := range c.w {
		c.w[i] = int8(r.Uint32())
	}
	for i := range c.bias {
		c.bias[i] = int32(r.IntN(1<<16) - 1<<15)
	}
	for i := range c.src {
		c.src[i] = uint8(r.Uint32())
	}
	mult := make([]float32, []int{1, g.OC}[r.IntN(2)])
	for i := range mult {
		mult[i] = r.Float32() / float32(40*g.C)
	}
	c.rq = numeric.NewRequant(mult, int32(r.IntN(2)*r.IntN(256)))
	return c
}

// want is what dense kernels of the plain tier give.
func (c *winogradCase) want(t *testing.T) []uint8 {
	defer tier.Force(tier.Plain)()
	p, err := PackI8(c.g, c.w, c.bias, c.zeros)
	require.NoError(t, err)
	require.Nil(t, p.tiled)
	dst := make([]uint8, c.size())
	p.Run(dst, c.src, c.g, c.xZero, c.rq, make([]byte, p.Scratch(c.g)))
	return dst
}

func (c *winogradCase) size() int {
	return (c.g.Batch*c.g.OutH()*c.g.OutW()-1)*c.g.apart() + c.g.OC
}

// got runs the transformed form with groups of most panels, in buffers that end at pages without access.
func (c *winogradCase) got(t *testing.T, most int) []uint8 {
	p := packWinograd(c.g, c.w, c.bias, c.zero, most)
	require.NotNil(t, p)
	p.u = guard.Copy(t, p.u)
	dst := guard.Slice[uint8](t, c.size())
	p.run(dst, guard.Copy(t, c.src), c.g, c.xZero, c.rq, garbage(t, p.scratch(c.g)))
	return dst
}

func (c *winogradCase) zero(n int) int {
	if len(c.zeros) == 0 {
		return 0
	}
	return int(c.zeros[n%len(c.zeros)])
}

// eachWinogradTier runs f on every tier that has the kernels.
func eachWinogradTier(t *testing.T, f func(t *testing.T)) {
	eachTier(t, func(t *testing.T) {
		if k := winogradTiers[min(int(tier.Current()), len(winogradTiers)-1)]; k.panels == 0 {
			t.Skipf("tier %s has no kernels for transformed convolutions", tier.Current())
		}
		f(t)
	})
}

// TestWinogradIsExact compares the transformed form with dense kernels byte by byte: every height and width of a few tiles, odd paddings, channels
// that fill no vector of 32, output channels of every group of panels and, where masks allow it, of every tail.
func TestWinogradIsExact(t *testing.T) {
	eachWinogradTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		for i := range 80 {
			g := square(1+r.IntN(3), 1+i%14, 16*(1+r.IntN(6)), 16*(1+r.IntN(9)), 3, 1, 0, 1)
			g.W = 1 + r.IntN(14)
			g.PadTop, g.PadLeft, g.PadBottom, g.PadRight = r.IntN(4), r.IntN(4), r.IntN(4), r.IntN(4)
			if tier.Current() == tier.AVX512VNNI && i%3 == 0 {
				g.OC = 1 + r.IntN(140)
			}
			if i%5 == 0 {
				g.Apart = g.OC + 16*r.IntN(3) + r.IntN(9)
			}
			if g.Check() != nil {
				continue
			}
			c := newWinogradCase(r, g)
			if i%4 == 0 {
				c.zeros = []int8{int8(r.Uint32())}
			}
			want := c.want(t)
			for most := 1; most <= winogradWide; most *= 2 {
				require.Equal(t, want, c.got(t, most), "case %d, %d panels together: %+v", i, most, g)
			}
		}
	})
}

// TestWinogradSumsAtTheirBound has the largest words and sums there are: all weights and pixels at their limits, in signs that add up in single
// places of a tile, with as many channels as packing takes, and with more, which it refuses.
func TestWinogradSumsAtTheirBound(t *testing.T) {
	signs := map[string]func(k int) bool{
		"one":     func(int) bool { return true },
		"taps":    func(k int) bool { return k%2 == 0 },
		"columns": func(k int) bool { return k%3 != 1 },
		"lines":   func(k int) bool { return k/3 != 1 },
	}
	pixels := map[string]func(y, x int) bool{
		"one":     func(int, int) bool { return true },
		"chess":   func(y, x int) bool { return (y+x)%2 == 0 },
		"columns": func(_, x int) bool { return x%4 < 2 },
		"tiles":   func(y, x int) bool { return (y%4 < 2) != (x%4 < 2) },
	}
	eachWinogradTier(t, func(t *testing.T) {
		for _, zero := range []int8{0, -128} {
			for sign, positive := range signs {
				for pattern, bright := range pixels {
					g := square(1, 9, 224, 16, 3, 1, 1, 1)
					if zero != 0 {
						g.C = 112
					}
					c := newWinogradCase(rand.New(rand.NewPCG(1, 2)), g)
					c.zeros = []int8{zero}
					for i := range c.w {
						c.w[i] = 127
						if !positive(i%9) && zero == 0 {
							c.w[i] = -127
						} else if !positive(i % 9) {
							c.w[i] = -128
						}
					}
					for i := range c.src {
						c.src[i] = 0
						if bright(i/g.C/g.W, i/g.C%g.W) {
							c.src[i] = 255
						}
					}
					c.rq = numeric.NewRequant([]float32{1e-6}, 128)
					require.Equal(t, c.want(t), c.got(t, 1), "weights %s less %d, pixels %s", sign, zero, pattern)
				}
			}
		}
		g := square(1, 9, 240, 16, 3, 1, 1, 1)
		c := newWinogradCase(rand.New(rand.NewPCG(1, 2)), g)
		for i := range c.w[8*g.C*9 : 9*g.C*9] {
			c.w[8*g.C*9+i] = -127
		}
		require.Nil(t, packWinograd(g, c.w, c.bias, c.zero, 1), "a sum of 128*127*9*240")
	})
}

// TestWinogradBlocks has more tiles than a block takes, over several pictures and an odd end.
func TestWinogradBlocks(t *testing.T) {
	eachWinogradTier(t, func(t *testing.T) {
		for _, g := range []Geometry{square(3, 23, 16, 80, 3, 1, 1, 1), square(1, 50, 32, 16, 3, 1, 1, 1), square(5, 9, 256, 32, 3, 1, 1, 1)} {
			c := newWinogradCase(rand.New(rand.NewPCG(5, 6)), g)
			require.Greater(t, newWinogradCall(&winograd{}, g).blocks, 1)
			require.Equal(t, c.want(t), c.got(t, winogradWide), "%+v", g)
		}
	})
}

// TestRunTakesTheTransformedForm demands it where it gains, and dense kernels where multipliers or pictures ask for them.
func TestRunTakesTheTransformedForm(t *testing.T) {
	eachWinogradTier(t, func(t *testing.T) {
		g := square(2, 16, 64, 64, 3, 1, 1, 1)
		c := newWinogradCase(rand.New(rand.NewPCG(7, 8)), g)
		p, err := PackI8(g, c.w, c.bias, nil)
		require.NoError(t, err)
		require.True(t, p.tiles(g))
		require.Contains(t, Form(g), fmt.Sprint("u8s8_winograd_", tier.Current()))
		require.Greater(t, p.Bytes(), 36*64*64*2, "both forms are held")
		scratch, dst := garbage(t, p.Scratch(g)), make([]uint8, c.size())
		require.Zero(t, testing.AllocsPerRun(3, func() { p.Run(dst, c.src, g, c.xZero, c.rq, scratch) }))
		require.Equal(t, c.want(t), dst)
		c.rq = numeric.NewRequant([]float32{1.5}, 7)
		p.Run(dst, c.src, g, c.xZero, c.rq, scratch)
		require.Equal(t, c.want(t), dst, "a multiplier of 1 and more")

		for name, change := range map[string]func(g *Geometry){
			"stride": func(g *Geometry) { g.StrideW = 2 }, "dilation": func(g *Geometry) { g.DilationH = 2 }, "groups": func(g *Geometry) { g.Group = 2 },
			"channels": func(g *Geometry) { g.C = 60 }, "kernel": func(g *Geometry) { g.KH = 5 }, "no pictures": func(g *Geometry) { g.Batch = 0 },
			"one pixel": func(g *Geometry) { g.H, g.W = 1, 1 }, "no geometry": func(g *Geometry) { g.H, g.PadTop = -1, 0 },
		} {
			g := g
			change(&g)
			require.Empty(t, Form(g), name)
		}
	})
}

// TestMet counts taps one by one.
func TestMet(t *testing.T) {
	for size := 1; size < 9; size++ {
		for before := range 5 {
			for behind := range 5 {
				n := size + before + behind - 2
				if n < 1 {
					continue
				}
				want := 0
				for i := range n {
					first, last := axis{n, size, 3, 1, 1, before}.sees(i)
					want += max(0, last-first)
				}
				require.Equal(t, want, met(n, size, before), "%d elements padded by %d and %d", size, before, behind)
			}
		}
	}
}

// FuzzWinograd draws a geometry and data from two numbers.
func FuzzWinograd(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		g := square(1+r.IntN(3), 1+r.IntN(20), tile.Panel*(1+r.IntN(5)), tile.Panel*(1+r.IntN(5)), 3, 1, r.IntN(3), 1)
		g.W, g.PadLeft, g.PadBottom = 1+r.IntN(20), r.IntN(3), r.IntN(3)
		if g.Check() != nil {
			return
		}
		c := newWinogradCase(r, g)
		want := c.want(t)
		eachWinogradTier(t, func(t *testing.T) {
			if got := c.got(t, 1<<r.IntN(3)); string(got) != string(want) {
				t.Fatalf("%+v differs from dense kernels", g)
			}
		})
	})
}
