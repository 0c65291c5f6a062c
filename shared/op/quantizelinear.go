package op

import (
	"fmt"

	"assay/kernels/numeric"
	"assay/kernels/quantize"
	"assay/shared/tensor"
)

// linearOps go between floats and integers, per tensor or along one axis.
var linearOps = []*Op{
	quantizeOp("", []int{10, 13, 19, 21}, "axis", "block_size", "output_dtype", "precision", "saturate"),
	quantizeOp(microsoft, []int{1}, "axis"),
	dequantizeOp("", []int{10, 13, 19, 21}, "axis", "block_size", "output_dtype"),
	dequantizeOp(microsoft, []int{1}, "axis"),
}

func quantizeOp(domain string, opsets []int, attrs ...string) *Op {
	return &Op{
		Domain: domain, Name: "QuantizeLinear", Opsets: opsets, Role: RoleQuantized, Memory: MemoryAny, Types: float32Only,
		Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Attrs: attrs, Infer: inferQuantize, Lower: lowerQuantize, RowWise: levelsKeepRows,
	}
}

func dequantizeOp(domain string, opsets []int, attrs ...string) *Op {
	return &Op{
		Domain: domain, Name: "DequantizeLinear", Opsets: opsets, Role: RoleQuantized, Memory: MemoryAny,
		Types:  []tensor.DType{tensor.Uint8, tensor.Int8, tensor.Int32, tensor.Uint16, tensor.Int16},
		Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Attrs: attrs, Infer: inferDequantize, Lower: lowerDequantize, RowWise: levelsKeepRows,
	}
}

// levelsKeepRows: levels along axis 0 tie a row to its place.
func levelsKeepRows(l *Lower) bool {
	if tensor.Count(l.In[1].Shape) == 1 {
		return true
	}
	a, err := axisIn(l.Node.Int("axis", 1), len(l.In[0].Shape))
	return err == nil && a != 0
}

// levelShape checks the shapes of scale and zero point against the data's.
func levelShape(x *Infer) error {
	if b := x.Node.Int("block_size", 0); b != 0 {
		return fmt.Errorf("block_size %d is not supported, per tensor and per axis are", b)
	}
	data, scale := x.In[0].Shape, x.In[1].Shape
	if x.In[1].DType != tensor.Float32 {
		return fmt.Errorf("scale is %s, float32 is required", x.In[1].DType)
	}
	if x.has(2) && tensor.Count(x.In[2].Shape) != tensor.Count(scale) {
		return fmt.Errorf("scale shape %v and zero point shape %v differ", scale, x.In[2].Shape)
	}
	if tensor.Count(scale) == 1 {
		return nil
	}
	axis, err := axisIn(x.Node.Int("axis", 1), len(data))
	if err != nil {
		return err
	}
	if len(scale) != 1 || scale[0] != data[axis] {
		return fmt.Errorf("scale shape %v does not fit axis %d of shape %v", scale, axis, data)
	}
	return nil
}

func inferQuantize(x *Infer) error {
	if err := levelShape(x); err != nil {
		return err
	}
	d := tensor.Uint8
	if v := x.Node.Int("output_dtype", 0); v != 0 {
		d = tensor.DType(v)
	}
	if x.has(2) {
		d = x.In[2].DType
	}
	if _, _, err := limits(d); err != nil {
		return err
	}
	if p := x.Node.Int("precision", 0); p != 0 && p != int64(tensor.Float32) {
		return fmt.Errorf("precision %d is not supported, float32 is", p)
	}
	x.put(0, d, x.In[0].Shape...)
	return nil
}

func inferDequantize(x *Infer) error {
	if err := levelShape(x); err != nil {
		return err
	}
	if x.has(2) && x.In[2].DType != x.In[0].DType {
		return fmt.Errorf("data is %s and zero point %s", x.In[0].DType, x.In[2].DType)
	}
	if v := x.Node.Int("output_dtype", 0); v != 0 && v != int64(tensor.Float32) {
		return fmt.Errorf("output_dtype %d is not supported, float32 is", v)
	}
	x.put(0, tensor.Float32, x.In[0].Shape...)
	return nil
}

// runs cuts a tensor in memory order into stretches of one level: element i has level i / inner % count.
type runs struct{ count, inner int }

func (l *Lower) runs(q levels) (runs, error) {
	if len(q.scale) == 1 {
		return runs{1, max(1, tensor.Count(l.In[0].Shape))}, nil
	}
	y := l.layout()
	shape := l.In[0].Shape
	axis, err := axisIn(l.Node.Int("axis", 1), len(shape))
	if err != nil {
		return runs{}, err
	}
	return runs{len(q.scale), tensor.Count(physical(y, shape)[y.axis(axis, len(shape))+1:])}, nil
}

func lowerQuantize(l *Lower) (Kernel, error) {
	q, err := l.levels(1, 2, l.Out[0].DType)
	if err != nil {
		return Kernel{}, err
	}
	r, err := l.runs(q)
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, l.layout())
	if err != nil {
		return Kernel{}, err
	}
	loop := map[tensor.DType]func(dst []byte, src []float32, a []numeric.Affine, r runs){
		tensor.Uint8: quantizeRuns[uint8], tensor.Int8: quantizeRuns[int8],
		tensor.Uint16: quantizeRuns[uint16], tensor.Int16: quantizeRuns[int16],
	}[q.dtype]
	a := q.affines()
	return Kernel{Alias: -1, Run: func(c *Call) { loop(c.Out[0], view[float32](src.bytes(c)), a, r) }}, nil
}

func quantizeRuns[T uint8 | int8 | uint16 | int16](dst []byte, src []float32, a []numeric.Affine, r runs) {
	if r.count == 1 {
		quantize.Quantize(view[T](dst), src, a[0])
	} else if len(src) > 0 {
		quantize.QuantizeAxis(view[T](dst), src, len(src)/(r.count*r.inner), r.inner, a)
	}
}

func lowerDequantize(l *Lower) (Kernel, error) {
	q, err := l.levels(1, 2, l.In[0].DType)
	if err != nil {
		return Kernel{}, err
	}
	r, err := l.runs(q)
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, l.layout())
	if err != nil {
		return Kernel{}, err
	}
	loop := map[tensor.DType]func(dst []float32, src []byte, a []numeric.Affine, r runs){
		tensor.Uint8: dequantizeRuns[uint8], tensor.Int8: dequantizeRuns[int8], tensor.Int32: dequantizeRuns[int32],
		tensor.Uint16: dequantizeRuns[uint16], tensor.Int16: dequantizeRuns[int16],
	}[q.dtype]
	a := q.affines()
	return Kernel{Alias: -1, Run: func(c *Call) { loop(view[float32](c.Out[0]), src.bytes(c), a, r) }}, nil
}

func dequantizeRuns[T uint8 | int8 | uint16 | int16 | int32](dst []float32, src []byte, a []numeric.Affine, r runs) {
	if r.count == 1 {
		quantize.Dequantize(dst, view[T](src), a[0])
	} else if len(dst) > 0 {
		quantize.DequantizeAxis(dst, view[T](src), len(dst)/(r.count*r.inner), r.inner, a)
	}
}
