package op

import (
	"fmt"
	"math"
	"slices"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// normOps normalise with statistics that are constants (BatchNormalization) or of the data itself. Defaults: epsilon 1e-5;
// axis -1 of LayerNormalization, whose other axes from there on are normalised together; alpha 1e-4, beta 0.75, bias 1 of
// LRN, whose window of size channels has its longer half behind the element. Refused: training mode of BatchNormalization
// and Dropout, running statistics as outputs, data without channels, parameters that do not fit them, and statistics that
// are computed from data. A BatchNormalization behind a layer is folded into it before anything is quantized; what is left
// stays float. Dropout at inference passes integers on.
var normOps = []*Op{
	{
		Name: "BatchNormalization", Opsets: []int{6, 7, 9, 14, 15}, Role: RoleFloat, Memory: MemoryAny, Types: float32Only,
		Upgrade: upgradeBatchNormalization, Inputs: Arity{5, 5}, Outputs: Arity{1, 1}, Attrs: []string{"epsilon"},
		Infer: inferBatchNormalization, Lower: lowerBatchNormalization,
	},
	{
		Name: "LayerNormalization", Opsets: []int{1, 17}, Role: RoleFloat, Types: float32Only,
		Inputs: Arity{2, 3}, Outputs: Arity{1, 3}, Attrs: []string{"axis", "epsilon", "stash_type"},
		Infer: inferLayerNormalization, Lower: lowerLayerNormalization, RowWise: axisKeepsRows(-1),
	},
	{
		Name: "LRN", Opsets: []int{1, 13}, Role: RoleFloat, Types: float32Only,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"alpha", "beta", "bias", "size"},
		Infer: func(x *Infer) error {
			if len(x.In[0].Shape) < 2 || x.Node.Int("size", 0) < 1 {
				return fmt.Errorf("data shape %v and size %d: two axes and a positive size are required", x.In[0].Shape, x.Node.Int("size", 0))
			}
			return same(x)
		},
		Lower: lowerLRN,
	},
	{
		Name: "Dropout", Opsets: []int{6, 7, 10, 12, 13}, Role: RolePassThrough, Memory: MemoryAny, Upgrade: upgradeDropout,
		Inputs: Arity{1, 3}, Outputs: Arity{1, 2}, Infer: inferDropout, Lower: lowerDropout,
	},
}

// inferDropout: at inference the data passes; the mask is all true. training_mode has to be known to be false.
func inferDropout(x *Infer) error {
	if x.has(2) {
		v, err := x.known(2, "training_mode")
		if err != nil {
			return err
		}
		if len(v) != 1 || v[0] != 0 {
			return fmt.Errorf("training_mode is not supported: export the model for inference")
		}
	}
	x.put(1, tensor.Bool, x.In[0].Shape...)
	return same(x)
}

// lowerDropout is a copy, and bytes of 1 where the mask is read.
func lowerDropout(l *Lower) (Kernel, error) {
	k, err := lowerCopy(l)
	if err != nil || !l.wants(1) {
		return k, err
	}
	run := k.Run
	k.Run = func(c *Call) {
		run(c)
		repeat(c.Out[1], []byte{1})
	}
	return k, nil
}

// inferBatchNormalization: scale, bias, mean and variance have one element for each channel, which is axis 1, and the data's
// type.
func inferBatchNormalization(x *Infer) error {
	data := x.In[0].Shape
	if len(data) < 2 {
		return fmt.Errorf("data shape %v has no channels", data)
	}
	for i := 1; i < 5; i++ {
		if !slices.Equal(x.In[i].Shape, data[1:2]) {
			return fmt.Errorf("input %d has shape %v, data has %d channels", i, x.In[i].Shape, data[1])
		}
	}
	if err := x.alike(1, 2, 3, 4); err != nil {
		return err
	}
	return same(x)
}

// lowerBatchNormalization computes x*a + b with a = scale / sqrt(var + epsilon) and b = bias - mean*a, the product
// rounded before the sum. Alias 0 is right since each element is read once, before it is written. inner is 1 in
// channels-last memory: channels are then the fastest axis.
func lowerBatchNormalization(l *Lower) (Kernel, error) {
	var p [4][]float32
	for i, what := range []string{"scale", "bias", "mean", "variance"} {
		t, err := l.constant(i+1, what)
		if err != nil {
			return Kernel{}, err
		}
		p[i] = t.F32()
	}
	a, b := BatchNormTerms(p[0], p[1], p[2], p[3], l.Node.Float("epsilon", 1e-5))
	y, shape := l.layout(), l.In[0].Shape
	src, err := l.operand(0, y)
	if err != nil {
		return Kernel{}, err
	}
	inner := tensor.Count(physical(y, shape)[y.axis(1, len(shape))+1:])
	return Kernel{Alias: 0, Run: func(c *Call) {
		in, dst := view[float32](src.bytes(c)), view[float32](c.Out[0])
		for i := 0; i < len(in); i += inner {
			k := i / inner % len(a)
			for j, v := range in[i : i+inner] {
				dst[i+j] = numeric.Canon(float32(v*a[k]) + b[k])
			}
		}
	}}, nil
}

