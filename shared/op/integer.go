package op

import (
	"fmt"
	"slices"

	"assay/kernels/numeric"
	"assay/kernels/quantize"
	"assay/shared/tensor"
)

// integerOps are what dynamic quantization is made of: the range of the data itself gives its scale, and products of
// integers stay integers of 32 bits. MatMulInteger and ConvInteger run on the integer kernels but for zero points of single
// rows, or of single columns of computed matrices, and computed convolution weights: those are plain loops.
var integerOps = []*Op{
	{
		Name: "DynamicQuantizeLinear", Opsets: []int{11}, Role: RoleQuantized, Types: float32Only,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 3}, RowWise: never,
		Infer: func(x *Infer) error {
			x.put(0, tensor.Uint8, x.In[0].Shape...)
			x.put(1, tensor.Float32)
			x.put(2, tensor.Uint8)
			return nil
		},
		Lower: lowerDynamicQuantize,
	},
	{
		Name: "MatMulInteger", Opsets: []int{10}, Role: RoleQuantized, Types: bytesOnly,
		Inputs: Arity{2, 4}, Outputs: Arity{1, 1}, MACs: stackMACs, RowWise: never,
		Infer: inferMatMulInteger, Lower: lowerMatMulInteger,
	},
	{
		Name: "ConvInteger", Opsets: []int{10}, Role: RoleQuantized, Types: bytesOnly, RowWise: never,
		Inputs: Arity{2, 4}, Outputs: Arity{1, 1}, Attrs: append([]string{"group"}, windowAttrs...),
		MACs:  func(x *Infer) int64 { return convMACs(x.In[1].Shape, x.Out[0].Shape) },
		Infer: inferConvInteger, Lower: lowerConvInteger,
	},
}

// lowerDynamicQuantize: the range is that of the data and 0; scale = range / 255, 1 when there is none; zero = rne(-min
// / scale). 0 is in the range so that padding with it is exact. The loops are over the whole tensor, all samples of a
// batch together, which is why the operator is never row-wise and a fixed batch must be kept (design.md 4.7). -lo/scale
// is rounded half to even and clamped to 0..255. NaN wins min and max as everywhere and makes scale NaN.
func lowerDynamicQuantize(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		x := view[float32](src.bytes(c))
		lo, hi := float32(0), float32(0)
		for _, v := range x {
			lo, hi = min(lo, v), max(hi, v)
		}
		a := numeric.Affine{Scale: (hi - lo) / 255}
		if a.Scale == 0 {
			a.Scale = 1
		}
		a.Zero = numeric.RoundClamp(-lo/a.Scale, 0, 255)
		for i, out := range c.Out {
			switch {
			case out == nil:
			case i == 0:
				quantize.Quantize(out, x, a)
			case i == 1:
				view[float32](out)[0] = a.Scale
			default:
				out[0] = uint8(a.Zero)
			}
		}
	}}, nil
}

// integerZeros checks the zero points of both operands: one number each, or one for each of n channels of the second.
// rows is how many the first operand's may be: its rows for MatMulInteger, 1 for ConvInteger.
func integerZeros(x *Infer, rows, n int) error {
	for i, most := range []int{2: rows, 3: n} {
		if i < 2 || !x.has(i) {
			continue
		}
		if x.In[i].DType != x.In[i-2].DType {
			return fmt.Errorf("zero point %d is %s, the data %s", i, x.In[i].DType, x.In[i-2].DType)
		}
		if k := tensor.Count(x.In[i].Shape); k != 1 && k != most {
			return fmt.Errorf("zero point %d has %d elements, 1 or %d are possible", i, k, most)
		}
	}
	if !slices.Contains(bytesOnly, x.In[1].DType) {
		return fmt.Errorf("input 1 is %s, uint8 and int8 are supported", x.In[1].DType)
	}
	return nil
}

// inferMatMulInteger: numpy's product of 8-bit operands in int32; zero points are single, or one for each row of A and
// column of B. 2^16 products of an unsigned and a signed byte, 255*128 in size at most, fit int32. Zero points may make
// products larger; a sum that then leaves int32 wraps.
func inferMatMulInteger(x *Infer) error {
	s, err := stackOf(x.In[0].Shape, x.In[1].Shape)
	if err != nil {
		return err
	}
	if s.k > 1<<16 {
		return fmt.Errorf("sums of %d products do not fit int32", s.k)
	}
	if err := integerZeros(x, s.m, s.n); err != nil {
		return err
	}
	x.put(0, tensor.Int32, s.out...)
	return nil
}

// zeros reads a zero point, one for all or one each. many and none exclude each other; with none, operand and at are
// unset.
type zeros struct {
	operand
	at   func([]byte, int) int64
	many bool
	none bool
}

// zeros binds input i, which may be computed: its value is read in each run.
func (l *Lower) zeros(i int) (z zeros, err error) {
	if !l.present(i) {
		return zeros{none: true}, nil
	}
	z.operand, err = l.operand(i, Logical)
	z.at, z.many = integerAt(l.In[i].DType), tensor.Count(l.In[i].Shape) > 1
	return z, err
}

