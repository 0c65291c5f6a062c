package op

import (
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// shapeOps compute shapes and index lists, or only give a tensor another shape. Shape takes start and end since opset 15,
// both cut to the rank. In Reshape 0 copies an axis unless allowzero (opset 14) and one -1 is what is left; the shape has to
// be known before the run and is attribute-free since opset 5. Squeeze and Unsqueeze take axes as an input since opset 13.
// Flatten's axis is 1, ConstantOfShape's value a float32 0 by default. Range refuses a step of 0 and more than maxRange
// numbers. What only reshapes passes integers on; what computes shapes is never quantized.
var shapeOps = []*Op{
	{
		Name: "Shape", Opsets: []int{1, 13, 15, 19, 21}, Role: RoleShape, Memory: MemoryAny,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"end", "start"}, Infer: inferShape, RowWise: never,
	},
	{
		Name: "Size", Opsets: []int{1, 13, 19, 21}, Role: RoleShape, Memory: MemoryAny,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, RowWise: never,
		Infer: func(x *Infer) error {
			x.put(0, tensor.Int64)
			x.value(0, tensor.Of(tensor.Int64, nil, []int64{int64(tensor.Count(x.In[0].Shape))}))
			return nil
		},
	},
	{
		Name: "Reshape", Opsets: []int{5, 13, 14, 19, 21}, Role: RolePassThrough, Upgrade: nil,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Attrs: []string{"allowzero"},
		Infer: inferReshape, Lower: lowerCopy, RowWise: keepsRows,
	},
	{
		Name: "Flatten", Opsets: []int{1, 9, 11, 13, 21}, Role: RolePassThrough,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"axis"},
		Infer: inferFlatten, Lower: lowerCopy, RowWise: keepsRows,
	},
	{
		Name: "Squeeze", Opsets: []int{1, 11, 13, 21}, Role: RolePassThrough, Upgrade: axesToInput,
		Inputs: Arity{1, 2}, Outputs: Arity{1, 1},
		Infer: inferSqueeze, Lower: lowerCopy, RowWise: keepsRows,
	},
	{
		Name: "Unsqueeze", Opsets: []int{1, 11, 13, 21}, Role: RolePassThrough, Upgrade: axesToInput,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1},
		Infer: inferUnsqueeze, Lower: lowerCopy, RowWise: keepsRows,
	},
	{
		Name: "Identity", Opsets: []int{1, 13, 14, 16, 19, 21}, Role: RolePassThrough, Memory: MemoryAny,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Infer: inferIdentity, Lower: lowerCopy, Control: runIdentity,
	},
	{
		Name: "ConstantOfShape", Opsets: []int{9, 20, 21}, Role: RoleShape,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"value"}, Types: []tensor.DType{tensor.Int64},
		Infer: inferConstantOfShape, Lower: lowerConstantOfShape, RowWise: never,
	},
	{
		Name: "Range", Opsets: []int{11}, Role: RoleShape,
		Inputs: Arity{3, 3}, Outputs: Arity{1, 1}, Types: slices.Concat(numericTypes, halfTypes),
		Infer: inferRange, RowWise: never,
	},
}

// value sets the elements of output i where the node names it. Call put first: the type and shape have to be there.
func (x *Infer) value(i int, t *tensor.Tensor) {
	if i < len(x.Out) && x.Node.Outputs[i] != "" {
		x.Out[i].Value = t
	}
}

// never says that rows of the output are not rows of the input.
func never(*Lower) bool { return false }

// keepsRows says that an operator which only reshapes leaves axis 0 alone. Reshape [2, 3] to [2, 3] and [6] to [6]
// pass; what 0 and -1 stand for has been resolved for the batch at hand.
func keepsRows(l *Lower) bool {
	in, out := l.In[0].Shape, l.Out[0].Shape
	return len(in) > 0 && len(out) > 0 && in[0] == out[0]
}

// lowerCopy is the kernel of operators that pass input 0's bytes on. When the engine let output and input share a
// buffer there is nothing to do.
func lowerCopy(l *Lower) (Kernel, error) {
	src, err := l.operand(0, l.layout())
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: 0, Run: func(c *Call) {
		if in := src.bytes(c); len(in) > 0 && &in[0] != &c.Out[0][0] {
			copy(c.Out[0], in)
		}
	}}, nil
}

// inferShape also gives the elements: they follow from the shape alone.
func inferShape(x *Infer) error {
	shape := x.In[0].Shape
	rank := int64(len(shape))
	clamp := func(v int64) int64 {
		if v < 0 {
			v += rank
		}
		return min(max(v, 0), rank)
	}
	start, end := clamp(x.Node.Int("start", 0)), clamp(x.Node.Int("end", rank))
	v := []int64{}
	for i := start; i < end; i++ {
		v = append(v, int64(shape[i]))
	}
	x.put(0, tensor.Int64, len(v))
	x.value(0, int64s(v...))
	return nil
}