// BatchNormTerms returns the factor scale / sqrt(variance + epsilon) and the summand bias - mean*factor of each channel,
// computed in float64 and rounded once: what BatchNormalization multiplies by and adds, and what folding it into a layer
// uses. All slices have one length. A negative variance gives NaN, as it does in ONNX Runtime.
func BatchNormTerms(scale, bias, mean, variance []float32, epsilon float32) (factor, summand []float32) {
	factor, summand = make([]float32, len(scale)), make([]float32, len(scale))
	for i := range scale {
		f := float64(scale[i]) / math.Sqrt(float64(variance[i])+float64(epsilon))
		factor[i] = float32(f)
		summand[i] = float32(float64(bias[i]) - float64(float64(mean[i])*f))
	}
	return factor, summand
}

// inferLayerNormalization: scale and bias stretch to the axes from axis on; mean and inverse deviation keep those as 1.
// The statistics are float32 for half inputs too.
func inferLayerNormalization(x *Infer) error {
	if err := x.stash(); err != nil {
		return err
	}
	data := x.In[0].Shape
	axis, err := axisIn(x.Node.Int("axis", -1), len(data))
	if err != nil {
		return err
	}
	if err := x.alike(1, 2); err != nil {
		return err
	}
	for i := 1; i < len(x.In); i++ {
		if !x.has(i) {
			continue
		}
		if s, err := broadcast(x.In[i].Shape, data[axis:]); err != nil || !slices.Equal(s, data[axis:]) {
			return fmt.Errorf("input %d has shape %v, which does not stretch to %v", i, x.In[i].Shape, data[axis:])
		}
	}
	statistic := slices.Clone(data)
	for i := axis; i < len(data); i++ {
		statistic[i] = 1
	}
	x.put(1, tensor.Float32, statistic...)
	x.put(2, tensor.Float32, statistic...)
	return same(x)
}

// spread brings input i, where it is given, to shape as a dense constant. nil for an omitted input. The copy is made at
// lowering, so kernels read parameters with stride 1.
func (l *Lower) spread(i int, shape []int) ([]float32, error) {
	t, err := l.constant(i, "scale or bias")
	if t == nil || err != nil {
		return nil, err
	}
	out := make([]float32, tensor.Count(shape))
	raw := &tensor.Tensor{DType: tensor.Float32, Shape: shape, Data: make([]byte, 4*len(out))}
	copyStrided(raw.Data, aligned(t), shape, stretch(t.Shape, shape, Logical), 0, 4)
	copy(out, raw.F32())
	return out, nil
}

// lowerLayerNormalization: y = (x - mean) / sqrt(variance + epsilon) * scale + bias over rows of n, biased variance in
// two passes. Statistics are computed before the kernel runs, as it may write over its input.
func lowerLayerNormalization(l *Lower) (Kernel, error) {
	data := l.In[0].Shape
	axis, err := axisIn(l.Node.Int("axis", -1), len(data))
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	scale, err := l.spread(1, data[axis:])
	if err != nil {
		return Kernel{}, err
	}
	bias, err := l.spread(2, data[axis:])
	if err != nil {
		return Kernel{}, err
	}
	n, epsilon := tensor.Count(data[axis:]), l.Node.Float("epsilon", 1e-5)
	if n == 0 {
		return Kernel{}, fmt.Errorf("data shape %v is empty behind axis %d", data, axis)
	}
	rows := tensor.Count(data[:axis])
	statistics := layerStatistics(l, rows, n, epsilon)
	return Kernel{Alias: 0, Run: func(c *Call) {
		layerNorm(c, view[float32](src.bytes(c)), rows, n, scale, bias, epsilon, statistics)
	}}, nil
}

// lowerLRN: y = x / (bias + alpha/size * sum of squares of the channels around it)^beta. For channel c the window is
// [c - floor((size-1)/2), c + ceil((size-1)/2)]. The window's sum is one chain in channel order from the lowest;
// squares are rounded before they are added, alpha/size once at lowering.
func lowerLRN(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	size := int(l.Node.Int("size", 1))
	alpha, beta, bias := l.Node.Float("alpha", 1e-4), l.Node.Float("beta", 0.75), l.Node.Float("bias", 1)
	channels, inner := shape[1], tensor.Count(shape[2:])
	factor := alpha / float32(size)
	room := spaced(4 * inner)
	return Kernel{Alias: -1, Scratch: 2 * room, Run: func(c *Call) {
		in, dst := view[float32](src.bytes(c)), view[float32](c.Out[0])
		if len(dst) == 0 {
			return
		}
		part, square := view[float32](c.Scratch[:4*inner]), view[float32](c.Scratch[room:][:4*inner])
		for i := range len(dst) / inner {
			k, sums := i%channels, dst[i*inner:][:inner]
			clear(sums)
			clear(part)
			first, last := max(0, k-(size-1)/2), min(channels-1, k+size/2)
			for j := first; j <= last; j++ { // the chains of all places of a channel, each as numeric.Chain sums
				row := in[(i+j-k)*inner:][:inner]
				elementwise.Row(elementwise.Mul, square, row, row)
				elementwise.Row(elementwise.Add, part, part, square)
				if (j-first+1)%numeric.Run == 0 {
					elementwise.Row(elementwise.Add, sums, sums, part)
					clear(part)
				}
			}
			elementwise.Row(elementwise.Add, sums, sums, part)
			elementwise.Number(elementwise.Mul, sums, sums, factor)
			elementwise.Number(elementwise.Add, sums, sums, bias)
			elementwise.Number(elementwise.Pow, sums, sums, beta)
			elementwise.Row(elementwise.Div, sums, in[i*inner:][:inner], sums)
		}
	}}, nil
}
