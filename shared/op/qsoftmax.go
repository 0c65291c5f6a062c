package op

import (
	"fmt"
	"math"

	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// qsoftmaxOps hold ONNX Runtime's integer softmax: inputs x, its scale and zero point, scale and zero point of y.
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

// lowerQLinearSoftmax: a level i counts from the type's lowest and is moved so that the largest of its row is 255;
// e(i) = f32(exp((i - 255 + B) * sx)) in double with B = max(0, ln(FLT_MAX/D) - 5) / sx; s is the sum of a row from left to
// right; y = sat(rint(f32(f32(e*Y) / s)) + zy) with Y = floor(f32(1/sy)).
func lowerQLinearSoftmax(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	xq, yq, err := l.ends()
	if err != nil {
		return Kernel{}, err
	}
	lo, hi, err := limits(yq.dtype)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	d := shape[len(shape)-1]
	e := exponentials(float64(xq.scale[0]), d)
	y := float32(math.Floor(float64(1 / yq.scale[0])))
	z, flip := yq.zero[0], uint8(0)
	if xq.dtype == tensor.Int8 {
		flip = 0x80
	}
	return Kernel{Alias: 0, Run: func(c *Call) {
		in, dst := src.bytes(c), c.Out[0]
		for at := 0; at < len(in); at += d {
			row := in[at : at+d]
			top := uint8(0)
			for _, v := range row {
				top = max(top, v^flip)
			}
			s := float32(0)
			for _, v := range row {
				s += e[255-top+(v^flip)]
			}
			for i, v := range row {
				q := float32(e[255-top+(v^flip)]*y) / s
				dst[at+i] = uint8(numeric.RoundClamp(q, float32(lo-z), float32(hi-z)) + z)
			}
		}
	}}, nil
}

// exponentials is the table e of lowerQLinearSoftmax for rows of d elements.
func exponentials(scale float64, d int) *[256]float32 {
	shift := max(0, numeric.Log64(math.MaxFloat32/float64(max(d, 1)))-5) / scale
	var e [256]float32
	for i := range e {
		e[i] = float32(numeric.Exp64((float64(i) - 255 + shift) * scale))
	}
	return &e
}