// inferReshape follows ONNX: -1 is what remains, 0 copies the input's axis unless allowzero says that it is 0. -1 is
// refused beside an axis of 0, where it would be anything.
func inferReshape(x *Infer) error {
	want, err := x.known(1, "shape")
	if err != nil {
		return err
	}
	in := x.In[0].Shape
	out, err := toInts(want)
	if err != nil {
		return err
	}
	free, n := -1, 1
	for i, d := range out {
		switch {
		case d == -1 && free >= 0:
			return fmt.Errorf("shape %v has two unknown axes", want)
		case d == -1:
			free = i
			continue
		case d == 0 && x.Node.Int("allowzero", 0) == 0:
			if i >= len(in) {
				return fmt.Errorf("shape %v copies axis %d, which input shape %v does not have", want, i, in)
			}
			out[i] = in[i]
		case d < 0:
			return fmt.Errorf("shape %v has a negative axis", want)
		}
		n *= out[i]
	}
	count := tensor.Count(in)
	if free >= 0 {
		if n == 0 || count%n != 0 {
			return fmt.Errorf("%d elements of shape %v do not fit shape %v", count, in, want)
		}
		out[free] = count / n
		n = count
	}
	if n != count {
		return fmt.Errorf("%d elements of shape %v do not fit shape %v", count, in, want)
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// inferFlatten: the axes before axis become rows, the others columns; none of them counts as 1. axis may equal the
// rank: everything is rows then.
func inferFlatten(x *Infer) error {
	in := x.In[0].Shape
	axis := x.Node.Int("axis", 1)
	if axis < 0 {
		axis += int64(len(in))
	}
	if axis < 0 || axis > int64(len(in)) {
		return fmt.Errorf("axis %d is outside a tensor of %d axes", x.Node.Int("axis", 1), len(in))
	}
	x.put(0, x.In[0].DType, tensor.Count(in[:axis]), tensor.Count(in[axis:]))
	return nil
}

// inferSqueeze removes the axes named, which are 1, or all that are. A given empty list of axes removes none.
func inferSqueeze(x *Infer) error {
	in := x.In[0].Shape
	axes, given, err := x.axesInput(1, len(in))
	if err != nil {
		return err
	}
	drop := make([]bool, len(in))
	for _, a := range axes {
		if in[a] != 1 {
			return fmt.Errorf("axis %d of shape %v is not 1", a, in)
		}
		drop[a] = true
	}
	out := []int{}
	for i, n := range in {
		if drop[i] || !given && n == 1 {
			continue
		}
		out = append(out, n)
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// inferUnsqueeze inserts axes of 1; they are counted in the output. Data of rank r and k axes give rank r + k; each
// axis is within it and named once.
func inferUnsqueeze(x *Infer) error {
	in := x.In[0].Shape
	v, err := x.known(1, "axes")
	if err != nil {
		return err
	}
	rank := len(in) + len(v)
	axes, err := axesIn(v, rank)
	if err != nil {
		return err
	}
	isNew := make([]bool, rank)
	for _, a := range axes {
		isNew[a] = true
	}
	out := make([]int, 0, rank)
	for i, k := 0, 0; i < rank; i++ {
		if isNew[i] {
			out = append(out, 1)
			continue
		}
		out = append(out, in[k])
		k++
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// fillValue is ConstantOfShape's element, float32 0 by default.
func fillValue(x *Infer) (*tensor.Tensor, error) {
	a := x.Node.Attr("value")
	if a == nil {
		return scalar(0), nil
	}
	if a.Tensor == nil || a.Tensor.DType.Size() == 0 || len(a.Tensor.Data) != a.Tensor.DType.Size() {
		return nil, fmt.Errorf("attribute value is no tensor of one element")
	}
	return a.Tensor, nil
}

// inferConstantOfShape: input 0 are the sizes, the type is that of attribute value.
func inferConstantOfShape(x *Infer) error {
	v, err := x.known(0, "shape")
	if err != nil {
		return err
	}
	shape, err := toInts(v)
	if err != nil {
		return err
	}
	fill, err := fillValue(x)
	if err != nil {
		return err
	}
	x.put(0, fill.DType, shape...)
	return nil
}

// lowerConstantOfShape repeats one element; the shape rule has known the size.
func lowerConstantOfShape(l *Lower) (Kernel, error) {
	fill, err := fillValue(&Infer{Node: l.Node})
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) { repeat(c.Out[0], fill.Data) }}, nil
}

// repeat fills dst with copies of unit. It doubles what is written already, so a fill of any unit runs at the speed of
// copy. len(dst) is a multiple of len(unit).
func repeat(dst, unit []byte) {
	if len(dst) == 0 {
		return
	}
	for n := copy(dst, unit); n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}