// get is the zero point of channel k.
func (z *zeros) get(c *Call, k int) int32 {
	switch {
	case z.none:
		return 0
	case !z.many:
		k = 0
	}
	return int32(z.at(z.bytes(c), k))
}

// integerPair is both operands of an integer product with their zero points.
type integerPair struct {
	a, b   operand
	za, zb zeros
	getA   func([]byte, int) int64
	getB   func([]byte, int) int64
}

// integerPair binds inputs 0 to 3: both operands, then their zero points.
func (l *Lower) integerPair() (p integerPair, err error) {
	p.getA, p.getB = integerAt(l.In[0].DType), integerAt(l.In[1].DType)
	for i, to := range []*operand{&p.a, &p.b} {
		if *to, err = l.operand(i, Logical); err != nil {
			return p, err
		}
	}
	if p.za, err = l.zeros(2); err == nil {
		p.zb, err = l.zeros(3)
	}
	return p, err
}

// lowerMatMulInteger prefers the packed kernels. The plain loops behind are the definition: out = sum over k of (a -
// za)(b - zb), wrapping int32, and serve zero points per row.
func lowerMatMulInteger(l *Lower) (Kernel, error) {
	s, err := stackOf(l.In[0].Shape, l.In[1].Shape)
	if err != nil {
		return Kernel{}, err
	}
	p, err := l.integerPair()
	if err != nil {
		return Kernel{}, err
	}
	if k, ok, err := l.fastMatMulInteger(s, p); ok || err != nil {
		return k, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		a, b, out := p.a.bytes(c), p.b.bytes(c), view[int32](c.Out[0])
		for i := range s.left {
			for r := range s.m {
				row := out[(i*s.m+r)*s.n:][:s.n]
				clear(row)
				zero := p.za.get(c, r)
				for k := range s.k {
					v := int32(p.getA(a, (s.left[i]*s.m+r)*s.k+k)) - zero
					for j := range row {
						row[j] += v * (int32(p.getB(b, (s.right[i]*s.k+k)*s.n+j)) - p.zb.get(c, j))
					}
				}
			}
		}
	}}, nil
}

// inferConvInteger: a convolution of 8-bit operands in int32, padded with the data's zero point.
func inferConvInteger(x *Infer) error {
	data, weight := x.In[0].Shape, x.In[1].Shape
	w, _, err := convShape(x.Node, data, weight)
	if err != nil {
		return err
	}
	if tensor.Count(weight[1:]) > 1<<16 {
		return fmt.Errorf("sums of %d products do not fit int32", tensor.Count(weight[1:]))
	}
	if err := integerZeros(x, 1, weight[0]); err != nil {
		return err
	}
	x.put(0, tensor.Int32, append([]int{data[0], weight[0]}, w.out...)...)
	return nil
}

// lowerConvInteger: padding counts as the zero point, so it adds nothing.
func lowerConvInteger(l *Lower) (Kernel, error) {
	data, weight := l.In[0].Shape, l.In[1].Shape
	w, group, err := convShape(l.Node, data, weight)
	if err != nil {
		return Kernel{}, err
	}
	p, err := l.integerPair()
	if err != nil {
		return Kernel{}, err
	}
	spatial, kernel, out := tensor.Count(data[2:]), tensor.Count(weight[2:]), tensor.Count(w.out)
	if out == 0 || kernel == 0 {
		return Kernel{}, fmt.Errorf("weight shape %v and output shape %v are empty", weight, l.Out[0].Shape)
	}
	if k, ok, err := l.fastConvInteger(w, group, p); ok || err != nil {
		return k, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		x, k, y := p.a.bytes(c), p.b.bytes(c), view[int32](c.Out[0])
		zero, perGroup := p.za.get(c, 0), weight[0]/group
		for i := range y {
			at, oc, n := i%out, i/out%weight[0], i/out/weight[0]
			zw, sum := p.zb.get(c, oc), int32(0)
			for tap := range kernel {
				from, ok := w.source(at, tap, data[2:], weight[2:])
				if !ok {
					continue
				}
				for ic := range weight[1] {
					v := p.getA(x, (n*data[1]+oc/perGroup*weight[1]+ic)*spatial+from)
					sum += (int32(v) - zero) * (int32(p.getB(k, (oc*weight[1]+ic)*kernel+tap)) - zw)
				}
			}
			y[i] = sum
		}
	}}, nil
}

// source is the place in the image that tap of the kernel reads for output position at; ok is false in the padding. at
// and tap count row-major over w.out and kernel; from is in elements of the image, without its channels.
func (w *window) source(at, tap int, image, kernel []int) (from int, ok bool) {
	stride := 1
	for a := len(image) - 1; a >= 0; a-- {
		o, t := at%w.out[a], tap%kernel[a]
		at, tap = at/w.out[a], tap/kernel[a]
		p := o*w.stride[a] - w.before[a] + t*w.dilation[a]
		if p < 0 || p >= image[a] {
			return 0, false
		}
		from += p * stride
		stride *= image[a]
	}
	return from, true
}
