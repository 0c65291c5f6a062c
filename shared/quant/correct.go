package quant

import (
	"math"

	"assay/shared/tensor"
)

// Fast bias correction: a layer whose input is each channel's mean everywhere answers differently with quantized
// weights than with float ones; the difference goes into the bias. POT takes the float answer from the float model's
// mean output instead, which also moves the bias of a layer whose weights are exact, by however much the input varies
// towards its edges. On inputs that are constant per channel the two agree. Layers are independent of each other and of
// their order.

// correctable: there is a place for a corrected bias. A ConvTranspose's is left as it is: each output position sees other
// taps of the kernel, so that one shift for all of them would be wrong at most. A MatMul without a bias has nowhere to
// put one. More than five axes are no layer that either runtime has.
func (s *sketch) correctable(l *layer) bool {
	return !s.cfg.NoFastBias && l.node.Op != "ConvTranspose" && (l.node.Op != "MatMul" || l.bias != "") && len(s.g.Consts[l.weight].Shape) <= 5
}

// biasTaps are the statistics for l: channel means of its input, the magnitude of its result behind the bias, and the
// input's shape where padding makes the edges differ. Axis -2 is the last one, where Gemm and MatMul have their
// products' inputs. The order of the list is relied upon: mean, magnitude, shape.
func (s *sketch) biasTaps(l *layer) []Tap {
	axis, in := int32(-2), l.depth
	if l.node.Op == "Conv" {
		axis = 1
		in = s.g.Consts[l.weight].Shape[1] * int(l.node.Int("group", 1))
	}
	x := l.node.Inputs[l.data]
	taps := []Tap{
		{Value: x, Func: Mean, Axis: axis, Width: uint32(in)},
		{Value: l.end, Func: AbsMax, Axis: -1, Width: 1},
	}
	if l.node.Op == "Conv" && padded(l) {
		taps = append(taps, Tap{Value: x, Func: Dims, Width: uint32(len(s.g.Consts[l.weight].Shape))})
	}
	return taps
}

// Explicit zeros count as no padding.
func padded(l *layer) bool {
	return nonZero(l.node.Ints("pads")) || l.node.Str("auto_pad", "NOTSET") != "NOTSET" && l.node.Str("auto_pad", "") != "VALID"
}

// corrected returns l's new bias, one value a channel, or nil when the change is too large to be trusted. q holds the
// quantized weights and scale what they stand for (one value or one a channel).
//
// POT compares each change with the bias itself, so that a single zero element switches the layer off (quirk Q19). Here
// an element counts at least a hundredth of the layer's largest output: a shift of 2 % of the range is always small
// enough at the default threshold. The formula is new = old + shift, and the threshold compares |new - old| /
// max(|old|, yMax/100) per channel with BiasThreshold (2 by default, as POT's). One channel beyond it drops the
// correction of the whole layer, as in pot-spec 3.8.
func (s *sketch) corrected(l *layer, st *Stats, q []int8, scale []float32) ([]float32, error) {
	taps := s.biasTaps(l)
	xMean, yMax, err := typicalMean(st, taps)
	if err != nil {
		return nil, err
	}
	share, err := s.insideShare(l, st, taps)
	if err != nil {
		return nil, err
	}
	shift := s.meanShift(l, q, scale, xMean, share)
	old := s.biasValues(l)
	out := make([]float32, l.channels)
	for c := range out {
		out[c] = float32(float64(old[c]) + shift[c])
		change := math.Abs(float64(out[c]) - float64(old[c]))
		if size := max(math.Abs(float64(old[c])), yMax/100); !(change < float64(s.cfg.BiasThreshold*size)) && change > 0 {
			return nil, nil
		}
	}
	return out, nil
}

// typicalMean is the mean input of a layer per channel over the samples whose result is no outlier, and the median of
// the results' magnitudes. One sample a million times too large would otherwise be all of the mean. taps are biasTaps
// of one layer. If every sample were an outlier none is left out.
func typicalMean(st *Stats, taps []Tap) (mean []float64, size float64, err error) {
	x, err := st.each(taps[0])
	if err != nil {
		return nil, 0, err
	}
	y, err := st.fold(taps[1], "median")
	if err != nil {
		return nil, 0, err
	}
	tops, err := st.each(taps[1])
	if err != nil {
		return nil, 0, err
	}
	var rows [][]float64
	for i, top := range tops {
		if top[0] <= float64(outlierRatio*y[0]) {
			rows = append(rows, x[i])
		}
	}
	if len(rows) == 0 {
		rows = x
	}
	mean, err = Aggregate("mean", rows)
	return mean, y[0], err
}

