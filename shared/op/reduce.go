package op

import (
	"fmt"
	"math"
	"slices"

	"assay/kernels/reduce"
	"assay/shared/tensor"
)

// reduceOps summarise axes. Axes may be negative; they moved from an attribute to input 1 at opset 13 (ReduceSum) and 18
// (the others), and have to be known before the run. Defaults: keepdims 1, noop_with_empty_axes 0, so that no axes or an
// empty list of them mean all. ArgMax and ArgMin have one axis, 0 by default, and give ties to the lowest index unless
// select_last_index is set. Refused: axes named twice or outside, types beyond the table. Sums are in the order of
// kernels/reduce; integers wrap. None is quantized: an integer sum would need a scale of its own for each number of
// elements.
var reduceOps = []*Op{
	reduction("ReduceSum", []int{1, 11, 13}, 13, addends),
	reduction("ReduceMean", []int{1, 11, 13, 18}, 18, floats),
	reduction("ReduceMax", []int{1, 11, 12, 13, 18, 20}, 18, append([]tensor.DType{tensor.Bool}, addends...)),
	reduction("ReduceMin", []int{1, 11, 12, 13, 18, 20}, 18, append([]tensor.DType{tensor.Bool}, addends...)),
	reduction("ReduceProd", []int{1, 11, 13, 18}, 18, addends),
	reduction("ReduceL1", []int{1, 11, 13, 18}, 18, floats),
	reduction("ReduceL2", []int{1, 11, 13, 18}, 18, floats),
	reduction("ReduceSumSquare", []int{1, 11, 13, 18}, 18, floats),
	reduction("ReduceLogSum", []int{1, 11, 13, 18}, 18, floats),
	reduction("ReduceLogSumExp", []int{1, 11, 13, 18}, 18, floats),
	argExtreme("ArgMax"),
	argExtreme("ArgMin"),
}

var addends = []tensor.DType{
	tensor.Float32, tensor.Float64, tensor.Int32, tensor.Int64, tensor.Uint8, tensor.Int8, tensor.Uint32, tensor.Uint64,
}

// reduction is one row of the family; its axes became an input at opset moved. Every axis but the batch may be
// summarised row by row.
func reduction(name string, opsets []int, moved int, types []tensor.DType) *Op {
	return &Op{
		Name: name, Opsets: opsets, Upgrade: axesToInputBefore(moved), Role: RoleFloat, Types: types,
		Inputs: Arity{1, 2}, Outputs: Arity{1, 1}, Attrs: []string{"keepdims", "noop_with_empty_axes"},
		Infer: inferReduce, Lower: func(l *Lower) (Kernel, error) { return lowerReduce(l, name) },
		RowWise: func(l *Lower) bool {
			axes, err := reducedAxes(l.argsInfer())
			return err == nil && !slices.Contains(axes, 0)
		},
	}
}

// reducedAxes are the axes to summarise in ascending order: all of them when none is named, unless noop_with_empty_axes.
func reducedAxes(x *Infer) ([]int, error) {
	rank := len(x.In[0].Shape)
	axes, _, err := x.axesInput(1, rank)
	if err != nil {
		return nil, err
	}
	if len(axes) == 0 && x.Node.Int("noop_with_empty_axes", 0) == 0 {
		axes = Logical.axes(rank)
	}
	return sortedCopy(axes), nil
}

// inferReduce removes the axes, or with keepdims makes them 1.
func inferReduce(x *Infer) error {
	axes, err := reducedAxes(x)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, without(x.In[0].Shape, axes, x.Node.Int("keepdims", 1) != 0)...)
	return nil
}

