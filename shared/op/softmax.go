package op

import (
	"assay/kernels/reduce"
	"assay/shared/tensor"
)

// softmaxOps normalise exponentials along one axis, -1 by default. Before opset 13 the axes from attribute axis (default 1)
// on counted as one; the upgrade puts Flatten and Reshape around where that makes a difference. The largest element is
// subtracted first, so large numbers do not overflow. Hardmax gives ties to the lowest index. In a plan they stay float
// here; ONNX Runtime's integer form is qsoftmaxOps.
var softmaxOps = []*Op{softmaxOp("Softmax", false), softmaxOp("LogSoftmax", true), hardmax()}

// softmaxOp: exp(x - max) / sum, or x - max - log(sum). A row of -Inf only gives NaN, since -Inf - -Inf does.
func softmaxOp(name string, logarithm bool) *Op {
	return &Op{
		Name: name, Opsets: []int{1, 11, 13}, Upgrade: upgradeSoftmax, Role: RoleFloat, Types: floats,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"axis"}, RowWise: axisKeepsRows(-1),
		Infer: func(x *Infer) error {
			if _, err := axisIn(x.Node.Int("axis", -1), len(x.In[0].Shape)); err != nil {
				return err
			}
			return same(x)
		},
		Lower: func(l *Lower) (Kernel, error) { return lowerSoftmax(l, logarithm) },
	}
}

// Over the last logical axis the sum has 16 lanes, over any other it is one chain (design.md 6).
func lowerSoftmax(l *Lower, logarithm bool) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	axis, err := axisIn(l.Node.Int("axis", -1), len(shape))
	if err != nil {
		return Kernel{}, err
	}
	run := reduce.Softmax
	if logarithm {
		run = reduce.LogSoftmax
	}
	outer, n, inner := tensor.Count(shape[:axis]), shape[axis], tensor.Count(shape[axis+1:])
	if l.In[0].DType == tensor.Float64 {
		return Kernel{Alias: 0, Run: func(c *Call) {
			softmaxDouble(view[float64](c.Out[0]), view[float64](src.bytes(c)), outer, n, inner, logarithm)
		}}, nil
	}
	return Kernel{Alias: 0, Run: func(c *Call) {
		run(view[float32](c.Out[0]), view[float32](src.bytes(c)), outer, n, inner, axis == len(shape)-1)
	}}, nil
}

// hardmax is 1 at the first of the largest elements along an axis and 0 elsewhere.
func hardmax() *Op {
	o := softmaxOp("Hardmax", false)
	o.Types = float32Only
	o.Lower = func(l *Lower) (Kernel, error) {
		src, err := l.operand(0, Logical)
		if err != nil {
			return Kernel{}, err
		}
		shape := l.In[0].Shape
		axis, err := axisIn(l.Node.Int("axis", -1), len(shape))
		if err != nil {
			return Kernel{}, err
		}
		outer, n, inner := tensor.Count(shape[:axis]), shape[axis], tensor.Count(shape[axis+1:])
		return Kernel{Alias: -1, Scratch: 8 * outer * inner, Run: func(c *Call) {
			dst, at := view[float32](c.Out[0]), view[int64](c.Scratch[:8*outer*inner])
			if len(dst) == 0 {
				return
			}
			reduce.ArgMax(at, view[float32](src.bytes(c)), outer, n, inner, false)
			clear(dst)
			for i, k := range at {
				dst[(i/inner*n+int(k))*inner+i%inner] = 1
			}
		}}, nil
	}
	return o
}
