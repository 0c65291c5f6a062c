package resample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// positionOf is ONNX's definition of Resize's coordinates, in float64 and without the special cases of the code.
func positionOf(r Resizing, o int) float64 {
	x, in, out, scale := float64(o), float64(r.In), float64(r.Out), float64(r.Scale)
	start, end := float64(r.Start), float64(r.End)
	switch r.How {
	case PytorchHalfPixel:
		if out > 1 {
			return (x+0.5)/scale - 0.5
		}
		return 0
	case AlignCorners:
		if out > 1 {
			return x * (in - 1) / (out - 1)
		}
		return 0
	case Asymmetric:
		return x / scale
	case HalfPixelNearest:
		return (x + 0.5) / scale
	case CropAndResize:
		if out > 1 {
			return start*(in-1) + x*(end-start)*(in-1)/(out-1)
		}
		return 0.5 * (start + end) * (in - 1)
	case HalfPixelSymmetric:
		centre := in / 2
		offset := centre * (1 - out/(scale*in))
		return offset + (x+0.5)/scale - 0.5
	}
	return (x+0.5)/scale - 0.5
}

// resized is output o by the definition: every element of an endless row, whose ends repeat, times the filter at its
// distance, over the sum of the filter's values. Outside of the data CropAndResize gives 0, the value that Fill replaces.
func resized(r Resizing, src []float32, o int) float64 {
	x := positionOf(r, o)
	if r.How == CropAndResize && (x < 0 || x > float64(r.In-1)) {
		return math.NaN()
	}
	shrink := 1.0
	if r.Antialias && r.Scale < 1 {
		shrink = float64(r.Scale)
	}
	sum, total := 0.0, 0.0
	for i := -5 * r.In; i < 6*r.In; i++ {
		d := math.Abs(float64(i)-x) * shrink
		w := max(1-d, 0)
		if a := float64(r.A); r.Filter == Cubic {
			switch {
			case d <= 1:
				w = (a+2)*d*d*d - (a+3)*d*d + 1
			case d < 2:
				w = a*d*d*d - 5*a*d*d + 8*a*d - 4*a
			default:
				w = 0
			}
		}
		if r.Exclude && (i < 0 || i >= r.In) {
			continue
		}
		total += w
		sum += w * float64(src[min(max(i, 0), r.In-1)])
	}
	return sum / total
}

// TestAxisEqualsItsDefinition: every transformation with both filters, widened or not, with and without the taps outside,
// growing and shrinking by whole and by odd factors, down to one element and up from one.
func TestAxisEqualsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for _, size := range [][2]int{{1, 1}, {1, 4}, {4, 1}, {5, 5}, {4, 8}, {8, 4}, {7, 3}, {3, 7}, {5, 13}, {13, 5}, {2, 3}} {
		for how := HalfPixel; how <= HalfPixelNearest; how++ {
			for _, filter := range []Filter{Linear, Cubic} {
				for option := range 8 {
					in, out := size[0], size[1]
					q := Resizing{
						In: in, Out: out, Scale: float32(out) / float32(in), How: how, Filter: filter, A: []float32{-0.5, -0.75}[option&1],
						Antialias: option&2 != 0, Exclude: option&4 != 0, Start: -0.25, End: 1.125,
					}
					if how == HalfPixelSymmetric {
						q.Scale *= 0.97 // as a scale that was rounded down to whole elements is
					}
					const outer, inner = 2, 3
					src, dst := make([]float32, outer*in*inner), make([]float32, outer*out*inner)
					for i := range src {
						src[i] = r.Float32()*4 - 2
					}
					a := NewAxis(q)
					a.Run(dst, src, outer, inner)
					mark := make([]byte, len(dst))
					a.Fill(mark, []byte{1}, outer, inner)
					for i := range dst {
						row := make([]float32, in)
						for k := range row {
							row[k] = src[(i/(out*inner)*in+k)*inner+i%inner]
						}
						want := resized(q, row, i/inner%out)
						require.Equal(t, math.IsNaN(want), mark[i] == 1, "%+v: element %d is outside", q, i)
						if mark[i] == 0 {
							require.InDelta(t, want, dst[i], 3e-5, "%+v: element %d", q, i)
						}
					}
				}
			}
		}
	}
}

// TestNearestRoundsHalves: positions half-way between two elements, on both sides of zero and at the last element.
func TestNearestRoundsHalves(t *testing.T) {
	for _, c := range []struct {
		round  Rounding
		shrink []byte // of 4 elements to 2: positions 0.5 and 2.5
		grow   []byte // of 2 elements to 4: positions -0.25, 0.25, 0.75, 1.25
	}{
		{PreferFloor, []byte{0, 2}, []byte{0, 0, 1, 1}},
		{PreferCeil, []byte{1, 3}, []byte{0, 0, 1, 1}},
		{Floor, []byte{0, 2}, []byte{0, 0, 0, 1}},
		{Ceil, []byte{1, 3}, []byte{0, 1, 1, 1}},
	} {
		t.Run(fmt.Sprint(c.round), func(t *testing.T) {
			move := func(in, out int) []byte {
				a := NewAxis(Resizing{In: in, Out: out, Scale: float32(out) / float32(in), Round: c.round})
				src, dst := make([]byte, 2*in*2), make([]byte, 2*out*2)
				for i := range src {
					src[i] = byte(10*(i/(2*in)) + i/2%in) // of outer 0: 0, 1 ...; of outer 1: 10, 11 ...; each twice
				}
				a.Move(dst, src, 2, 1, 2)
				got := make([]byte, out)
				for o := range out {
					require.Equal(t, dst[2*o], dst[2*o+1])
					require.Equal(t, dst[2*o]+10, dst[2*(out+o)], "the second row moves like the first")
					got[o] = dst[2*o]
				}
				return got
			}
			require.Equal(t, c.shrink, move(4, 2))
			require.Equal(t, c.grow, move(2, 4))
		})
	}
}