// meanShift is what l loses through quantized weights, per channel: the mean over positions of the layer with the
// weights' errors, fed with mean[channel] everywhere. share is the share of positions at which each tap of the kernel
// lies inside the input; padding contributes nothing. shift[o] = sum over (in, tap) of (w - q*scale) * mean[in] *
// share[tap]: what the quantized layer lacks. q is indexed like the weight (weightAt).
func (s *sketch) meanShift(l *layer, q []int8, scale []float32, mean, share []float64) []float64 {
	w := s.g.Consts[l.weight].F32()
	perGroup := l.channels
	if l.node.Op == "Conv" {
		perGroup = l.channels / max(1, int(l.node.Int("group", 1)))
	}
	out := make([]float64, l.channels)
	for o := range out {
		sc := float64(scale[min(o, len(scale)-1)])
		sum := 0.0
		for k := range l.depth {
			in, tap := k, 0
			if l.node.Op == "Conv" {
				in, tap = o/perGroup*(l.depth/len(share))+k/len(share), k%len(share)
			}
			i := l.weightAt(o, k)
			lost := float64(w[i]) - float64(float64(q[i])*sc)
			sum += float64(float64(lost*mean[in]) * share[tap])
		}
		out[o] = sum
	}
	return out
}

// weightAt is the position of product k of output channel o in the constant. Channels outside (axis 0: Conv, transposed
// Gemm) or inside (axis 1: Gemm, MatMul), k over the rest in the constant's own order.
func (l *layer) weightAt(o, k int) int {
	if l.axis == 0 {
		return o*l.depth + k
	}
	return k*l.channels + o
}

// insideShare is, for each tap of a Conv's kernel in row-major order, the share of output positions at which it reads
// the input and not the padding, averaged over the samples. Other layers have one tap, always inside. Axes are
// independent, so the share of a tap is the product of its shares along them.
func (s *sketch) insideShare(l *layer, st *Stats, taps []Tap) ([]float64, error) {
	if l.node.Op != "Conv" {
		return []float64{1}, nil
	}
	kernel := s.g.Consts[l.weight].Shape[2:]
	share := make([]float64, tensor.Count(kernel))
	if !padded(l) {
		for i := range share {
			share[i] = 1
		}
		return share, nil
	}
	dims, err := st.each(taps[2])
	if err != nil {
		return nil, err
	}
	for _, d := range dims {
		var axes [][]float64
		for a, k := range kernel {
			axes = append(axes, axisShare(l, a, len(kernel), k, int(d[2+a])))
		}
		for i := range share {
			p, rest := 1.0, i
			for a := len(kernel) - 1; a >= 0; a-- {
				p = float64(p * axes[a][rest%kernel[a]])
				rest /= kernel[a]
			}
			share[i] += p / float64(len(dims))
		}
	}
	return share, nil
}

// axisShare is the share of output positions along spatial axis a (size n, kernel k) at which each tap is inside. Its
// geometry is op's window, counted by trying every position; SAME's odd cell goes to the end for SAME_UPPER.
func axisShare(l *layer, a, axes, k, n int) []float64 {
	stride, dilation := at(l.node.Ints("strides"), a, 1), at(l.node.Ints("dilations"), a, 1)
	before, after := at(l.node.Ints("pads"), a, 0), at(l.node.Ints("pads"), axes+a, 0)
	if auto := l.node.Str("auto_pad", "NOTSET"); auto == "SAME_UPPER" || auto == "SAME_LOWER" {
		total := max(0, ((n+stride-1)/stride-1)*stride+(k-1)*dilation+1-n)
		before = total / 2
		if auto == "SAME_LOWER" {
			before = total - total/2
		}
		after = total - before
	}
	positions := (n+before+after-(k-1)*dilation-1)/stride + 1
	out := make([]float64, k)
	for t := range out {
		inside := 0
		for p := range max(0, positions) {
			if i := p*stride + t*dilation - before; i >= 0 && i < n {
				inside++
			}
		}
		out[t] = float64(inside) / float64(max(1, positions))
	}
	return out
}

// at is entry i, or def where the list ends earlier (an attribute that is absent).
func at(v []int64, i, def int) int {
	if i < len(v) {
		return int(v[i])
	}
	return def
}

// biasValues is l's bias in the float model, one value a channel. Zeros where there is none; a single value is spread.
func (s *sketch) biasValues(l *layer) []float32 {
	out := make([]float32, l.channels)
	if l.bias == "" {
		return out
	}
	b := s.g.Consts[l.bias].F32()
	for c := range out {
		out[c] = b[c%len(b)]
	}
	return out
}
