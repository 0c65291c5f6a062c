package quant

import (
	"assay/shared/op"
	"assay/shared/tensor"
)

// Values lie as the engine made them: in logical order, or with the channels, logical axis 1, last (op.ChannelsLast).
// What does not ask for an order of elements is computed as they lie; sums are taken in logical order, since they round.

// channelAxis is the logical axis of channels.
const channelAxis = 1

// lastShape is a logical shape in the order in which channels-last elements lie.
func lastShape(shape []int) []int {
	out := append([]int{shape[0]}, shape[2:]...)
	return append(out, shape[channelAxis])
}

// lastAxis is where a logical axis is in lastShape; -1, all axes, stays.
func lastAxis(axis, rank int) int {
	switch {
	case axis < channelAxis:
		return axis
	case axis == channelAxis:
		return rank - 1
	}
	return axis - 1
}

// channelsFirst is channels-last x of that logical shape in logical order.
func channelsFirst(x []float32, shape []int) []float32 {
	channels, pixels := shape[channelAxis], tensor.Count(shape[2:])
	out := make([]float32, len(x))
	for first := 0; first < len(x); first += channels * pixels {
		sample, to := x[first:][:channels*pixels], out[first:][:channels*pixels]
		for i, v := range sample {
			to[i%channels*pixels+i/channels] = v
		}
	}
	return out
}

// columnMeans are the means of the columns of rows with n elements: with channels last, of the channels. Each sum is one
// chain in float64 down its column, which is logical order.
func columnMeans(x []float32, n int) []float64 {
	sums := make([]float64, n)
	op.ColumnSums(sums, x)
	for c := range sums {
		sums[c] /= float64(len(x) / n)
	}
	return sums
}
