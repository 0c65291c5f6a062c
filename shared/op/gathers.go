package op

import (
	"fmt"
	"slices"

	"assay/kernels/move"
	"assay/shared/tensor"
)

// gatherOps pick elements by index or condition. Indices are int32 or int64 and may be negative; a constant one outside its
// axis is refused, a computed one reads the nearest element, since a kernel cannot fail. Defaults: axis 0 (OneHot: -1, where
// depth has to be known and indices outside give the off value). Gather passes integers at the scale of its data, so that an
// embedding of integers stays one; Where and OneHot stay float.
var gatherOps = []*Op{
	{
		Name: "Gather", Opsets: []int{1, 11, 13}, Role: RolePassThrough,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Attrs: []string{"axis"},
		Infer: inferGather, Lower: lowerGather,
		RowWise: func(l *Lower) bool { // rows of the data, or rows of the indices where the data is constant
			a, err := axisIn(l.Node.Int("axis", 0), len(l.In[0].Shape))
			return err == nil && (a != 0 && l.In[1].Const != nil || a == 0 && l.In[0].Const != nil)
		},
	},
	{
		Name: "Where", Opsets: []int{9, 16}, Role: RoleFloat, Memory: MemoryAny, Types: boolOnly,
		Inputs: Arity{3, 3}, Outputs: Arity{1, 1}, Infer: inferWhere, Lower: lowerWhere, RowWise: broadcastKeepsRows,
	},
	{
		Name: "OneHot", Opsets: []int{9, 11}, Role: RoleFloat, Types: numericTypes,
		Inputs: Arity{3, 3}, Outputs: Arity{1, 1}, Attrs: []string{"axis"}, Infer: inferOneHot, Lower: lowerOneHot,
		RowWise: func(l *Lower) bool {
			a, err := axisIn(l.Node.Int("axis", -1), len(l.Out[0].Shape))
			return err == nil && a != 0
		},
	},
}

// inferGather puts the shape of the indices in the place of the axis. So data [a][n][b] by indices [i][j] at axis 1
// gives [a][i][j][b]; an index without axes removes the axis.
func inferGather(x *Infer) error {
	in, idx := x.In[0].Shape, x.In[1]
	axis, err := axisIn(x.Node.Int("axis", 0), len(in))
	if err != nil {
		return err
	}
	if !slices.Contains(indexTypes, idx.DType) {
		return fmt.Errorf("input 1 (indices) is %s, int32 or int64 is required", idx.DType)
	}
	x.put(0, x.In[0].DType, slices.Concat(in[:axis], idx.Shape, in[axis+1:])...)
	return nil
}

// index reads element i of an int32 or int64 array. size is 4 or 8, the only sizes that indexTypes have.
func index(b []byte, size, i int) int64 {
	if size == 4 {
		return int64(view[int32](b)[i])
	}
	return view[int64](b)[i]
}

// lowerGather copies whole runs behind the axis. An index outside the axis is refused when it is constant and reads
// the nearest element when it is computed: a kernel cannot fail. With a constant data (an embedding) the rows of the
// output are rows of the indices; RowWise of the operator says which of the two the batch may run along.
func lowerGather(l *Lower) (Kernel, error) {
	data, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	idx, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axis, err := axisIn(l.Node.Int("axis", 0), len(data.shape))
	if err != nil {
		return Kernel{}, err
	}
	n, count, isize := data.shape[axis], tensor.Count(idx.shape), l.In[1].DType.Size()
	outer, run := tensor.Count(data.shape[:axis]), tensor.Count(data.shape[axis+1:])*l.In[0].DType.Size()
	if idx.fixed {
		for i := range count {
			if _, err := axisIn(index(idx.data, isize, i), n); err != nil {
				return Kernel{}, fmt.Errorf("index %d is outside axis %d of shape %v", index(idx.data, isize, i), axis, data.shape)
			}
		}
	}
	if n == 0 && count*outer*run > 0 { // place needs an element to go to
		return Kernel{}, fmt.Errorf("axis %d of shape %v is empty", axis, data.shape)
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		src, ib, dst := data.bytes(c), idx.bytes(c), c.Out[0]
		if run == 4 {
			words, to := view[uint32](src), view[uint32](dst)
			for o := range outer {
				for i := range count {
					to[o*count+i] = words[o*n+int(place(index(ib, isize, i), n))]
				}
			}
			return
		}
		for o := range outer {
			for i := range count {
				k := int(place(index(ib, isize, i), n))
				copy(dst[(o*count+i)*run:(o*count+i+1)*run], src[(o*n+k)*run:])
			}
		}
	}}, nil
}

// place wraps a negative index and clamps what is outside. n is at least 1: an empty axis is refused before any kernel
// is made.
func place(k int64, n int) int64 {
	if k < 0 {
		k += int64(n)
	}
	return min(max(k, 0), int64(n)-1)
}