// TestSameIsTheIdentity: Same says yes exactly where a row comes out as it went in, for rows that no filter keeps by chance.
func TestSameIsTheIdentity(t *testing.T) {
	for _, c := range []struct {
		r    Resizing
		same bool
	}{
		{Resizing{In: 4, Out: 4, Scale: 1}, true},
		{Resizing{In: 4, Out: 4, Scale: 1, Filter: Linear}, true},
		{Resizing{In: 4, Out: 4, Scale: 1, Filter: Linear, How: AlignCorners}, true},
		{Resizing{In: 4, Out: 4, Scale: 1, How: CropAndResize, End: 1}, true},
		{Resizing{In: 4, Out: 4, Scale: 1, How: CropAndResize, Start: -1, End: 1}, false},
		{Resizing{In: 4, Out: 4, Scale: 1, How: HalfPixelNearest, Round: Ceil}, false},
		{Resizing{In: 4, Out: 4, Scale: 1, Filter: Linear, How: HalfPixelNearest}, false},
		{Resizing{In: 4, Out: 8, Scale: 2}, false},
		{Resizing{In: 1, Out: 1, Scale: 1, Filter: Cubic, A: -0.5}, true},
		{Resizing{In: 1, Out: 1, Scale: 3, Filter: Linear}, false},                          // the sum of two products, both of the one element
		{Resizing{In: 2, Out: 2, Scale: 1, How: CropAndResize, Start: -0.5, End: 1}, false}, // element 0 stands for what lies outside
	} {
		a := NewAxis(c.r)
		require.Equal(t, c.same, a.Same(), "%+v", c.r)
		src, dst := []float32{3, 1, 4, 1.5}[:c.r.In], make([]float32, c.r.Out)
		a.Run(dst, src, 1, 1)
		if c.same {
			require.Equal(t, src, dst, "%+v", c.r)
		}
	}
}

// TestHostilePositions: scales and parts that make positions infinite or no number read element 0 and never outside.
func TestHostilePositions(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, r := range []Resizing{
		{In: 3, Out: 4, Scale: 1e-38, How: Asymmetric}, {In: 3, Out: 4, Scale: inf, How: HalfPixelSymmetric},
		{In: 3, Out: 4, Scale: 1, How: CropAndResize, Start: nan, End: 1}, {In: 3, Out: 1, Scale: 1, How: CropAndResize, Start: -inf, End: inf},
		{In: 3, Out: 4, Scale: 1, How: CropAndResize, Start: 1e30, End: 3e38},
	} {
		for _, filter := range []Filter{Nearest, Linear, Cubic} {
			r.Filter, r.A = filter, -0.75
			a := NewAxis(r)
			dst := make([]float32, r.Out)
			require.NotPanics(t, func() { a.Run(dst, []float32{5, 6, 7}, 1, 1) })
			for i, v := range dst {
				require.True(t, v >= 5 && v <= 7, "%+v: element %d is %v", r, i, v)
			}
		}
	}
}

// TestExcludedTapsLeaveNothing: a position that is so far outside that no tap weighs anything is NaN, between positions that are not.
func TestExcludedTapsLeaveNothing(t *testing.T) {
	for _, filter := range []Filter{Linear, Cubic} {
		a := NewAxis(Resizing{In: 3, Out: 3, Scale: 0.1, How: Asymmetric, Filter: filter, A: -0.5, Exclude: true})
		for _, inner := range []int{1, 5} {
			src, dst := make([]float32, 3*inner), make([]float32, 3*inner)
			for i := range src {
				src[i] = float32(i/inner + 1)
			}
			a.Run(dst, src, 1, inner)
			for i, v := range dst {
				if i < inner {
					require.Equal(t, float32(1), v)
				} else {
					require.Equal(t, uint32(0x7fc00000), math.Float32bits(v))
				}
			}
		}
	}
}

// TestNaNComesOutCanonical: whatever NaN goes in, one pattern comes out.
func TestNaNComesOutCanonical(t *testing.T) {
	odd := math.Float32frombits(0xffc12345)
	a := NewAxis(Resizing{In: 2, Out: 3, Scale: 1.5, Filter: Linear})
	dst := make([]float32, 3)
	a.Run(dst, []float32{odd, 1}, 1, 1)
	require.Equal(t, uint32(0x7fc00000), math.Float32bits(dst[0]))
	g := Grid{Batch: 1, C: 1, Points: 1, In: []int{1}, Filter: Nearest}
	g.Run(dst[:1], []float32{odd}, []float32{0})
	require.Equal(t, uint32(0x7fc00000), math.Float32bits(dst[0]))
}
