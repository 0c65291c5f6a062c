package resample

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// gridAt is GridSample's definition for one point of one channel, in float64: the taps around the position on each axis, each
// read through the border by walking, one reflection at a time.
func gridAt(g Grid, src []float32, coordinates []float32) float64 {
	rank := len(g.In)
	var sum func(axis int, at []int, weight float64) float64
	sum = func(axis int, at []int, weight float64) float64 {
		if axis == rank {
			i := 0
			for a, p := range at {
				if p < 0 || p >= g.In[a] {
					return 0 // Zeros
				}
				i = i*g.In[a] + p
			}
			return weight * float64(src[i])
		}
		n := g.In[axis]
		x := ((float64(coordinates[rank-1-axis])+1)*float64(n) - 1) / 2
		if g.Corners {
			x = (float64(coordinates[rank-1-axis]) + 1) / 2 * float64(n-1)
		}
		if g.Filter == Nearest {
			return sum(axis+1, append(at[:len(at):len(at)], walked(g, int(math.RoundToEven(x)), n)), weight)
		}
		total := 0.0
		for k := int(math.Floor(x)) - 1; k <= int(math.Floor(x))+2; k++ {
			d := math.Abs(x - float64(k))
			w := max(1-d, 0)
			if g.Filter == Cubic {
				w = -0.75*d*d*d + 3.75*d*d - 6*d + 3
				if d <= 1 {
					w = 1.25*d*d*d - 2.25*d*d + 1
				}
			}
			total += sum(axis+1, append(at[:len(at):len(at)], walked(g, k, n)), weight*w)
		}
		return total
	}
	return sum(0, nil, 1)
}

// walked moves position i inside as the border says; outside it stays as it is.
func walked(g Grid, i, n int) int {
	switch {
	case g.Border == Edge:
		return min(max(i, 0), n-1)
	case g.Border == Reflect && n == 1:
		return 0
	case g.Border == Reflect:
		for i < 0 || i >= n {
			switch {
			case g.Corners && i < 0:
				i = -i
			case g.Corners:
				i = 2*(n-1) - i
			case i < 0:
				i = -1 - i
			default:
				i = 2*n - 1 - i
			}
		}
	}
	return i
}

// TestGridEqualsItsDefinition: one to three axes of unequal lengths, points well outside, every filter and border, several samples and channels.
func TestGridEqualsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, shape := range [][]int{{1}, {4}, {3, 5}, {1, 2}, {2, 3, 4}} {
		for filter := Nearest; filter <= Cubic; filter++ {
			for border := Zeros; border <= Reflect; border++ {
				for _, corners := range []bool{false, true} {
					g := Grid{Batch: 2, C: 3, Points: 7, In: shape, Filter: filter, Border: border, Corners: corners}
					pixels := 1
					for _, n := range shape {
						pixels *= n
					}
					src := make([]float32, g.Batch*g.C*pixels)
					for i := range src {
						src[i] = r.Float32()*2 - 1
					}
					grid := make([]float32, g.Batch*g.Points*len(shape))
					for i := range grid {
						grid[i] = r.Float32()*9 - 4.5
					}
					dst := make([]float32, g.Batch*g.C*g.Points)
					g.Run(dst, src, grid)
					for i, got := range dst {
						n, p := i/(g.C*g.Points), i%g.Points
						want := gridAt(g, src[i/g.Points*pixels:][:pixels], grid[(n*g.Points+p)*len(shape):][:len(shape)])
						require.InDelta(t, want, got, 3e-5, "%+v: point %d of %v", g, i, grid[(n*g.Points+p)*len(shape):][:len(shape)])
					}
				}
			}
		}
	}
}

// TestNearestOfHalves: a point half-way between two elements reads the even one.
func TestNearestOfHalves(t *testing.T) {
	g := Grid{Batch: 1, C: 1, Points: 4, In: []int{4}, Filter: Nearest, Border: Edge}
	dst := make([]float32, 4)
	g.Run(dst, []float32{10, 11, 12, 13}, []float32{-1, -0.5, 0, 0.5}) // at -0.5, 0.5, 1.5 and 2.5
	require.Equal(t, []float32{10, 10, 12, 12}, dst)
}

// TestGridOfNoNumber: coordinates that are NaN or infinite lie outside, on the side of element 0.
func TestGridOfNoNumber(t *testing.T) {
	for border, want := range map[Border]float32{Zeros: 0, Edge: 1} {
		g := Grid{Batch: 1, C: 1, Points: 3, In: []int{4}, Filter: Linear, Border: border}
		dst := make([]float32, 3)
		g.Run(dst, []float32{1, 2, 3, 4}, []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))})
		require.Equal(t, []float32{want, want, want}, dst)
	}
	g := Grid{Batch: 1, C: 1, Points: 1, In: []int{3}, Filter: Cubic, Border: Reflect, Corners: true}
	dst := make([]float32, 1)
	require.NotPanics(t, func() { g.Run(dst, []float32{1, 2, 3}, []float32{3e38}) })
	require.True(t, dst[0] >= 1 && dst[0] <= 3, "%v", dst)
}

