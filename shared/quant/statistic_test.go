package quant

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/op"
	"assay/shared/tensor"
)

func iota32(n int, shape ...int) *tensor.Tensor {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i)
	}
	return tensor.Of(tensor.Float32, shape, v)
}

// TestStatisticsReferenceValues holds the published values on 0..15 shaped (2, 2, 2, 2), sample by sample: a batch of
// two is two samples.
func TestStatisticsReferenceValues(t *testing.T) {
	x := iota32(16, 2, 2, 2, 2).F32()
	samples := []*tensor.Tensor{tensor.Of(tensor.Float32, []int{1, 2, 2, 2}, x[:8]), tensor.Of(tensor.Float32, []int{1, 2, 2, 2}, x[8:])}
	for _, c := range []struct {
		f    Func
		axis int32
		want [2][]float64
	}{
		{Min, 1, [2][]float64{{0, 4}, {8, 12}}},
		{Max, 1, [2][]float64{{3, 7}, {11, 15}}},
		{Mean, 1, [2][]float64{{1.5, 5.5}, {9.5, 13.5}}},
		{Quantile, 1, [2][]float64{{.03, 4.03}, {8.03, 12.03}}},
		{Min, -1, [2][]float64{{0}, {8}}},
		{Max, -1, [2][]float64{{7}, {15}}},
		{Quantile, -1, [2][]float64{{.07}, {8.07}}},
	} {
		for i, s := range samples {
			got, err := Collect(Tap{Func: c.f, Axis: c.axis, Width: uint32(len(c.want[i])), Q: 0.01}, s, op.Logical)
			require.NoError(t, err)
			require.InDeltaSlice(t, c.want[i], got, 1e-12, "%s axis %d sample %d", c.f, c.axis, i)
		}
	}
	weights := tensor.Of(tensor.Float32, []int{2, 2, 2, 2}, x)
	for _, c := range []struct {
		f    Func
		axis int32
		want []float64
	}{
		{Min, 0, []float64{0, 8}}, {Max, 0, []float64{7, 15}}, {Quantile, 0, []float64{.07, 8.07}},
		{Min, -1, []float64{0}}, {Max, -1, []float64{15}}, {Quantile, -1, []float64{0.15}},
		{Min, 1, []float64{0, 4}}, {Max, 1, []float64{11, 15}}, {Quantile, 1, []float64{.07, 4.07}}, // transposed layout
	} {
		got, err := Collect(Tap{Func: c.f, Axis: c.axis, Width: uint32(len(c.want)), Q: 0.01}, weights, op.Logical)
		require.NoError(t, err)
		require.InDeltaSlice(t, c.want, got, 1e-12, "weights %s axis %d", c.f, c.axis)
	}
}

// TestAggregatorsReferenceValues holds the published values on 0..3 and 0..7.
func TestAggregatorsReferenceValues(t *testing.T) {
	one := [][]float64{{0}, {1}, {2}, {3}}
	two := [][]float64{{0, 1}, {2, 3}, {4, 5}, {6, 7}}
	for name, want := range map[string][3]float64{
		"mean": {1.5, 3, 4}, "max": {3, 6, 7}, "min": {0, 0, 1}, "median": {1.5, 3, 4},
		"mean_no_outliers": {1.5, 3, 4}, "median_no_outliers": {1.5, 3, 4}, "hl_estimator": {1.5, 3, 4},
	} {
		got, err := Aggregate(name, one)
		require.NoError(t, err)
		require.Equal(t, want[:1], got, name)
		got, err = Aggregate(name, two)
		require.NoError(t, err)
		require.Equal(t, want[1:], got, name)
	}
	_, err := Aggregate("mode", one)
	require.ErrorContains(t, err, "mode")
	_, err = Aggregate("mean", nil)
	require.Error(t, err)
}

func TestNoOutliersDropsBothEnds(t *testing.T) {
	var rows [][]float64
	for i := range 100 {
		rows = append(rows, []float64{float64(i)})
	}
	rows[50][0] = 1e6
	got, err := Aggregate("mean_no_outliers", rows)
	require.NoError(t, err)
	require.InDelta(t, 49.5, got[0], 0.6)
	got, err = Aggregate("mean_no_outliers", [][]float64{{1}, {2}})
	require.NoError(t, err)
	require.Equal(t, 1.5, got[0])
}

// TestHodgesLehmannSelectsWhatListingPairsFinds compares the selection with its naive twin.
func TestHodgesLehmannSelectsWhatListingPairsFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		x := make([]float64, 1+r.IntN(30))
		for i := range x {
			x[i] = math.Round(r.NormFloat64()*8) / 4 // many ties, both signs, zeros
		}
		want := x[0]
		if len(x) > 1 {
			var sums []float64
			for i := range x {
				for j := range i {
					sums = append(sums, x[i]+x[j])
				}
			}
			slices.Sort(sums)
			want = (sums[(len(sums)-1)/2] + sums[len(sums)/2]) / 4
		}
		require.InDelta(t, want, hodgesLehmann(slices.Clone(x)), 1e-12, "%v", x)
	}
}

