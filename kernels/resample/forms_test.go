package resample

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// awkward has zeros of both signs, infinities and a NaN among n numbers.
func awkward(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		switch v[i] = float32(rng.NormFloat64()); rng.IntN(40) {
		case 0:
			v[i] = float32(math.Copysign(0, -1))
		case 1:
			v[i] = float32(math.Inf(1 - 2*rng.IntN(2)))
		case 2:
			v[i] = math.Float32frombits(0xffc00001)
		}
	}
	return v
}

func patterns(v []float32) []uint32 {
	b := make([]uint32, len(v))
	for i, x := range v {
		b[i] = math.Float32bits(x)
	}
	return b
}

// tapByTap is Run's definition: for each element the products of the taps that weigh something, rounded, added in their order, the
// first of them taken as it is.
func tapByTap(a *Axis, src []float32, outer, inner int) []float32 {
	dst := make([]float32, outer*a.Out*inner)
	for o := range outer {
		for i := range a.Out {
			for c := range inner {
				v, started := float32(0), false
				for k := range a.Taps {
					w := a.weight[i*a.Taps+k]
					if w == 0 {
						continue
					}
					product := float32(src[(o*a.In+int(a.at[i*a.Taps+k]))*inner+c] * w)
					if !started {
						v, started = product, true
						continue
					}
					v += product
				}
				dst[(o*a.Out+i)*inner+c] = numeric.Canon(v)
			}
		}
	}
	return dst
}

// TestFormsOfRunAreOne: axes that are the elements of lines, narrow ones and ones wider than what is joined at a time, in each
// filter and tier.
func TestFormsOfRunAreOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for _, level := range tier.Supported() {
		undo := tier.Force(level)
		for _, r := range []Resizing{
			{In: 5, Out: 10, Scale: 2, Filter: Linear}, {In: 5, Out: 5, Scale: 1, Filter: Linear, How: AlignCorners}, {In: 9, Out: 4, Scale: 4. / 9, Filter: Linear},
			{In: 9, Out: 4, Scale: 4. / 9, Filter: Linear, Antialias: true}, {In: 6, Out: 11, Scale: 11. / 6, Filter: Cubic, A: -0.75},
			{In: 6, Out: 11, Scale: 11. / 6, Filter: Cubic, A: -0.5, Exclude: true}, {In: 4, Out: 6, Scale: 1, How: CropAndResize, Start: -0.5, End: 1.5, Filter: Linear},
			{In: 3, Out: 7, Scale: 7. / 3},
		} {
			a := NewAxis(r)
			for _, inner := range []int{1, 2, 7, 8, 33, wide + 5} {
				src, got := awkward(rng, 2*r.In*inner), make([]float32, 2*r.Out*inner)
				a.Run(got, src, 2, inner)
				require.Equal(t, patterns(tapByTap(a, src, 2, inner)), patterns(got), "%s: %+v, inner %d", level, r, inner)
			}
			if r.Filter != Nearest {
				continue
			}
			for _, size := range []int{1, 2, 4, 8} {
				src, got := make([]byte, 2*r.In*size), make([]byte, 2*r.Out*size)
				for i := range src {
					src[i] = byte(i * 7)
				}
				a.Move(got, src, 2, 1, size)
				for i := range 2 * r.Out {
					require.Equal(t, src[(i/r.Out*r.In+int(a.at[i%r.Out]))*size:][:size], got[i*size:][:size])
				}
			}
		}
		undo()
	}
}

// TestImagesAreReadAsAllGridsAre: the form of two axes has the bits of the recursion that takes any.
func TestImagesAreReadAsAllGridsAre(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	for _, filter := range []Filter{Nearest, Linear, Cubic} {
		for _, border := range []Border{Zeros, Edge, Reflect} {
			g := Grid{Batch: 2, C: 3, Points: 50, In: []int{4, 5}, Filter: filter, Border: border, Corners: rng.IntN(2) == 0}
			src, grid, got := awkward(rng, 2*3*20), make([]float32, 2*50*2), make([]float32, 2*3*50)
			for i := range grid {
				grid[i] = float32(rng.IntN(25)-12) / 8 // on elements, between and outside
			}
			g.Run(got, src, grid)
			for n := range 2 {
				for p := range 50 {
					at := grid[(n*50+p)*2:]
					axes := []taps{g.taps(at[1], 4), g.taps(at[0], 5)}
					for c := range 3 {
						want := numeric.Canon(g.read(src[(n*3+c)*20:][:20], axes, g.In))
						require.Equal(t, math.Float32bits(want), math.Float32bits(got[(n*3+c)*50+p]), "%d %d: point %v", filter, border, at[:2])
					}
				}
			}
		}
	}
}
