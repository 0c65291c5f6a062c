package op

import (
	"fmt"

	"assay/kernels/reduce"
	"assay/shared/tensor"
)

// qsoftmaxOps hold ONNX Runtime's integer softmax: inputs x, its scale and zero point, scale and zero point of y.
// Exponentials come from a table of 256 floats that is built from x's scale and the row's length, and the result is
// multiplied by floor(1/sy): 254, not 255, for sy = 1/255, because f32(1/sy) is 254.99998 (ort-semantics 4.9). x's zero
// point cancels in the difference from the row's maximum. Refused: an axis that is not the last.
var qsoftmaxOps = []*Op{{
	Domain: microsoft, Name: "QLinearSoftmax", Opsets: []int{1}, Role: RoleQuantized, Types: bytesOnly,
	Inputs: Arity{5, 5}, Outputs: Arity{1, 1}, Attrs: []string{"axis", "opset"},
	Infer: func(x *Infer) error {
		axis, err := axisIn(x.Node.Int("axis", -1), len(x.In[0].Shape))
		if err != nil {
			return err
		}
		if axis != len(x.In[0].Shape)-1 {
			return fmt.Errorf("axis %d of %d is not supported, the last is", axis, len(x.In[0].Shape))
		}
		d, err := x.quantizedType(4, x.In[0].DType)
		x.put(0, d, x.In[0].Shape...)
		return err
	},
	Lower:   lowerQLinearSoftmax,
	RowWise: func(l *Lower) bool { return len(l.In[0].Shape) > 1 },
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
	n := shape[len(shape)-1]
	s := reduce.NewQLinearSoftmax(x.scale[0], y.affine(), x.signed(), max(n, 1))
	rows := tensor.Count(shape) / max(n, 1)
	return Kernel{Alias: 0, Run: func(c *Call) { s.Run(c.Out[0], src.bytes(c), rows, n, 1) }}, nil
}