func TestCollectSeesNaNAndRefusesWhatItCannotRead(t *testing.T) {
	nan := tensor.Of(tensor.Float32, []int{3}, []float32{1, float32(math.NaN()), 2})
	for f := Min; f <= Levels; f++ {
		width := map[Func]uint32{Dims: 1, Levels: levelCount}[f]
		got, err := Collect(Tap{Func: f, Axis: -1, Width: max(1, width), Q: 0.5}, nan, op.Logical)
		require.NoError(t, err, f)
		require.Equal(t, f != Dims, math.IsNaN(got[0]), f)
	}
	for name, c := range map[string]struct {
		tap Tap
		v   *tensor.Tensor
	}{
		"no float":    {Tap{Func: Max, Axis: -1, Width: 1}, tensor.New(tensor.Int64, 2)},
		"empty":       {Tap{Func: Max, Axis: -1, Width: 1}, tensor.New(tensor.Float32, 0)},
		"no axis":     {Tap{Func: Max, Axis: 2, Width: 1}, tensor.New(tensor.Float32, 2)},
		"other width": {Tap{Func: Max, Axis: 0, Width: 3}, tensor.New(tensor.Float32, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Collect(c.tap, c.v, op.Logical)
			require.Error(t, err)
		})
	}
}

func TestLastAxisAndLevels(t *testing.T) {
	got, err := Collect(Tap{Func: Max, Axis: -2, Width: 3}, iota32(6, 1, 2, 3), op.Logical)
	require.NoError(t, err)
	require.Equal(t, []float64{3, 4, 5}, got)
	got, err = Collect(Tap{Func: Levels, Axis: -1, Width: levelCount}, iota32(31, 31), op.Logical)
	require.NoError(t, err)
	require.Equal(t, []float64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30}, got)
	got, err = Collect(Tap{Func: Dims, Width: 3}, iota32(6, 1, 2, 3), op.Logical)
	require.NoError(t, err)
	require.Equal(t, []float64{1, 2, 3}, got)
}

func TestRecordsHaveAFixedLayout(t *testing.T) {
	taps := []Tap{{Value: "x", Func: Max, Axis: -1, Width: 1}, {Value: "x", Func: Mean, Axis: 0, Width: 2}}
	b, err := Record(taps, map[string]*tensor.Tensor{"x": tensor.Of(tensor.Float32, []int{2}, []float32{1, -2})})
	require.NoError(t, err)
	require.Len(t, b, RecordSize(taps))
	require.Equal(t, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, b[:8])
	_, err = Record(taps, nil)
	require.ErrorContains(t, err, `"x"`)
	got, err := DecodeTaps(EncodeTaps(taps))
	require.NoError(t, err)
	require.Equal(t, taps, got)
	for _, bad := range []Tap{{Func: 99, Width: 1}, {Width: 0}, {Width: MaxWidth + 1}, {Width: 1, Q: 2}, {Width: 1, Q: math.NaN()}} {
		_, err := DecodeTaps(EncodeTaps([]Tap{bad}))
		require.Error(t, err)
	}
	most := slices.Repeat([]Tap{{Width: MaxWidth}}, MaxResults/MaxWidth)
	_, err = DecodeTaps(EncodeTaps(most))
	require.NoError(t, err)
	_, err = DecodeTaps(EncodeTaps(append(most, Tap{Width: 1})))
	require.EqualError(t, err, "taps: 4194305 results a sample, 4194304 are allowed")
	_, err = DecodeTaps(EncodeTaps(slices.Repeat([]Tap{{Width: 1}}, MaxTaps+1)))
	require.ErrorContains(t, err, "65537 statistics")
}

func FuzzDecodeTaps(f *testing.F) {
	f.Add(EncodeTaps(nil))
	f.Add(EncodeTaps([]Tap{{Value: "x", Func: Quantile, Axis: -1, Width: 1, Q: 0.25}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if taps, err := DecodeTaps(b); err == nil {
			require.Equal(t, b, EncodeTaps(taps))
			_ = RecordSize(taps)
		}
	})
}

// TestNoOutliersKeepsTheQuantiles: values that equal the 1 % or the 99 % quantile lie within.
func TestNoOutliersKeepsTheQuantiles(t *testing.T) {
	var rows [][]float64
	for i := range 300 {
		rows = append(rows, []float64{[]float64{0, 7, 10}[min(i/10, 1)+i/290]})
	}
	got, err := Aggregate("mean_no_outliers", rows)
	require.NoError(t, err)
	require.InDelta(t, (280*7+10*10)/300., got[0], 1e-12)
}
