package resample

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// sides draws the sizes of a picture and of what it becomes.
func sides(t *rapid.T) (w, h, ow, oh, c int) {
	side := rapid.IntRange(1, 24)
	return side.Draw(t, "w"), side.Draw(t, "h"), side.Draw(t, "ow"), side.Draw(t, "oh"), rapid.IntRange(1, 4).Draw(t, "c")
}

// kernels are the filters written down again from their definitions: support at scale 1, and value at distance x.
var kernels = map[Filter]struct {
	support float64
	at      func(x float64) float64
}{
	Bilinear: {1, func(x float64) float64 { return math.Max(0, 1-math.Abs(x)) }},
	Box: {0.5, func(x float64) float64 {
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	}},
	Bicubic: {2, func(x float64) float64 {
		switch x = math.Abs(x); {
		case x <= 1:
			return 1.5*x*x*x - 2.5*x*x + 1
		case x < 2:
			return -0.5*x*x*x + 2.5*x*x - 4*x + 2
		}
		return 0
	}},
}

// mean is output i of a row under f: the mean of the pixels near its centre by the kernel's weight, clamped to bytes.
func mean(row []byte, f Filter, i, out int) float64 {
	k, scale := kernels[f], float64(len(row))/float64(out)
	stretch, center := math.Max(scale, 1), (float64(i)+0.5)*scale
	lo := max(int(center-k.support*stretch+0.5), 0)
	hi := min(int(center+k.support*stretch+0.5), len(row))
	sum, weight := 0.0, 0.0
	for x := lo; x < hi; x++ {
		v := k.at((float64(x) + 0.5 - center) / stretch)
		sum, weight = sum+v*float64(row[x]), weight+v
	}
	return min(max(sum/weight, 0), 255)
}

// TestOneAxisIsTheWeightedMean resizes one axis only, where no byte lies between the passes: each output is the weighted
// mean of its pixels, rounded.
func TestOneAxisIsTheWeightedMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "row")
		out := rapid.IntRange(1, 40).Draw(t, "out")
		f := rapid.SampledFrom([]Filter{Bilinear, Bicubic, Box}).Draw(t, "filter")
		wide := Resize(row, len(row), 1, 1, f, out, 1, Rect{0, 0, out, 1})
		tall := Resize(row, 1, len(row), 1, f, 1, out, Rect{0, 0, 1, out})
		require.Equal(t, wide, tall, "rows and columns are filtered alike")
		for i, v := range wide {
			want := float64(row[min(i, len(row)-1)])
			if out != len(row) {
				want = mean(row, f, i, out)
			}
			require.InDelta(t, want, float64(v), 0.5+1e-4, "%v, output %d of %d", f, i, out)
		}
	})
}

// TestColumnsComeBeforeRows: the bytes of a picture are those of its columns resized, then its rows, channel by channel.
func TestColumnsComeBeforeRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h, ow, oh, c := sides(t)
		f := rapid.SampledFrom([]Filter{Bilinear, Bicubic, Box, Nearest, OpenCVNearest}).Draw(t, "filter")
		src := noise(w * h * c)
		got := Resize(src, w, h, c, f, ow, oh, Rect{0, 0, ow, oh})
		middle := Resize(src, w, h, c, f, ow, h, Rect{0, 0, ow, h})
		require.Equal(t, Resize(middle, ow, h, c, f, ow, oh, Rect{0, 0, ow, oh}), got)
		for ch := range c {
			plane := Resize(channel(src, c, ch), w, h, 1, f, ow, oh, Rect{0, 0, ow, oh})
			require.Equal(t, plane, channel(got, c, ch), "channel %d of %d", ch, c)
		}
	})
}

// channel is one channel of an interleaved picture.
func channel(p []byte, c, ch int) []byte {
	out := make([]byte, 0, len(p)/c)
	for i := ch; i < len(p); i += c {
		out = append(out, p[i])
	}
	return out
}

