package op

import (
	"fmt"
	"math"
	"slices"

	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// reduceOps summarise axes.
var reduceOps = []*Op{
	reduction("ReduceSum", []int{1, 11, 13}, 13, addends),
	reduction("ReduceMean", []int{1, 11, 13, 18}, 18, float32Only),
	reduction("ReduceMax", []int{1, 11, 12, 13, 18, 20}, 18, addends),
	reduction("ReduceMin", []int{1, 11, 12, 13, 18, 20}, 18, addends),
	reduction("ReduceProd", []int{1, 11, 13, 18}, 18, addends),
	reduction("ReduceL1", []int{1, 11, 13, 18}, 18, float32Only),
	reduction("ReduceL2", []int{1, 11, 13, 18}, 18, float32Only),
	reduction("ReduceSumSquare", []int{1, 11, 13, 18}, 18, float32Only),
	reduction("ReduceLogSum", []int{1, 11, 13, 18}, 18, float32Only),
	reduction("ReduceLogSumExp", []int{1, 11, 13, 18}, 18, float32Only),
	argExtreme("ArgMax"),
	argExtreme("ArgMin"),
}

var addends = []tensor.DType{tensor.Float32, tensor.Int32, tensor.Int64, tensor.Uint8, tensor.Int8}

// reduction is one row of the family; its axes became an input at opset moved.
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

func inferReduce(x *Infer) error {
	axes, err := reducedAxes(x)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, without(x.In[0].Shape, axes, x.Node.Int("keepdims", 1) != 0)...)
	return nil
}

// without removes axes from a shape, or sets them to 1.
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

// folding is a reduction's walk: output element i starts at the i-th of base, and its elements lie at base + steps.
type folding struct {
	base, steps []int
	lanes       bool // the last logical axis is among the reduced ones
}

func newFolding(shape, axes []int) folding {
	strides := rowMajor(shape)
	f := folding{base: []int{0}, steps: []int{0}, lanes: slices.Contains(axes, len(shape)-1)}
	grow := func(list []int, n, stride int) []int {
		out := make([]int, 0, len(list)*n)
		for _, at := range list {
			for k := range n {
				out = append(out, at+k*stride)
			}
		}
		return out
	}
	for i, n := range shape {
		if slices.Contains(axes, i) {
			f.steps = grow(f.steps, n, strides[i])
		} else {
			f.base = grow(f.base, n, strides[i])
		}
	}
	return f
}

// sum adds f of the elements from base in the canonical order: lanes where the last logical axis is reduced, else one
// chain.
func (r *folding) sum(src []float32, base int, f func(float32) float32) float32 {
	if !r.lanes {
		var s numeric.Chain
		for _, k := range r.steps {
			s.Add(f(src[base+k]))
		}
		return s.Sum()
	}
	var s numeric.LaneSum
	var block [numeric.Lanes]float32
	for i := 0; i < len(r.steps); i += numeric.Lanes {
		n := min(numeric.Lanes, len(r.steps)-i)
		for j, k := range r.steps[i : i+n] {
			block[j] = f(src[base+k])
		}
		s.Add(block[:n])
	}
	return s.Sum()
}

// extreme folds the elements from base with pick.
func extreme[T element](r *folding, src []T, base int, start T, pick func(a, b T) T) T {
	for _, k := range r.steps {
		start = pick(start, src[base+k])
	}
	return start
}

func asIs(v float32) float32   { return v }
func square(v float32) float32 { return float32(v * v) }

