package quant

import (
	"math"

	"assay/shared/tensor"
)

// quantizeWeights stores w as q = clamp(round(w/scale)), half to even, within [-top, top]. axis is -1 per tensor, else the
// axis that scale runs along. The division is float32's, as in QuantizeLinear. top is 127 or less, never 128: symmetric
// weights have 255 levels (pot-spec 3.2), which is what keeps k up to maxDepth exact.
func quantizeWeights(w []float32, shape []int, axis int, scale []float32, top int32) []int8 {
	out := make([]int8, len(w))
	inner, channels := len(w), 1
	if axis >= 0 {
		inner, channels = tensor.Count(shape[axis+1:]), shape[axis]
	}
	for i, v := range w {
		s := scale[0]
		if axis >= 0 {
			s = scale[i/inner%channels]
		}
		out[i] = int8(clampRound(float64(v/s), -float64(top), float64(top)))
	}
	return out
}

// maxDepth is the largest number of products that one int32 accumulator holds exactly: 66,310 * 255 * 127 < 2^31.
const maxDepth = 66310

// maxBias is the largest magnitude of an int32 bias behind sums of depth products, so that bias and sum fit int32
// together. It is at least 2^15 for every depth up to maxDepth. At depth 66,310 it is 2^31-1 - 66,310*255*127 = 34,297.
func maxBias(depth int) float64 { return float64(min(1<<30, math.MaxInt32-depth*255*127)) }

// biasScale is the scale of an int32 bias: one rounding in float32, as the runtimes compute it.
func biasScale(sx, sw float32) float32 { return float32(sx * sw) }

// fitBias returns the weight scale raised, if needed, so that bias at scale sx*sw stays within limit. sw may end a few
// ulps above need: Nextafter32 is there because need was rounded to float32, perhaps down.
func fitBias(sx, sw float32, bias, limit float64) float32 {
	if need := math.Abs(bias) / float64(sx) / limit; need > float64(sw) {
		sw = math.Nextafter32(float32(need), math.MaxFloat32)
	}
	for !(biasScale(sx, sw) > 0) { // a product below float32's smallest number
		sw = float32(sw * 2)
	}
	return sw
}

// quantizeBias rounds b/scale half to even into int32. Params have made room (fitBias), so clamping is a safety only.
func quantizeBias(b, scale float32) int32 {
	q := math.RoundToEven(float64(b) / float64(scale))
	return int32(min(max(q, math.MinInt32), math.MaxInt32))
}

// clampRound rounds half to even and clamps.
func clampRound(v, lo, hi float64) float64 { return min(max(math.RoundToEven(v), lo), hi) }
