package op

import (
	"assay/kernels/numeric"
	"assay/kernels/quantize"
	"assay/shared/tensor"
)

// linearOps go between floats and integers: per tensor, along one axis or in blocks along one.
//
//	QuantizeLinear     y = sat(rint(f32(x / scale)) + zero)
//	DequantizeLinear   x = f32(f32(y - zero) * scale)
//
// (ort-semantics 6.1). axis is 1 by default and since opset 13; before there was one scale only. block_size 0,
// output_dtype, precision and saturate came with 21 (saturate with 19). What has a kernel stands here, the rest in
// quantizeany.go. The role is RoleQuantized: a model that has them is quantized already there, and quantization leaves
// it alone.
var linearOps = []*Op{
	quantizeOp("", []int{10, 13, 19, 21}, "axis", "block_size", "output_dtype", "precision", "saturate"),
	quantizeOp(microsoft, []int{1}, "axis", "block_size", "saturate"),
	dequantizeOp("", []int{10, 13, 19, 21}, "axis", "block_size", "output_dtype"),
	dequantizeOp(microsoft, []int{1}, "axis", "block_size"),
}

// quantizeOp and dequantizeOp exist twice, since ONNX Runtime writes com.microsoft for 16-bit and 4-bit types of older
// opsets.
func quantizeOp(domain string, opsets []int, attrs ...string) *Op {
	return &Op{
		Domain: domain, Name: "QuantizeLinear", Opsets: opsets, Role: RoleQuantized, Memory: MemoryAny,
		Types:  []tensor.DType{tensor.Float32, tensor.Float16, tensor.BFloat16, tensor.Int32},
		Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Attrs: attrs, Infer: inferQuantize, Lower: lowerQuantize, RowWise: levelsKeepRows,
	}
}

func dequantizeOp(domain string, opsets []int, attrs ...string) *Op {
	return &Op{
		Domain: domain, Name: "DequantizeLinear", Opsets: opsets, Role: RoleQuantized, Memory: MemoryAny,
		Types:  append([]tensor.DType{tensor.Int32}, quantizedTypes...),
		Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Attrs: attrs, Infer: inferDequantize, Lower: lowerDequantize, RowWise: levelsKeepRows,
	}
}

// levelsKeepRows: levels along axis 0 tie a row to its place.
func levelsKeepRows(l *Lower) bool {
	if tensor.Count(l.In[1].Shape) == 1 {
		return true
	}
	if l.Node.Int("block_size", 0) != 0 {
		return false
	}
	a, err := axisIn(l.Node.Int("axis", 1), len(l.In[0].Shape))
	return err == nil && a != 0
}

// runs cuts a tensor in memory order into stretches of one level: element i has level i / inner % count.
type runs struct{ count, inner int }

// In channels-last memory the axis of channels is innermost, so inner is 1 there.
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

// Only one scale for all allows Stretches: a stretch may begin anywhere, and rows of levels would not.
func lowerQuantize(l *Lower) (Kernel, error) {
	if !l.plainLevels(l.Out[0].DType) || l.In[0].DType != tensor.Float32 {
		return lowerAnyQuantize(l)
	}
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
	k := Kernel{Alias: -1, Run: func(c *Call) { loop(c.Out[0], view[float32](src.bytes(c)), a, r) }}
	if r.count == 1 {
		k.Stretches = l.plainStretches(src, func(dst, src []byte) { loop(dst, view[float32](src), a, r) })
	}
	return k, nil
}

// It is a map of loops by type and no switch per call: Run must not look at types.
func quantizeRuns[T uint8 | int8 | uint16 | int16](dst []byte, src []float32, a []numeric.Affine, r runs) {
	if r.count == 1 {
		quantize.Quantize(view[T](dst), src, a[0])
	} else if len(src) > 0 {
		quantize.QuantizeAxis(view[T](dst), src, len(src)/(r.count*r.inner), r.inner, a)
	}
}

// lowerDequantize is the mirror of lowerQuantize; int32 is admitted for biases.
func lowerDequantize(l *Lower) (Kernel, error) {
	if !l.plainLevels(l.In[0].DType) || l.Out[0].DType != tensor.Float32 {
		return lowerAnyDequantize(l)
	}
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
	k := Kernel{Alias: -1, Run: func(c *Call) { loop(view[float32](c.Out[0]), src.bytes(c), a, r) }}
	if r.count == 1 {
		k.Stretches = l.plainStretches(src, func(dst, src []byte) { loop(view[float32](dst), src, a, r) })
	}
	return k, nil
}

func dequantizeRuns[T uint8 | int8 | uint16 | int16 | int32](dst []float32, src []byte, a []numeric.Affine, r runs) {
	if r.count == 1 {
		quantize.Dequantize(dst, view[T](src), a[0])
	} else if len(dst) > 0 {
		quantize.DequantizeAxis(dst, view[T](src), len(dst)/(r.count*r.inner), r.inner, a)
	}
}
