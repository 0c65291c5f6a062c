package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/op"
	"assay/shared/tensor"
)

// TestStatisticsDoNotDependOnLayout collects every statistic over everything and by each axis from values of one to five
// axes that lie in either order, zeros of both signs among them, and demands equal bits.
func TestStatisticsDoNotDependOnLayout(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, shape := range [][]int{{5}, {3, 4}, {2, 3, 4}, {1, 7, 3, 5}, {2, 3, 4, 5}, {3, 1, 1, 4}, {2, 3, 2, 3, 4}} {
		v := tensor.New(tensor.Float32, shape...)
		for i, x := 0, v.F32(); i < len(x); i++ {
			if x[i] = float32(r.NormFloat64()); r.IntN(4) == 0 {
				x[i] = float32(math.Copysign(0, float64(x[i])))
			}
		}
		last := v
		if len(shape) >= 3 {
			last = tensor.New(tensor.Float32, shape...)
			channels, pixels := shape[1], tensor.Count(shape[2:])
			for i, x := range v.F32() {
				n, c, p := i/pixels/channels, i/pixels%channels, i%pixels
				last.F32()[(n*pixels+p)*channels+c] = x
			}
			require.Equal(t, v.F32(), channelsFirst(last.F32(), shape))
		}
		for f := Min; f <= Magnitudes; f++ {
			for axis := -1; axis < len(shape); axis++ {
				width := map[Func]int{Dims: len(shape), Levels: levelCount, Magnitudes: MagnitudeBins}[f]
				if width = max(1, width); axis >= 0 && f != Dims {
					width *= shape[axis]
				}
				tap := Tap{Func: f, Axis: int32(axis), Width: uint32(width), Q: 0.3}
				want, err := Collect(tap, v, op.Logical)
				require.NoError(t, err)
				got, err := Collect(tap, last, op.ChannelsLast)
				require.NoError(t, err)
				for i := range want {
					require.Equal(t, math.Float64bits(want[i]), math.Float64bits(got[i]), "%s by axis %d of %v: %v and %v", f, axis, shape, want, got)
				}
			}
		}
	}
}

// TestRecorderTakesValuesInAnyOrder: records are in the order of the taps, whatever comes first; what is missing is
// named.
func TestRecorderTakesValuesInAnyOrder(t *testing.T) {
	taps := []Tap{{Value: "a", Func: Min, Axis: -1, Width: 1}, {Value: "b", Func: Max, Axis: 1, Width: 2}, {Value: "a", Func: Max, Axis: -1, Width: 1}}
	one := func(v ...float32) *tensor.Tensor { return tensor.Of(tensor.Float32, []int{1, len(v)}, v) }
	r := NewRecorder(taps, 2)
	require.NoError(t, r.Add("b", 1, one(7, 8), op.Logical))
	require.NoError(t, r.Add("a", 1, one(3, 4), op.Logical))
	require.NoError(t, r.Add("nobody's", 0, one(1), op.Logical))
	require.NoError(t, r.Add("a", 0, one(-1, 1), op.Logical))
	_, err := r.Records()
	require.EqualError(t, err, `statistic max of "b": the value was not computed`)
	require.NoError(t, r.Add("b", 0, one(5, 6), op.Logical))
	got, err := r.Records()
	require.NoError(t, err)
	require.Len(t, got, 2*RecordSize(taps))
	for i, v := range []map[string]*tensor.Tensor{{"a": one(-1, 1), "b": one(5, 6)}, {"a": one(3, 4), "b": one(7, 8)}} {
		want, err := Record(taps, v)
		require.NoError(t, err)
		require.Equal(t, want, got[i*len(want):][:len(want)])
	}
	require.ErrorContains(t, r.Add("a", 0, tensor.New(tensor.Int32, 1), op.Logical), "is not float32")
}
