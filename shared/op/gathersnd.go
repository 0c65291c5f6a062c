package op

import (
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// gatherElementOps pick single elements or blocks by tuples of indices, and reorder them by sequence. Defaults: axis 0,
// batch_dims 0, batch_axis 1 and time_axis 0. Indices are int32 or int64 and may be negative. Refused: indices that reach
// past the data beside the axis, tuples longer than the data has axes, unequal batch axes.
var gatherElementOps = []*Op{
	{
		Name: "GatherElements", Opsets: []int{11, 13}, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Attrs: []string{"axis"},
		Infer: inferGatherElements, Lower: lowerGatherElements, RowWise: never,
	},
	{
		Name: "GatherND", Opsets: []int{11, 12, 13}, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Attrs: []string{"batch_dims"},
		Infer: inferGatherND, Lower: lowerGatherND, RowWise: never,
	},
	{
		Name: "ReverseSequence", Opsets: []int{10}, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Attrs: []string{"batch_axis", "time_axis"},
		Infer: inferReverse, Lower: lowerReverse, RowWise: never,
	},
}

// inferGatherElements: the output has the shape of the indices, which fit inside the data on every axis but one.
func inferGatherElements(x *Infer) error {
	data, at := x.In[0].Shape, x.In[1].Shape
	axis, err := axisIn(x.Node.Int("axis", 0), len(data))
	if err == nil {
		err = x.indexed(1)
	}
	if err != nil {
		return err
	}
	if len(at) != len(data) {
		return fmt.Errorf("data %v and indices %v have different numbers of axes", data, at)
	}
	for i, n := range at {
		if i != axis && n > data[i] {
			return fmt.Errorf("indices %v reach past data %v beside axis %d", at, data, axis)
		}
	}
	if data[axis] == 0 && tensor.Count(at) > 0 {
		return fmt.Errorf("axis %d of data %v is empty", axis, data)
	}
	x.put(0, x.In[0].DType, at...)
	return nil
}

// lowerGatherElements: out[i][j]... = data[... with the index in the place of the position along axis ...]. Where the
// indices are smaller than the data on another axis, the first positions are read.
func lowerGatherElements(l *Lower) (Kernel, error) {
	data, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	at, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axis, err := axisIn(l.Node.Int("axis", 0), len(data.shape))
	if err != nil {
		return Kernel{}, err
	}
	n, count, isize, size := data.shape[axis], tensor.Count(at.shape), l.In[1].DType.Size(), l.In[0].DType.Size()
	if err := within(at, isize, count, func(int) int { return n }); err != nil {
		return Kernel{}, err
	}
	from, to := rowMajor(at.shape), rowMajor(data.shape)
	return Kernel{Alias: -1, Run: func(c *Call) {
		src, ib, dst := data.bytes(c), at.bytes(c), c.Out[0]
		for i := range count {
			k := elementAt(i, from, to, axis, place(index(ib, isize, i), n))
			copy(dst[i*size:(i+1)*size], src[k*size:])
		}
	}}, nil
}

// inferGatherND: the batch axes and those of the indices but the last, then what a tuple leaves of the data.
func inferGatherND(x *Infer) error {
	data, at := x.In[0].Shape, x.In[1].Shape
	batch, err := toInt(x.Node.Int("batch_dims", 0))
	if err != nil {
		return err
	}
	depth, err := tuples(data, at, batch)
	if err == nil {
		err = x.indexed(1)
	}
	if err != nil {
		return err
	}
	out := slices.Concat(at[:len(at)-1], data[batch+depth:])
	if tensor.Count(data[batch:batch+depth]) == 0 && tensor.Count(out) > 0 {
		return fmt.Errorf("indices %v point into empty axes of data %v", at, data)
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// lowerGatherND copies blocks: depth of the data's axes are named by a tuple, what is behind them is one dense run.
func lowerGatherND(l *Lower) (Kernel, error) {
	data, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	at, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	batch := int(l.Node.Int("batch_dims", 0))
	depth, err := tuples(data.shape, at.shape, batch)
	if err != nil {
		return Kernel{}, err
	}
	isize, named := l.In[1].DType.Size(), data.shape[batch:batch+depth]
	if err := within(at, isize, tensor.Count(at.shape), func(i int) int { return named[i%depth] }); err != nil {
		return Kernel{}, err
	}
	strides := rowMajor(data.shape)[batch:]
	samples, tuplesEach := tensor.Count(at.shape[:batch]), tensor.Count(at.shape[batch:len(at.shape)-1])
	size := l.In[0].DType.Size()
	run, each := tensor.Count(data.shape[batch+depth:])*size, tensor.Count(data.shape[batch:])
	return Kernel{Alias: -1, Run: func(c *Call) {
		src, ib, dst := data.bytes(c), at.bytes(c), c.Out[0]
		if len(dst) == 0 {
			return
		}
		for i := range samples * tuplesEach {
			from := i/tuplesEach*each + tupleAt(ib, isize, i*depth, named, strides)
			copy(dst[i*run:(i+1)*run], src[from*size:])
		}
	}}, nil
}

// reversal returns the two axes of a ReverseSequence: 0 and 1 in either order. The two conditions batch+time = 1 and
// batch*time = 0 together admit (0, 1) and (1, 0) only.
func reversal(x *Infer) (batch, time int, err error) {
	batch, time = int(x.Node.Int("batch_axis", 1)), int(x.Node.Int("time_axis", 0))
	shape := x.In[0].Shape
	if len(shape) < 2 || batch+time != 1 || batch*time != 0 {
		return 0, 0, fmt.Errorf("batch axis %d and time axis %d of shape %v: axes 0 and 1 are required", batch, time, shape)
	}
	if x.In[1].DType != tensor.Int64 || !slices.Equal(x.In[1].Shape, shape[batch:batch+1]) {
		return 0, 0, fmt.Errorf("input 1 (sequence_lens) is %s%v, int64[%d] is required", x.In[1].DType, x.In[1].Shape, shape[batch])
	}
	return batch, time, nil
}

// inferReverse: one length for each entry of the batch axis; both axes are among the first two and differ.
func inferReverse(x *Infer) error {
	if _, _, err := reversal(x); err != nil {
		return err
	}
	return same(x)
}

// lowerReverse turns the first sequence_lens[b] steps of each sequence around; a length outside is cut to what there is.
func lowerReverse(l *Lower) (Kernel, error) {
	data, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	lens, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	batch, time, err := reversal(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	shape, run := data.shape, tensor.Count(data.shape[2:])*l.In[0].DType.Size()
	strides := [2]int{shape[1], 1}
	return Kernel{Alias: -1, Run: func(c *Call) {
		src, dst, n := data.bytes(c), c.Out[0], view[int64](lens.bytes(c))
		for b := range shape[batch] {
			last := int(min(max(n[b], 0), int64(shape[time]))) - 1
			for t := range shape[time] {
				from := t
				if t <= last {
					from = last - t
				}
				to := (b*strides[batch] + t*strides[time]) * run
				copy(dst[to:to+run], src[(b*strides[batch]+from*strides[time])*run:])
			}
		}
	}}, nil
}
