package op

import (
	"math"

	"assay/kernels/numeric"
)

// softmaxOps normalise exponentials along one axis.
var softmaxOps = []*Op{softmaxOp("Softmax", false), softmaxOp("LogSoftmax", true)}

func softmaxOp(name string, logarithm bool) *Op {
	return &Op{
		Name: name, Opsets: []int{1, 11, 13}, Upgrade: upgradeSoftmax, Role: RoleFloat, Types: float32Only,
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

// lowerSoftmax: e = exp(x - max), s = sum of e, y = e / s; the logarithm is x - max - log(s).
func lowerSoftmax(l *Lower, logarithm bool) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axis, err := axisIn(l.Node.Int("axis", -1), len(l.In[0].Shape))
	if err != nil {
		return Kernel{}, err
	}
	r := newFolding(l.In[0].Shape, []int{axis})
	return Kernel{Alias: 0, Run: func(c *Call) {
		in, dst := view[float32](src.bytes(c)), view[float32](c.Out[0])
		if len(dst) == 0 {
			return
		}
		for _, base := range r.base {
			softmaxRow(&r, dst, in, base, logarithm)
		}
	}}, nil
}

func softmaxRow(r *folding, dst, src []float32, base int, logarithm bool) {
	top := extreme(r, src, base, float32(math.Inf(-1)), numeric.Max)
	for _, k := range r.steps {
		dst[base+k] = src[base+k] - top
	}
	if logarithm {
		s := numeric.Log(r.sum(dst, base, numeric.Exp))
		for _, k := range r.steps {
			dst[base+k] = numeric.Canon(dst[base+k] - s)
		}
		return
	}
	for _, k := range r.steps {
		dst[base+k] = numeric.Exp(dst[base+k])
	}
	s := r.sum(dst, base, asIs)
	for _, k := range r.steps {
		dst[base+k] = numeric.Canon(dst[base+k] / s)
	}
}