// without removes axes from a shape, or sets them to 1. axes are positive and sorted or not; the result is never nil,
// as a nil shape would mean unknown elsewhere.
func without(shape, axes []int, keep bool) []int {
	out := []int{}
	for i, n := range shape {
		switch {
		case !slices.Contains(axes, i):
			out = append(out, n)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

// foldingOf splits the axes of a dense tensor into those that stay and those that are summarised. Axes stay in logical
// order on both sides, so walking them row-major keeps the canonical order of a sum (design.md 6). Steps are strides in
// elements.
func foldingOf(shape, axes []int) (kept, folded reduce.Axes) {
	strides := rowMajor(shape)
	for i, n := range shape {
		to := &kept
		if slices.Contains(axes, i) {
			to = &folded
		}
		to.N, to.Step = append(to.N, n), append(to.Step, strides[i])
	}
	return kept, folded
}

// places lists the offsets of all elements of a. It costs an int per element of a, which is why the float32 form takes
// Axes and only the rarer types take lists.
func places(a reduce.Axes) []int {
	if slices.Contains(a.N, 0) { // beside an empty axis another may have any length: no list for it
		return nil
	}
	list := []int{0}
	for i, n := range a.N {
		next := make([]int, 0, len(list)*n)
		for _, at := range list {
			for k := range n {
				next = append(next, at+k*a.Step[i])
			}
		}
		list = next
	}
	return list
}

// intReduction is the wrapping form for integers. lo and hi are the type's ends: what an empty Max and Min give.
func intReduction[T int8 | uint8 | int32 | int64 | uint32 | uint64](name string, lo, hi T, kept, folded []int) func(dst, src []byte) {
	start, pick := T(0), func(a, b T) T { return a + b }
	switch name {
	case "ReduceMax":
		start, pick = lo, func(a, b T) T { return max(a, b) }
	case "ReduceMin":
		start, pick = hi, func(a, b T) T { return min(a, b) }
	case "ReduceProd":
		start, pick = 1, func(a, b T) T { return a * b }
	}
	return func(dst, src []byte) {
		in, out := view[T](src), view[T](dst)
		for i, base := range kept {
			v := start
			for _, step := range folded {
				v = pick(v, in[base+step])
			}
			out[i] = v
		}
	}
}

// folds are the kernels of float32 reductions.
var folds = map[string]reduce.Op{
	"ReduceSum": reduce.Sum, "ReduceMean": reduce.Mean, "ReduceMax": reduce.Max, "ReduceMin": reduce.Min,
	"ReduceProd": reduce.Prod, "ReduceL1": reduce.L1, "ReduceL2": reduce.L2, "ReduceSumSquare": reduce.SumSquare,
	"ReduceLogSum": reduce.LogSum, "ReduceLogSumExp": reduce.LogSumExp,
}

// lanes follows the logical last axis whatever lies in memory: 16 lanes when it is summed, one chain otherwise. An
// output without elements needs no run; an input without them gives the fold's start.
func lowerReduce(l *Lower, name string) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axes, err := reducedAxes(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	if tensor.Count(l.Out[0].Shape) == 0 {
		return Kernel{Alias: -1, Run: func(*Call) {}}, nil
	}
	kept, folded := foldingOf(shape, axes)
	lanes := slices.Contains(axes, len(shape)-1)
	var loop func(dst, src []byte)
	switch l.In[0].DType {
	case tensor.Float32:
		loop = func(dst, src []byte) {
			reduce.Reduce(folds[name], view[float32](dst), view[float32](src), kept, folded, lanes)
		}
	case tensor.Float64:
		loop = doubleReduction(name, places(kept), places(folded))
	case tensor.Bool:
		loop = intReduction[uint8](name, 0, 1, places(kept), places(folded))
	case tensor.Uint32:
		loop = intReduction[uint32](name, 0, math.MaxUint32, places(kept), places(folded))
	case tensor.Uint64:
		loop = intReduction[uint64](name, 0, math.MaxUint64, places(kept), places(folded))
	case tensor.Int8:
		loop = intReduction[int8](name, math.MinInt8, math.MaxInt8, places(kept), places(folded))
	case tensor.Uint8:
		loop = intReduction[uint8](name, 0, math.MaxUint8, places(kept), places(folded))
	case tensor.Int32:
		loop = intReduction[int32](name, math.MinInt32, math.MaxInt32, places(kept), places(folded))
	case tensor.Int64:
		loop = intReduction[int64](name, math.MinInt64, math.MaxInt64, places(kept), places(folded))
	}
	return Kernel{Alias: -1, Run: func(c *Call) { loop(c.Out[0], src.bytes(c)) }}, nil
}

// argExtreme finds the index of the largest or smallest element along an axis: the first of equals, or the last with
// select_last_index; the first NaN where there is one.
func argExtreme(name string) *Op {
	return &Op{
		Name: name, Opsets: []int{1, 11, 12, 13}, Role: RoleFloat, Types: addends,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"axis", "keepdims", "select_last_index"},
		Infer: func(x *Infer) error {
			axis, err := axisIn(x.Node.Int("axis", 0), len(x.In[0].Shape))
			if err != nil {
				return err
			}
			if x.In[0].Shape[axis] == 0 {
				return fmt.Errorf("axis %d of shape %v is empty", axis, x.In[0].Shape)
			}
			x.put(0, tensor.Int64, without(x.In[0].Shape, []int{axis}, x.Node.Int("keepdims", 1) != 0)...)
			return nil
		},
		Lower: func(l *Lower) (Kernel, error) { return lowerArg(l, name == "ArgMin") }, RowWise: axisKeepsRows(0),
	}
}

// lowerArg writes int64 positions along the axis.
func lowerArg(l *Lower, least bool) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axis, err := axisIn(l.Node.Int("axis", 0), len(l.In[0].Shape))
	if err != nil {
		return Kernel{}, err
	}
	shape, last := l.In[0].Shape, l.Node.Int("select_last_index", 0) != 0
	outer, n, inner := tensor.Count(shape[:axis]), shape[axis], tensor.Count(shape[axis+1:])
	find := reduce.ArgMax
	if least {
		find = reduce.ArgMin
	}
	d := l.In[0].DType
	if d == tensor.Float32 {
		return Kernel{Alias: -1, Run: func(c *Call) {
			find(view[int64](c.Out[0]), view[float32](src.bytes(c)), outer, n, inner, last)
		}}, nil
	}
	loop := map[tensor.DType]func(dst, src []byte, outer, n, inner int, least, last bool){
		tensor.Int8: argLoop[int8], tensor.Uint8: argLoop[uint8], tensor.Int32: argLoop[int32], tensor.Int64: argLoop[int64],
		tensor.Uint32: argLoop[uint32], tensor.Uint64: argLoop[uint64], tensor.Float64: argLoop[float64],
	}[d]
	return Kernel{Alias: -1, Run: func(c *Call) { loop(c.Out[0], src.bytes(c), outer, n, inner, least, last) }}, nil
}

// argLoop is the form for integers, over the middle axis of [outer][n][inner]. NaN in float64 is passed over unless it
// comes first, since every comparison with it is false.
func argLoop[T element](dst, src []byte, outer, n, inner int, least, last bool) {
	in, out := view[T](src), view[int64](dst)
	for i := range outer * inner {
		base, best := i/inner*n*inner+i%inner, 0
		for k := 1; k < n; k++ {
			a, v := in[base+best*inner], in[base+k*inner]
			if !least && v > a || least && v < a || last && v == a {
				best = k
			}
		}
		out[i] = int64(best)
	}
}
