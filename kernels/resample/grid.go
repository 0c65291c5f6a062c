package resample

import (
	"math"

	"assay/kernels/numeric"
)

// Border says what lies outside the data.
type Border uint8

// The borders of GridSample, its attribute padding_mode.
const (
	Zeros   Border = iota // 0
	Edge                  // the nearest element
	Reflect               // the row backwards and forwards again, about its outer edges, or with Corners about the centres of its end elements
)

// MaxAxes is the largest number of spatial axes that a grid may have.
const MaxAxes = 4

// Grid samples data [Batch][C][In...] at Points points per sample, each given by one coordinate per axis, the last axis
// first, from -1 to 1 over the axis: over the centres of its elements with Corners, else over their outer edges. In has at most
// MaxAxes entries. It is ONNX's GridSample.
type Grid struct {
	Batch, C, Points int
	In               []int
	Filter           Filter // Cubic has the coefficient -0.75
	Border           Border
	Corners          bool
}

// taps are the elements along one axis that a point reads.
type taps struct {
	n      int
	at     [4]int // -1: outside, where Zeros reads 0
	weight [4]float32
}

// Run writes dst [Batch][C][Points] from src [Batch][C][In...] and grid [Batch][Points][len(In)]; every axis has at least one
// element. Axes are joined innermost first, each sum in ascending order of its taps; a coordinate that is no number, or
// further away than 2^30 elements, lies outside before element 0.
func (g *Grid) Run(dst, src, grid []float32) {
	pixels, rank := 1, len(g.In)
	for _, n := range g.In {
		pixels *= n
	}
	for n := range g.Batch {
		for p := range g.Points {
			var axes [MaxAxes]taps
			at := grid[(n*g.Points+p)*rank:][:rank]
			for a := range rank {
				axes[a] = g.taps(at[rank-1-a], g.In[a])
			}
			if rank == 2 {
				y, x := axes[0].weighty(), axes[1].weighty()
				for i := n * g.C; i < (n+1)*g.C; i++ {
					dst[i*g.Points+p] = numeric.Canon(readImage(src[i*pixels:][:pixels], &y, &x, g.In[1]))
				}
				continue
			}
			for c := range g.C {
				i := n*g.C + c
				dst[i*g.Points+p] = numeric.Canon(g.read(src[i*pixels:][:pixels], axes[:rank], g.In))
			}
		}
	}
}

// taps places a coordinate on an axis of n elements.
func (g *Grid) taps(v float32, n int) (t taps) {
	x := float32((v+1)*float32(n)) - 1
	if x /= 2; g.Corners {
		x = float32((v + 1) / 2 * float32(n-1))
	}
	if !(math.Abs(float64(x)) < 1<<30) {
		x = -1 << 30
	}
	first := int(math.Floor(float64(x)))
	switch g.Filter {
	case Nearest:
		first = int(math.RoundToEven(float64(x)))
		t.n, t.weight[0] = 1, 1
	case Linear:
		d := x - float32(first)
		t.n, t.weight[0], t.weight[1] = 2, 1-d, d
	default:
		d := float64(x) - float64(first)
		first--
		t.n = 4
		for k := range t.n {
			t.weight[k] = float32(cubic(math.Abs(d-float64(k-1)), -0.75))
		}
	}
	for k := range t.n {
		t.at[k] = g.place(first+k, n)
	}
	return t
}

// place moves a position inside as the border says, -1 where it stays outside.
func (g *Grid) place(i, n int) int {
	if i >= 0 && i < n {
		return i
	}
	switch g.Border {
	case Edge:
		return min(max(i, 0), n-1)
	case Reflect:
		lo, length := 0, n-1
		if !g.Corners { // around the outer edges: -1 is 0 again
			length = n
			if i < 0 {
				i = -1 - i
			}
		} else if i < 0 {
			i = -i
		}
		if length == 0 {
			return lo
		}
		if i %= 2 * length; i < length || g.Corners && i == length {
			return i
		}
		if g.Corners {
			return 2*length - i
		}
		return 2*length - 1 - i
	}
	return -1
}

// weighty leaves out the taps that lie outside or weigh nothing; the others keep their order.
func (t *taps) weighty() (w taps) {
	for k := range t.n {
		if t.at[k] >= 0 && t.weight[k] != 0 {
			w.at[w.n], w.weight[w.n] = t.at[k], t.weight[k]
			w.n++
		}
	}
	return w
}

// readImage is read of two axes whose taps all count; a line has columns elements.
func readImage(src []float32, y, x *taps, columns int) float32 {
	sum := float32(0)
	for i, line := range y.at[:y.n] {
		row, part := src[line*columns:][:columns], float32(0)
		for k, at := range x.at[:x.n] {
			part += float32(x.weight[k] * row[at])
		}
		sum += float32(y.weight[i] * part)
	}
	return sum
}

// read joins the taps of all axes, the innermost sums first.
func (g *Grid) read(src []float32, axes []taps, shape []int) float32 {
	if len(axes) == 0 {
		return src[0]
	}
	inner := len(src) / shape[0]
	sum := float32(0)
	for k := range axes[0].n {
		if at := axes[0].at[k]; at >= 0 && axes[0].weight[k] != 0 {
			sum += float32(axes[0].weight[k] * g.read(src[at*inner:][:inner], axes[1:], shape[1:]))
		}
	}
	return sum
}
