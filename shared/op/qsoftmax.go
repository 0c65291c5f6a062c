package op

import (
	"fmt"

	"assay/kernels/reduce"
	"assay/shared/tensor"
)

// qsoftmaxOps hold ONNX Runtime's integer softmax: inputs x, its scale and zero point, scale and zero point of y.
// Exponentials come from a table of 256 floats that is built from x's scale and the row's length, and the result is
// multiplied by floor(1/sy): 254, not 255, for sy = 1/255, because f32(1/sy) is 254.99998 (ort-semantics 4.9). x's zero
// point cancels in the difference from the row's maximum. Attribute opset says whose Softmax it is:
// one before 13 flattens the axes from axis on, which is refused unless axis is the last and both mean the same.
var qsoftmaxOps = []*Op{{
	Domain: microsoft, Name: "QLinearSoftmax", Opsets: []int{1}, Role: RoleQuantized, Types: bytesOnly,
	Inputs: Arity{5, 5}, Outputs: Arity{1, 1}, Attrs: []string{"axis", "opset"},
	Infer: func(x *Infer) error {
		axis, err := axisIn(x.Node.Int("axis", -1), len(x.In[0].Shape))
		if err != nil {
			return err
		}
		if axis != len(x.In[0].Shape)-1 && x.Node.Int("opset", 13) < 13 {
			return fmt.Errorf("axis %d of %d with opset below 13 is not supported, the last is", axis, len(x.In[0].Shape))
		}
		d, err := x.quantizedType(4, x.In[0].DType)
		x.put(0, d, x.In[0].Shape...)
		return err
	},
	Lower: lowerQLinearSoftmax,
	RowWise: func(l *Lower) bool {
		axis, err := axisIn(l.Node.Int("axis", -1), len(l.In[0].Shape))
		return err == nil && axis > 0
	},
}}

// lowerQLinearSoftmax may write over its input: sums are complete before the first element of a row is stored.
func lowerQLinearSoftmax(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	x, y, err := l.ends()
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	axis, err := axisIn(l.Node.Int("axis", -1), len(shape))
	if err != nil {
		return Kernel{}, err
	}
	n, inner := shape[axis], tensor.Count(shape[axis+1:])
	s := reduce.NewQLinearSoftmax(x.scale[0], y.affine(), x.signed(), max(n, 1))
	outer := tensor.Count(shape) / max(n*inner, 1) // 0 beside an empty axis, whatever the others are
	return Kernel{Alias: 0, Run: func(c *Call) { s.Run(c.Out[0], src.bytes(c), outer, n, inner) }}, nil
}