// inferWhere stretches condition and both sides to each other; the sides have one type, the output's.
func inferWhere(x *Infer) error {
	if x.In[1].DType != x.In[2].DType {
		return fmt.Errorf("input 1 is %s, input 2 is %s", x.In[1].DType, x.In[2].DType)
	}
	out, err := broadcast(x.In[0].Shape, x.In[1].Shape, x.In[2].Shape)
	if err != nil {
		return err
	}
	x.put(0, x.In[1].DType, out...)
	return nil
}

// broadcastKeepsRows: with numpy's rule, row i of the output reads row i of every computed operand of its rank, as long
// as none is stretched along axis 0 and no constant has rows of its own. An output without axes has no rows. A constant
// of lower rank, or with 1 in front, is the same for every row.
func broadcastKeepsRows(l *Lower) bool {
	out := l.Out[0].Shape
	if len(out) == 0 {
		return false
	}
	for _, a := range l.In {
		switch {
		case a.Name == "":
		case a.Const != nil:
			if len(a.Shape) == len(out) && a.Shape[0] != 1 {
				return false
			}
		case len(a.Shape) != len(out) || a.Shape[0] != out[0]:
			return false
		}
	}
	return true
}

// lowerWhere copies elements and does no arithmetic, so every type and NaN payload passes. It never aliases: condition bytes
// have another size than the sides. Axes that all operands pass alike are joined first, which keeps the rank below what the
// kernel takes.
func lowerWhere(l *Lower) (Kernel, error) {
	out, y := l.Out[0], l.layout()
	var ops [3]operand
	var strides [3][]int
	for i := range ops {
		var err error
		if ops[i], strides[i], err = l.broadcastOperand(i, out.Shape, y); err != nil {
			return Kernel{}, err
		}
	}
	shape, size := physical(y, out.Shape), out.DType.Size()
	return Kernel{Alias: -1, Run: func(c *Call) {
		move.Select(size, shape, c.Out[0], ops[0].bytes(c), strides[0], ops[1].bytes(c), strides[1], ops[2].bytes(c), strides[2])
	}}, nil
}

// inferOneHot inserts an axis of depth classes at axis, counted in the output; the type is that of the values.
func inferOneHot(x *Infer) error {
	in := x.In[0].Shape
	if tensor.Count(x.In[1].Shape) != 1 || tensor.Count(x.In[2].Shape) != 2 {
		return fmt.Errorf("depth has shape %v and values %v: one and two elements are required", x.In[1].Shape, x.In[2].Shape)
	}
	depth, err := oneHotDepth(x.In[1].Value)
	if err != nil {
		return err
	}
	axis, err := axisIn(x.Node.Int("axis", -1), len(in)+1)
	if err != nil {
		return err
	}
	x.put(0, x.In[2].DType, slices.Insert(slices.Clone(in), axis, depth)...)
	return nil
}

// oneHotDepth reads depth, which may be of any numeric type. ONNX allows float depths; they are cut towards zero by the
// conversion.
func oneHotDepth(t *tensor.Tensor) (int, error) {
	if t == nil {
		return 0, &Unknown{Input: 1, What: "depth"}
	}
	w, err := convert(t, tensor.Int64)
	if err != nil {
		return 0, err
	}
	depth, err := toInt(tensor.View[int64](w)[0])
	if err == nil && depth < 1 {
		err = fmt.Errorf("depth %d is not positive", depth)
	}
	return depth, err
}

// lowerOneHot writes values[1] where the position along the new axis equals the index (negative ones count from the
// end), values[0] elsewhere, and so a row of values[0] for an index outside.
func lowerOneHot(l *Lower) (Kernel, error) {
	idx, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	values, err := l.operand(2, Logical)
	if err != nil {
		return Kernel{}, err
	}
	out, size := l.Out[0], l.Out[0].DType.Size()
	axis, err := axisIn(l.Node.Int("axis", -1), len(out.Shape))
	if err != nil {
		return Kernel{}, err
	}
	depth, inner := out.Shape[axis], tensor.Count(out.Shape[axis+1:])
	toIndex, err := converter(l.In[0].DType, tensor.Int64)
	if err != nil {
		return Kernel{}, err
	}
	n := tensor.Count(idx.shape)
	return Kernel{Scratch: 8 * n, Alias: -1, Run: func(c *Call) {
		v, dst := values.bytes(c), c.Out[0]
		repeat(dst, v[:size])
		toIndex(c.Scratch[:8*n], idx.bytes(c))
		for i, k := range view[int64](c.Scratch[:8*n]) {
			if k < 0 {
				k += int64(depth)
			}
			if k < 0 || k >= int64(depth) {
				continue
			}
			at := ((i/inner)*depth+int(k))*inner + i%inner
			copy(dst[at*size:(at+1)*size], v[size:])
		}
	}}, nil
}