// floatReduction is the float32 form of a reduction over n elements.
func floatReduction(name string, r *folding) func(src []float32, base int) float32 {
	n := float32(len(r.steps))
	switch name {
	case "ReduceSum":
		return func(src []float32, base int) float32 { return r.sum(src, base, asIs) }
	case "ReduceMean":
		return func(src []float32, base int) float32 { return r.sum(src, base, asIs) / n }
	case "ReduceL1":
		return func(src []float32, base int) float32 {
			return r.sum(src, base, func(v float32) float32 { return float32(math.Abs(float64(v))) })
		}
	case "ReduceSumSquare":
		return func(src []float32, base int) float32 { return r.sum(src, base, square) }
	case "ReduceL2":
		return func(src []float32, base int) float32 { return sqrt(r.sum(src, base, square)) }
	case "ReduceLogSum":
		return func(src []float32, base int) float32 { return numeric.Log(r.sum(src, base, asIs)) }
	case "ReduceLogSumExp":
		return func(src []float32, base int) float32 { return logSumExp(r, src, base) }
	case "ReduceMax":
		return func(src []float32, base int) float32 {
			return extreme(r, src, base, float32(math.Inf(-1)), numeric.Max)
		}
	case "ReduceMin":
		return func(src []float32, base int) float32 {
			return extreme(r, src, base, float32(math.Inf(1)), numeric.Min)
		}
	case "ReduceProd":
		return func(src []float32, base int) float32 {
			return extreme(r, src, base, 1, func(a, b float32) float32 { return a * b })
		}
	}
	return nil
}

// logSumExp is log(sum(exp(x - max))) + max, so that no power overflows.
func logSumExp(r *folding, src []float32, base int) float32 {
	top := extreme(r, src, base, float32(math.Inf(-1)), numeric.Max)
	if math.IsInf(float64(top), 0) {
		return top
	}
	return numeric.Log(r.sum(src, base, func(v float32) float32 { return numeric.Exp(v - top) })) + top
}

// intReduction is the wrapping form for integers.
func intReduction[T int8 | uint8 | int32 | int64](name string, lo, hi T, r *folding) func(dst, src []byte) {
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
		for i, base := range r.base {
			out[i] = extreme(r, in, base, start, pick)
		}
	}
}

func lowerReduce(l *Lower, name string) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axes, err := reducedAxes(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	r := newFolding(l.In[0].Shape, axes)
	var loop func(dst, src []byte)
	switch l.In[0].DType {
	case tensor.Float32:
		f := floatReduction(name, &r)
		if len(axes) == 0 { // noop_with_empty_axes: the element-wise part remains
			f = func(src []float32, base int) float32 {
				return floatReduction(name, &folding{steps: []int{0}})(src, base)
			}
		}
		loop = func(dst, src []byte) {
			in, out := view[float32](src), view[float32](dst)
			for i, base := range r.base {
				out[i] = numeric.Canon(f(in, base))
			}
		}
	case tensor.Int8:
		loop = intReduction[int8](name, math.MinInt8, math.MaxInt8, &r)
	case tensor.Uint8:
		loop = intReduction[uint8](name, 0, math.MaxUint8, &r)
	case tensor.Int32:
		loop = intReduction[int32](name, math.MinInt32, math.MaxInt32, &r)
	case tensor.Int64:
		loop = intReduction[int64](name, math.MinInt64, math.MaxInt64, &r)
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		if len(c.Out[0]) > 0 {
			loop(c.Out[0], src.bytes(c))
		}
	}}, nil
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

func lowerArg(l *Lower, least bool) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axis, err := axisIn(l.Node.Int("axis", 0), len(l.In[0].Shape))
	if err != nil {
		return Kernel{}, err
	}
	r, last := newFolding(l.In[0].Shape, []int{axis}), l.Node.Int("select_last_index", 0) != 0
	loop := map[tensor.DType]func(r *folding, dst, src []byte, least, last bool){
		tensor.Float32: argLoop[float32], tensor.Int8: argLoop[int8], tensor.Uint8: argLoop[uint8],
		tensor.Int32: argLoop[int32], tensor.Int64: argLoop[int64],
	}[l.In[0].DType]
	return Kernel{Alias: -1, Run: func(c *Call) { loop(&r, c.Out[0], src.bytes(c), least, last) }}, nil
}

func argLoop[T element](r *folding, dst, src []byte, least, last bool) {
	in, out := view[T](src), view[int64](dst)
	for i, base := range r.base {
		best := 0
		for k, step := range r.steps[1:] {
			a, v := in[base+r.steps[best]], in[base+step]
			better := v > a
			if least {
				better = v < a
			}
			if a == a && (better || v != v || last && v == a) {
				best = k + 1
			}
		}
		out[i] = int64(best)
	}
}