// regionAt is RoiAlign's definition for one cell, in float64.
func regionAt(r Regions, data []float32, box []float32, cy, cx int) float64 {
	shift := 0.0
	if r.HalfPixel {
		shift = 0.5
	}
	scale := float64(r.Scale)
	x1, y1 := float64(box[0])*scale-shift, float64(box[1])*scale-shift
	w, h := float64(box[2])*scale-shift-x1, float64(box[3])*scale-shift-y1
	if !r.HalfPixel {
		w, h = max(w, 1), max(h, 1)
	}
	w, h = w/float64(r.OutW), h/float64(r.OutH)
	nx, ny := r.Ratio, r.Ratio
	if r.Ratio == 0 {
		nx, ny = int(math.Ceil(w)), int(math.Ceil(h))
	}
	sum, top := 0.0, math.Inf(-1)
	for iy := range ny {
		for ix := range nx {
			y := y1 + (float64(cy)+(float64(iy)+0.5)/float64(ny))*h
			x := x1 + (float64(cx)+(float64(ix)+0.5)/float64(nx))*w
			if y < -1 || y > float64(r.H) || x < -1 || x > float64(r.W) {
				top = max(top, 0)
				continue
			}
			y, x = min(max(y, 0), float64(r.H-1)), min(max(x, 0), float64(r.W-1))
			for dy := range 2 {
				for dx := range 2 {
					i, k := min(int(y)+dy, r.H-1), min(int(x)+dx, r.W-1)
					v := (1 - math.Abs(y-float64(int(y)+dy))) * (1 - math.Abs(x-float64(int(x)+dx))) * float64(data[i*r.W+k])
					sum += v
					top = max(top, v)
				}
			}
		}
	}
	if r.Max {
		return top
	}
	return sum / float64(nx*ny)
}

// TestRegionsEqualTheirDefinition: boxes inside, over every edge, far outside and of no size, in two images of three channels.
func TestRegionsEqualTheirDefinition(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 1))
	boxes := []float32{
		0, 0, 8, 6, 1.5, 2.25, 5.75, 3.5, -4, -3, 4, 3, 5, 4, 20, 15, 40, 40, 50, 50, 3, 3, 3.25, 3.25, -1.25, 0, 9.5, 1,
	}
	batch := []int64{0, 1, 1, 0, 1, 0, 1}
	for option := range 16 {
		r := Regions{Batch: 2, C: 3, H: 6, W: 8, OutH: 2, OutW: 3, Ratio: []int{0, 3}[option&1], Scale: []float32{1, 0.5}[option>>1&1], HalfPixel: option&4 != 0, Max: option&8 != 0}
		src := make([]float32, r.Batch*r.C*r.H*r.W)
		for i := range src {
			src[i] = rnd.Float32()*2 - 0.5
		}
		dst := make([]float32, len(batch)*r.C*r.OutH*r.OutW)
		r.Run(dst, src, boxes, batch)
		for i, got := range dst {
			region, c, cell := i/(r.C*r.OutH*r.OutW), i/(r.OutH*r.OutW)%r.C, i%(r.OutH*r.OutW)
			data := src[(int(batch[region])*r.C+c)*r.H*r.W:][:r.H*r.W]
			require.InDelta(t, regionAt(r, data, boxes[4*region:][:4], cell/r.OutW, cell%r.OutW), got, 2e-5, "%+v: region %d, channel %d, cell %d", r, region, c, cell)
		}
	}
}

// TestRegionsOfHostileBoxes: a box without an end makes a bounded number of points, one of NaN none, and an image that does
// not exist is the nearest one.
func TestRegionsOfHostileBoxes(t *testing.T) {
	r := Regions{Batch: 2, C: 1, H: 2, W: 2, OutH: 1, OutW: 1, Scale: 1, HalfPixel: true}
	nan := float32(math.NaN())
	dst := make([]float32, 5)
	r.Run(dst, []float32{1, 1, 1, 1, 2, 2, 2, 2}, []float32{0, 0, 3e38, 3e38, nan, nan, nan, nan, 0.5, 0.5, 1.5, 1.5, 0.5, 0.5, 1.5, 1.5, 1, 1, 1, 1}, []int64{0, 0, -9, math.MaxInt64, 0})
	require.Equal(t, []float32{0, 0, 1, 2, 0}, dst)
	require.Equal(t, points, (&Regions{}).count(float32(math.Inf(1))))
	require.Equal(t, points, (&Regions{Ratio: 1 << 30}).count(1))
}
