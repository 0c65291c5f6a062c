package resample

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAxisOfWholeSteps: enlarging twice by nearest elements repeats them, and shrinking by linear ones averages pairs.
func TestAxisOfWholeSteps(t *testing.T) {
	src := []float32{1, 2, 3, 4}
	for _, c := range []struct {
		name string
		r    Resizing
		want []float32
	}{
		{"repeat", Resizing{In: 4, Out: 8, Scale: 2, Round: PreferFloor}, []float32{1, 1, 2, 2, 3, 3, 4, 4}},
		{"floor", Resizing{In: 4, Out: 8, Scale: 2, How: Asymmetric, Round: Floor}, []float32{1, 1, 2, 2, 3, 3, 4, 4}},
		{"ceil", Resizing{In: 4, Out: 8, Scale: 2, How: Asymmetric, Round: Ceil}, []float32{1, 2, 2, 3, 3, 4, 4, 4}},
		{"pairs", Resizing{In: 4, Out: 2, Scale: 0.5, Filter: Linear}, []float32{1.5, 3.5}},
		{"corners", Resizing{In: 4, Out: 7, Scale: 1.75, How: AlignCorners, Filter: Linear}, []float32{1, 1.5, 2, 2.5, 3, 3.5, 4}},
		{"cubic on a line", Resizing{In: 4, Out: 7, Scale: 1.75, How: AlignCorners, Filter: Cubic, A: -0.5, Exclude: true}, nil},
		{"one element", Resizing{In: 4, Out: 1, Scale: 0.25, How: PytorchHalfPixel, Filter: Linear}, []float32{1}},
		{"antialias keeps the mean", Resizing{In: 4, Out: 1, Scale: 0.25, Filter: Linear, Antialias: true}, []float32{2.5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := NewAxis(c.r)
			dst := make([]float32, c.r.Out)
			a.Run(dst, src, 1, 1)
			if c.want != nil {
				require.InDeltaSlice(t, c.want, dst, 1e-6)
			}
			for _, v := range dst {
				require.True(t, v >= 0.5 && v <= 4.5, "%v", dst)
			}
			if c.r.Filter == Nearest {
				moved := make([]byte, c.r.Out)
				a.Move(moved, []byte{1, 2, 3, 4}, 1, 1, 1)
				for i, v := range dst {
					require.Equal(t, byte(v), moved[i])
				}
			}
		})
	}
	require.True(t, NewAxis(Resizing{In: 5, Out: 5, Scale: 1, Filter: Cubic, A: -0.75}).Same())
	require.False(t, NewAxis(Resizing{In: 5, Out: 5, Scale: 1, How: CropAndResize, Start: 0.5, End: 1}).Same())
}

// TestFillMarksWhatLiesOutside: positions beyond the data take the value that is asked for.
func TestFillMarksWhatLiesOutside(t *testing.T) {
	a := NewAxis(Resizing{In: 3, Out: 5, Scale: 1, How: CropAndResize, Filter: Linear, Start: -0.5, End: 1.5})
	dst := make([]float32, 5)
	a.Run(dst, []float32{1, 2, 3}, 1, 1)
	raw := []byte{0, 0, 0, 0, 0}
	a.Fill(raw, []byte{9}, 1, 1)
	require.Equal(t, []byte{9, 0, 0, 0, 9}, raw)
	require.Equal(t, []float32{1, 2, 3}, dst[1:4])
}

// TestGridReadsElementsAtTheirCentres, in every mode, and what the border says beyond.
func TestGridReadsElementsAtTheirCentres(t *testing.T) {
	src := []float32{1, 2, 3, 4}
	for _, filter := range []Filter{Nearest, Linear, Cubic} {
		for _, corners := range []bool{false, true} {
			g := Grid{Batch: 1, C: 1, Points: 4, In: []int{4}, Filter: filter, Corners: corners}
			grid := []float32{-0.75, -0.25, 0.25, 0.75}
			if corners {
				grid = []float32{-1, -1. / 3, 1. / 3, 1}
			}
			dst := make([]float32, 4)
			g.Run(dst, src, grid)
			require.InDeltaSlice(t, src, dst, 1e-5, "filter %d, corners %v", filter, corners)
		}
	}
	for _, c := range []struct {
		border  Border
		corners bool
		want    []float32
	}{
		{Zeros, false, []float32{0, 0}}, {Edge, false, []float32{1, 4}}, {Reflect, false, []float32{2, 3}}, {Reflect, true, []float32{3, 3}},
	} {
		g := Grid{Batch: 1, C: 1, Points: 2, In: []int{4}, Filter: Nearest, Border: c.border, Corners: c.corners}
		grid := []float32{-1.75, 1.75} // positions -2 and 5
		if c.corners {
			grid = []float32{-7. / 3, 5. / 3} // positions -2 and 4
		}
		dst := make([]float32, 2)
		g.Run(dst, src, grid)
		require.Equal(t, c.want, dst, "border %d, corners %v", c.border, c.corners)
	}
}

// TestRegionOfTheWholeImage averages it; coordinates far outside give zeros.
func TestRegionOfTheWholeImage(t *testing.T) {
	r := Regions{Batch: 1, C: 1, H: 2, W: 2, OutH: 1, OutW: 1, Ratio: 2, Scale: 1, HalfPixel: true}
	dst := make([]float32, 2)
	r.Run(dst, []float32{1, 2, 3, 4}, []float32{0, 0, 2, 2, 50, 50, 60, 60}, []int64{0, 0})
	require.Equal(t, []float32{2.5, 0}, dst)
	r.Max = true
	r.Run(dst, []float32{1, 2, 3, 4}, []float32{0, 0, 2, 2, 50, 50, 60, 60}, []int64{0, 7})
	require.Equal(t, []float32{4, 0}, dst)
}
