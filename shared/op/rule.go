package op

import (
	"fmt"
	"math"
	"slices"

	"assay/shared/tensor"
)

// has reports whether input i is given.
func (x *Infer) has(i int) bool { return i < len(x.In) && x.In[i].DType != tensor.Invalid }

// put sets output i where the node names it. The shape is copied. An output that the node does not name is ignored, so
// rules need not ask.
func (x *Infer) put(i int, d tensor.DType, shape ...int) {
	if i < len(x.Out) && x.Node.Outputs[i] != "" {
		x.Out[i] = Info{DType: d, Shape: append([]int{}, shape...)}
	}
}

// known returns the integers of an input that the shape depends on. what names the input in the message. Only integer
// tensors qualify; the slice may be shared with the constant and is read-only.
func (x *Infer) known(i int, what string) ([]int64, error) {
	t := x.In[i].Value
	if t == nil {
		return nil, &Unknown{Input: i, What: what}
	}
	v, err := t.Ints()
	if err != nil {
		return nil, fmt.Errorf("input %d (%s): %w", i, what, err)
	}
	return v, nil
}

// axesInput returns the axes in optional input i: ok is false when it is omitted. An empty list is given, and not the
// same as an omitted one: reductions and Squeeze tell them apart.
func (x *Infer) axesInput(i, rank int) (axes []int, ok bool, err error) {
	if !x.has(i) {
		return nil, false, nil
	}
	v, err := x.known(i, "axes")
	if err != nil {
		return nil, false, err
	}
	axes, err = axesIn(v, rank)
	return axes, true, err
}

// same is the rule of operators whose only output has the type and shape of input 0.
func same(x *Infer) error {
	x.put(0, x.In[0].DType, x.In[0].Shape...)
	return nil
}

// alike refuses inputs of another element type than input 0. Omitted inputs pass.
func (x *Infer) alike(inputs ...int) error {
	for _, i := range inputs {
		if x.has(i) && x.In[i].DType != x.In[0].DType {
			return fmt.Errorf("input %d is %s, input 0 is %s", i, x.In[i].DType, x.In[0].DType)
		}
	}
	return nil
}

// toInt narrows a number from a model to what shapes hold. Shapes of 32 bits keep products of a few sizes inside int64
// on the way to possible().
func toInt(v int64) (int, error) {
	if v < math.MinInt32 || v > math.MaxInt32 {
		return 0, fmt.Errorf("%d is no sensible size", v)
	}
	return int(v), nil
}

// toInts narrows a list.
func toInts(v []int64) ([]int, error) {
	out := make([]int, len(v))
	for i, n := range v {
		var err error
		if out[i], err = toInt(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// int64s makes a constant of one axis.
func int64s(v ...int64) *tensor.Tensor { return tensor.Of(tensor.Int64, []int{len(v)}, v) }

// scalar makes a float32 constant without axes.
func scalar(v float32) *tensor.Tensor { return tensor.Of(tensor.Float32, nil, []float32{v}) }

// sortedCopy returns v in ascending order.
func sortedCopy(v []int) []int {
	out := slices.Clone(v)
	slices.Sort(out)
	return out
}

var (
	float32Only  = []tensor.DType{tensor.Float32}
	indexTypes   = []tensor.DType{tensor.Int32, tensor.Int64}
	boolOnly     = []tensor.DType{tensor.Bool}
	numericTypes = []tensor.DType{
		tensor.Float32, tensor.Float64, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64,
		tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64,
	}
	signed = []tensor.DType{tensor.Float32, tensor.Float64, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64}
)