// TestOneColourStaysThatColour: weights add up to one in every filter, at borders too.
func TestOneColourStaysThatColour(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h, ow, oh, c := sides(t)
		colour := rapid.Byte().Draw(t, "colour")
		f := Filter(rapid.IntRange(0, len(names)-1).Draw(t, "filter"))
		src := make([]byte, w*h*c)
		for i := range src {
			src[i] = colour
		}
		for _, v := range Resize(src, w, h, c, f, ow, oh, Rect{0, 0, ow, oh}) {
			require.Equal(t, colour, v, "%v", f)
		}
	})
}

// TestNearestTakesThePixelOfTheCentre, and OpenCV's the one of the left edge, in whole numbers. Where the place falls on a
// border of two pixels, floating point may give either.
func TestNearestTakesThePixelOfTheCentre(t *testing.T) {
	for in := 1; in <= 40; in++ {
		row := make([]byte, in)
		for i := range row {
			row[i] = byte(i)
		}
		for out := 1; out <= 40; out++ {
			r := Rect{0, 0, out, 1}
			centre := Resize(row, in, 1, 1, Nearest, out, 1, r)
			edge := Resize(row, in, 1, 1, OpenCVNearest, out, 1, r)
			for i := range out {
				near(t, centre[i], (2*i+1)*in, 2*out)
				near(t, edge[i], i*in, out)
			}
		}
	}
}

// near requires pixel got to be the floor of num/den, or the one before where that is whole.
func near(t *testing.T, got byte, num, den int) {
	t.Helper()
	if want := num / den; int(got) != want && !(num%den == 0 && int(got) == want-1) {
		require.Equal(t, want, int(got), "floor of %d/%d", num, den)
	}
}

// TestOpenCVLinearMixesTwoPixelsAnAxis whatever the reduction; halving both axes is the mean of four.
func TestOpenCVLinearMixesTwoPixelsAnAxis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h, ow, oh, c := sides(t)
		if rapid.Bool().Draw(t, "halve columns") {
			w = 2 * ow
		}
		if rapid.Bool().Draw(t, "halve rows") {
			h = 2 * oh
		}
		src := noise(w * h * c)
		got := Resize(src, w, h, c, OpenCVLinear, ow, oh, Rect{0, 0, ow, oh})
		for y := range oh {
			for x := range ow {
				for ch := range c {
					want := mixed(channel(src, c, ch), w, h, place(x, w, ow), place(y, h, oh))
					require.InDelta(t, want, float64(got[(y*ow+x)*c+ch]), 1, "column %d, row %d", x, y)
				}
			}
		}
	})
}

// place is where output i lies among in pixels, held inside the picture.
func place(i, in, out int) float64 {
	return min(max((float64(i)+0.5)*float64(in)/float64(out)-0.5, 0), float64(in-1))
}

// mixed is the bilinear value of a plane at column x, row y.
func mixed(p []byte, w, h int, x, y float64) float64 {
	at := func(x, y float64) float64 { return float64(p[min(int(y), h-1)*w+min(int(x), w-1)]) }
	fx, fy := x-math.Floor(x), y-math.Floor(y)
	top := at(x, y)*(1-fx) + at(x+1, y)*fx
	bottom := at(x, y+1)*(1-fx) + at(x+1, y+1)*fx
	return top*(1-fy) + bottom*fy
}

// TestHalvingRoundsHalvesUp builds the four remainders of a sum of four pixels.
func TestHalvingRoundsHalvesUp(t *testing.T) {
	for rest, want := range []byte{10, 10, 11, 11} {
		src := []byte{10, 10, 10, 10 + byte(rest)}
		got := Resize(src, 2, 2, 1, OpenCVLinear, 1, 1, Rect{0, 0, 1, 1})
		require.Equal(t, []byte{want}, got, fmt.Sprintf("40 + %d", rest))
	}
}

// TestAnUnknownFilterPrintsItsNumber, the first and the last that are none.
func TestAnUnknownFilterPrintsItsNumber(t *testing.T) {
	require.Equal(t, "filter(6)", Filter(len(names)).String())
	require.Equal(t, "filter(255)", Filter(255).String())
	first := Filters()
	first[0] = "changed"
	require.Equal(t, "bilinear", Filters()[0], "a caller's list is its own")
}
