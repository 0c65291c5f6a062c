package op

import (
	"fmt"
	"math"
	"slices"
)

// sliceOps cut and extend tensors. Slice's bounds are attributes before opset 10, then inputs that have to be known; bounds
// beyond an end are moved to it, whatever their size, steps may be negative and never 0. Pad's amounts and value are
// attributes before opset 11, then inputs; mode is constant by default (edge, reflect, and wrap since opset 19), a negative
// amount cuts first and the mode repeats what is left. Both pass integers on.
var sliceOps = []*Op{
	{
		Name: "Slice", Opsets: []int{1, 10, 11, 13}, Role: RolePassThrough, Memory: MemoryAny, Upgrade: upgradeSlice,
		Inputs: Arity{3, 5}, Outputs: Arity{1, 1},
		Infer: inferSlice, Lower: lowerSlice, RowWise: keepsRows,
	},
	{
		Name: "Pad", Opsets: []int{2, 11, 13, 18, 19, 21}, Role: RolePassThrough, Memory: MemoryAny, Upgrade: upgradePad,
		Inputs: Arity{2, 4}, Outputs: Arity{1, 1}, Attrs: []string{"mode"},
		Infer: inferPad, Lower: lowerPad, RowWise: keepsRows,
	},
}

// upgradeSlice makes attributes starts, ends, axes of opset 1 inputs.
func upgradeSlice(u *Upgrade) error {
	n := u.Node
	if u.From >= 10 {
		return nil
	}
	starts, ends := n.Ints("starts"), n.Ints("ends")
	if starts == nil || ends == nil {
		return fmt.Errorf("attributes starts and ends are required at opset %d", u.From)
	}
	n.Inputs = append(n.Inputs[:min(len(n.Inputs), 1)], u.AddConst("starts", int64s(starts...)), u.AddConst("ends", int64s(ends...)))
	if axes := n.Ints("axes"); axes != nil {
		n.Inputs = append(n.Inputs, u.AddConst("axes", int64s(axes...)))
	}
	n.Unset("starts")
	n.Unset("ends")
	n.Unset("axes")
	return nil
}

// cut is one Slice along all axes: element i of the output's axis a is element start[a] + i*step[a] of the input. step
// is never 0; size is 0 where nothing is left.
type cut struct{ start, step, size []int }

// cutOf reads the inputs of a Slice: negative bounds count from the end, then all are moved inside, to where no element lies
// behind them for negative steps.
func cutOf(x *Infer) (cut, error) {
	in := x.In[0].Shape
	starts, err := x.known(1, "starts")
	if err != nil {
		return cut{}, err
	}
	ends, err := x.known(2, "ends")
	if err != nil {
		return cut{}, err
	}
	axes, given, err := x.axesInput(3, len(in))
	if err != nil {
		return cut{}, err
	}
	if !given {
		axes = Logical.axes(len(starts))
	}
	steps := make([]int64, len(starts))
	for i := range steps {
		steps[i] = 1
	}
	if x.has(4) {
		if steps, err = x.known(4, "steps"); err != nil {
			return cut{}, err
		}
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) || len(starts) > len(in) {
		return cut{}, fmt.Errorf("%d starts, %d ends, %d axes and %d steps do not fit shape %v", len(starts), len(ends), len(axes), len(steps), in)
	}
	c := cut{make([]int, len(in)), make([]int, len(in)), slices.Clone(in)}
	for i := range c.step {
		c.step[i] = 1
	}
	for i, a := range axes {
		if steps[i] == 0 || steps[i] == math.MinInt64 {
			return cut{}, fmt.Errorf("step %d along axis %d is impossible", steps[i], a)
		}
		c.start[a], c.step[a], c.size[a] = along(in[a], starts[i], ends[i], steps[i])
	}
	return c, nil
}

// along clamps one axis of length n as ONNX says: negative positions count from the end; then a positive step clamps both
// to [0, n], a negative one start to [0, n-1] and end to [-1, n-1]. Steps beyond the axis are cut to just past it, so
// products with strides cannot overflow: one element is all that such a step reaches.
func along(n int, start, end, step int64) (first, stride, size int) {
	m := int64(n)
	if start < 0 {
		start += m
	}
	if end < 0 {
		end += m
	}
	if step > 0 {
		start, end = min(max(start, 0), m), min(max(end, 0), m)
		step = min(step, m+1)
		size = int(max(0, (end-start+step-1)/step))
	} else {
		start, end = min(max(start, 0), m-1), min(max(end, -1), m-1)
		step = max(step, -m-1)
		size = int(max(0, (start-end-step-1)/-step))
	}
	if n == 0 {
		size = 0
	}
	return int(start), int(step), size
}

// inferSlice: the number of steps from start to end on each axis, see cutOf.
func inferSlice(x *Infer) error {
	c, err := cutOf(x)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, c.size...)
	return nil
}

// lowerSlice is a strided copy whose source strides are multiplied by the steps, negative ones included.
func lowerSlice(l *Lower) (Kernel, error) {
	y := l.layout()
	src, err := l.operand(0, y)
	if err != nil {
		return Kernel{}, err
	}
	c, err := cutOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	strides := rowMajor(physical(y, src.shape))
	start, step, size := physical(y, c.start), physical(y, c.step), physical(y, c.size)
	off := 0
	for i := range strides {
		off += start[i] * strides[i]
		strides[i] *= step[i]
	}
	return newStrided(size, rowMajor(size), 0, strides, off, l.In[0].DType.Size()).kernel(src), nil
}
