package op

import (
	"fmt"

	"assay/kernels/gemm"
	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// qmatmulOps are integer matrix products: with integer results (QLinearMatMul, and QGemm where it is given a scale for y)
// and with float ones (QGemm without, MatMulIntegerToFloat). Weight levels are per tensor or per column, a bias of QGemm is
// int32 in units of x's times w's scale. Sums are exact; more products than an int32 holds are refused, as are QGemm's
// transA and alpha.
var qmatmulOps = []*Op{
	{
		Name: "QLinearMatMul", Opsets: []int{10, 21}, Role: RoleQuantized, Types: bytesOnly,
		Inputs: Arity{8, 8}, Outputs: Arity{1, 1}, MACs: stackMACs,
		Infer: func(x *Infer) error {
			d, err := x.quantizedType(7, tensor.Uint8)
			if err != nil {
				return err
			}
			return inferStack(x, 3, d)
		},
		Lower: lowerQLinearMatMul, RowWise: func(l *Lower) bool { return stackKeepsRows(l.In[0], l.In[3]) },
	},
	{
		Domain: microsoft, Name: "QGemm", Opsets: []int{1}, Role: RoleQuantized, Types: bytesOnly,
		Inputs: Arity{6, 9}, Outputs: Arity{1, 1}, Attrs: []string{"alpha", "transA", "transB"}, MACs: stackMACs,
		Infer: inferQGemm, Lower: lowerQGemm,
	},
	{
		Domain: microsoft, Name: "MatMulIntegerToFloat", Opsets: []int{1}, Role: RoleQuantized, Types: bytesOnly,
		Inputs: Arity{4, 7}, Outputs: Arity{1, 1}, MACs: stackMACs,
		Infer: func(x *Infer) error {
			if x.has(6) && (x.In[6].DType != tensor.Float32 || !lastAxis(x.In[6].Shape, x.In[1].Shape)) {
				return fmt.Errorf("bias is %s%v, a float32 for each column is required", x.In[6].DType, x.In[6].Shape)
			}
			return inferStack(x, 1, tensor.Float32)
		},
		Lower: lowerMatMulIntegerToFloat, RowWise: func(l *Lower) bool { return stackKeepsRows(l.In[0], l.In[1]) },
	},
}

// stackMACs is what every product of stacked matrices costs.
func stackMACs(x *Infer) int64 {
	a := x.In[0].Shape
	if len(a) == 0 {
		return 0
	}
	return int64(tensor.Count(x.Out[0].Shape)) * int64(a[len(a)-1])
}

// lastAxis reports whether bias has one number for each position along the last axis of matrix.
func lastAxis(bias, matrix []int) bool {
	return len(matrix) > 1 && broadcastShape(bias, matrix[len(matrix)-1])
}

// inferStack is the shape of numpy.matmul of input 0 and input right, in type d.
func inferStack(x *Infer, right int, d tensor.DType) error {
	s, err := stackOf(x.In[0].Shape, x.In[right].Shape)
	if err != nil {
		return err
	}
	x.put(0, d, s.out...)
	return nil
}

// inferQGemm: a matrix in the type of y's zero point where y has a scale, else in float32.
func inferQGemm(x *Infer) error {
	p, err := productOf(x.In[0].Shape, x.In[3].Shape, x.Node.Int("transA", 0) != 0, x.Node.Int("transB", 0) != 0)
	if err != nil {
		return err
	}
	if x.Node.Int("transA", 0) != 0 || x.Node.Float("alpha", 1) != 1 {
		return fmt.Errorf("transA and alpha are not supported")
	}
	d := tensor.Float32
	if x.has(7) {
		if d, err = x.quantizedType(8, tensor.Uint8); err != nil {
			return err
		}
	}
	x.put(0, d, p.m, p.n)
	return nil
}

// integerProduct is a stack of matrix products whose right side is integers. Invariants: size is a multiple of 64 where
// live is set; scratch begins with the flipped data (layer.flipped bytes), then what is packed in each run from off on.
// zero is the data's zero point as an unsigned byte; live, where set, replaces it and the scale.
type integerProduct struct {
	stack
	layer quantizedLayer
	data  operand
	zero  uint8
	size  int // of scratch

	// live reads scale and zero point of the data in each run, where they are computed (dynamic quantization); else nil.
	live func(c *Call) (scale float32, zero uint8)

	// packed are constant matrices on the right. A computed one is packed anew in each run, into scratch from off on.
	packed []*gemm.I8
	src    operand
	turn   *strided // of a computed, transposed one
	bias   []int32
	off    int
}

// integerProduct binds data input at.x and weight input at.w. s must fit the inputs. A constant right side is packed
// matrix by matrix and the stack joined afterwards; a computed one keeps its stack, since each of its matrices is
// packed when its turn comes.
func (l *Lower) integerProduct(s stack, at layerInputs, transB bool) (*integerProduct, error) {
	at.channels = s.n
	layer, err := l.productLayer(at)
	if err != nil {
		return nil, err
	}
	p := &integerProduct{stack: s, layer: layer, size: layer.flipped(tensor.Count(l.In[at.x].Shape)), zero: layer.x.unsigned()}
	if p.data, err = l.operand(at.x, Logical); err != nil {
		return nil, err
	}
	bias, err := int32sOf(layer.bias)
	if err != nil {
		return nil, err
	}
	if bias != nil && !broadcastShape(layer.bias.Shape, s.n) {
		return nil, fmt.Errorf("bias shape %v does not fit %d columns", layer.bias.Shape, s.n)
	}
	if layer.weight == nil {
		if p.src, err = l.operand(at.w, Logical); err != nil {
			return nil, err
		}
		p.bias, p.off = bias, p.size
		p.size += gemm.SpaceI8(s.k, s.n)
		if transB {
			p.turn = newStrided([]int{s.k, s.n}, []int{s.n, 1}, 0, []int{1, s.k}, 0, 1)
			p.size += s.k * s.n
		}
		return p, nil
	}
	v, zero := signedWeights(layer.weight, layer.w)
	p.packed = make([]*gemm.I8, len(v)/max(1, s.k*s.n))
	for b := range p.packed {
		key := packKey(l.Packs, "gemm.i8", []int{s.k, s.n, int(truth(transB)), b}, layer.weight, layer.bias, layer.zeros)
		p.packed[b], err = pack(l.Packs, key, func() (*gemm.I8, error) {
			return gemm.PackI8(v[b*s.k*s.n:(b+1)*s.k*s.n], s.k, s.n, transB, bias, zero), nil
		})
		if err != nil {
			return nil, err
		}
	}
	p.join()
	return p, nil
}

// matrix is one of the matrices on the right, packed. It serves until the next call. The constant case copies a header
// of a few words, not the panels.
func (p *integerProduct) matrix(c *Call, batch int) gemm.I8 {
	if p.packed != nil {
		return *p.packed[batch]
	}
	size := p.k * p.n
	b, space := p.src.bytes(c)[batch*size:][:size], c.Scratch[p.off:p.size]
	if p.turn != nil {
		p.turn.run(space, b)
		b, space = space[:size], space[size:]
	}
	w := p.layer.w
	return gemm.RepackI8(space, b, w.dtype == tensor.Int8, p.k, p.n, p.bias, w.zero[0])
}

// productLayer is quantizedLayer for products, whose right side may be computed.
func (l *Lower) productLayer(at layerInputs) (quantizedLayer, error) {
	if l.In[at.w].Const != nil {
		return l.quantizedLayer(at)
	}
	var p quantizedLayer
	var err error
	if p.x, err = l.single(at.x+1, at.x+2, l.In[at.x].DType); err != nil {
		return p, err
	}
	if p.w, err = l.single(at.w+1, at.w+2, l.In[at.w].DType); err != nil {
		return p, err
	}
	if at.y >= 0 {
		p.y, err = l.single(at.y, at.y+1, l.Out[0].DType)
	}
	return p, err
}

// integers lowers p to a kernel with integer output.
func (p *integerProduct) integers() Kernel {
	rq := requant(p.layer.x, p.layer.w, p.layer.y)
	return Kernel{Alias: -1, Scratch: p.size, Run: func(c *Call) {
		rows, size := p.layer.input(p.data.bytes(c), c.Scratch), p.m*p.n
		for i := range p.left {
			b := p.matrix(c, p.right[i])
			b.Run(c.Out[0][i*size:(i+1)*size], p.n, rows[p.left[i]*p.m*p.k:], p.k, p.m, p.zero, rq)
		}
		p.layer.output(c.Out[0])
	}}
}

// floats lowers p to a kernel with float output f32(f32(acc) * f32(sx*sw)), plus a float for each column. add has one
// number for each column, or is nil; its sum is rounded separately, as ONNX Runtime's MatMulIntegerToFloat does.
func (p *integerProduct) floats(add []float32) Kernel {
	scale := make([]float32, len(p.layer.w.scale))
	for i, s := range p.layer.w.scale {
		scale[i] = float32(p.layer.x.scale[0] * s)
	}
	scratch := p.size
	if p.live != nil {
		p.size = (p.size + 63) &^ 63
		scratch = p.size + 4*len(scale)
	}
	return Kernel{Alias: -1, Scratch: scratch, Run: func(c *Call) {
		dst := view[float32](c.Out[0])
		rows, size := p.layer.input(p.data.bytes(c), c.Scratch), p.m*p.n
		scale, zero := scale, p.zero
		if p.live != nil {
			var sx float32
			sx, zero = p.live(c)
			scale = view[float32](c.Scratch[p.size:])
			for i, s := range p.layer.w.scale {
				scale[i] = float32(sx * s)
			}
		}
		for i := range p.left {
			b := p.matrix(c, p.right[i])
			b.RunFloat(dst[i*size:(i+1)*size], p.n, rows[p.left[i]*p.m*p.k:], p.k, p.m, zero, scale)
		}
		for i := 0; add != nil && i < len(dst); i++ {
			dst[i] = numeric.Canon(dst[i] + add[i%len(add)])
		}
	}}
}

// lowerQLinearMatMul: no bias; f32(acc) rounds half to even beyond 2^24 (ort-semantics 6.1).
func lowerQLinearMatMul(l *Lower) (Kernel, error) {
	s, err := stackOf(l.In[0].Shape, l.In[3].Shape)
	if err != nil {
		return Kernel{}, err
	}
	p, err := l.integerProduct(s, layerInputs{x: 0, w: 3, y: 6, bias: -1}, false)
	if err != nil {
		return Kernel{}, err
	}
	return p.integers(), nil
}

// lowerQGemm gives integers when y has a scale at input 7, else floats f32(f32(acc)*f32(sx*sw)) with the bias inside
// acc.
func lowerQGemm(l *Lower) (Kernel, error) {
	transB := l.Node.Int("transB", 0) != 0
	q, err := productOf(l.In[0].Shape, l.In[3].Shape, false, transB)
	if err != nil {
		return Kernel{}, err
	}
	at := layerInputs{x: 0, w: 3, y: 7, bias: 6}
	if !l.present(7) {
		at.y = -1
	}
	p, err := l.integerProduct(stack{product: q, left: []int{0}, right: []int{0}}, at, transB)
	if err != nil {
		return Kernel{}, err
	}
	if at.y < 0 {
		return p.floats(nil), nil
	}
	return p.integers(), nil
}

// lowerMatMulIntegerToFloat reorders the inputs, which have their scales behind both matrices, to the others' order.
// The copy of l has its inputs renumbered, and so operands have their indices set back: a Call knows the node's own
// order.
func lowerMatMulIntegerToFloat(l *Lower) (Kernel, error) {
	s, err := stackOf(l.In[0].Shape, l.In[1].Shape)
	if err != nil {
		return Kernel{}, err
	}
	in := make([]Arg, 6)
	for i, from := range []int{0, 2, 4, 1, 3, 5} {
		if from < len(l.In) {
			in[i] = l.In[from]
		}
	}
	bias, err := l.constant(6, "bias")
	if err != nil {
		return Kernel{}, err
	}
	live := l.liveLevels(2, 4)
	if live != nil {
		in[1].Const, in[2] = scalar(1), Arg{}
	}
	m := *l
	m.In = in
	p, err := m.integerProduct(s, layerInputs{x: 0, w: 3, y: -1, bias: -1}, false)
	if err != nil {
		return Kernel{}, err
	}
	p.data.index, p.src.index, p.live = 0, 1, live
	return p.floats(floatsOf(bias)), nil
}

// perChannel refuses scales that are neither one nor one for each channel.
func (q levels) perChannel(n int) error {
	if len(q.scale) != 1 && len(q.scale) != n {
		return fmt.Errorf("%d weight scales are given for %d channels", len(q.scale), n)
	}
	return nil
}

// stackKeepsRows is matmulKeepsRows for matrices a and b of another operator.
func stackKeepsRows(a, b Arg) bool { return matmulKeepsRows(&Lower{In: []Arg{a, b}}) }

// liveLevels returns what reads scale s and zero point z of input 0 in each run, nil when they are constants. A live
// scale is read once per call. flip moves the zero point of signed data as flipTo moves the data.
func (l *Lower) liveLevels(s, z int) func(c *Call) (float32, uint8) {
	zero := l.present(z) && l.In[z].Const == nil
	if l.In[s].Const != nil && !zero || tensor.Count(l.In[s].Shape) != 1 || l.present(z) && tensor.Count(l.In[z].Shape) != 1 {
		return nil
	}
	flip := uint8(0)
	if l.In[0].DType == tensor.Int8 {
		flip = 0x80
	}
	fixed, fixedZero := l.In[s].Const, flip
	if l.present(z) && !zero {
		fixedZero = l.In[z].Const.Data[0] ^ flip
	}
	return func(c *Call) (scale float32, at uint8) {
		at = fixedZero
		if zero {
			at = c.In[z][0] ^ flip
		}
		if fixed != nil {
			return fixed.F32()[0], at
		}
		return view[float32](c.In[s])[0], at
	}
}
