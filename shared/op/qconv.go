package op

import (
	"slices"

	"assay/kernels/conv"
	"assay/shared/tensor"
)

// qconvOps are integer convolutions: inputs x, its scale and zero point; w, scale, zero point (per tensor or output
// channel); scale and zero point of y; int32 bias in units of x's times w's scale. Attributes are those of Conv. The
// accumulator is exact, requantization is one multiplication and one rounding half to even, padding is x's zero point:
//
//	acc = sum of (x - zx)(w - zw) + bias          exact in int32
//	m   = f32(f32(sx*sw) / sy)                    per output channel
//	y   = sat(rint(f32(f32(acc) * m)) + zy)       ort-semantics 6.1
//
// Refused: what Conv refuses, levels that are computed, more products than an int32 holds.
var qconvOps = []*Op{
	qconv("", []int{10}),
	qconv(microsoft, []int{1}),
}

// com.microsoft has the same node with attribute channels_last, which the upgrade turns into Transposes.
func qconv(domain string, opsets []int) *Op {
	return &Op{
		Domain: domain, Name: "QLinearConv", Opsets: opsets, Role: RoleQuantized, Memory: MemorySpatial, Types: bytesOnly,
		Attrs: append([]string{"group"}, windowAttrs...), Inputs: Arity{8, 9}, Outputs: Arity{1, 1},
		Infer: inferQLinearConv, Lower: lowerQLinearConv, Upgrade: channelsLast(weightRank),
		MACs: func(x *Infer) int64 { return convMACs(x.In[3].Shape, x.Out[0].Shape) },
	}
}

// inferQLinearConv: the shape of Conv; the type is that of y's zero point.
func inferQLinearConv(x *Infer) error {
	data, weight := x.In[0].Shape, x.In[3].Shape
	w, _, err := convShape(x.Node, data, weight)
	if err != nil {
		return err
	}
	d, err := x.quantizedType(7, tensor.Uint8)
	if err != nil {
		return err
	}
	x.put(0, d, append([]int{data[0], weight[0]}, w.out...)...)
	return nil
}

// lowerQLinearConv runs kernels on unsigned activations and signed weights (VPDPBUSD's operands). Signed activations
// are copied to scratch with 128 added, zero point likewise; unsigned weights are moved by -128 as they are packed.
// Both leave every difference, and so the exact sum, as it was.
func lowerQLinearConv(l *Lower) (Kernel, error) {
	if len(l.In[0].Shape) > 4 {
		return lowerVolumeQLinearConv(l)
	}
	g, err := l.geometry(0, 3)
	if err != nil {
		return Kernel{}, err
	}
	p, err := l.quantizedLayer(layerInputs{x: 0, w: 3, y: 6, bias: 8, channels: g.OC})
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	moves := []int{g.Group, g.StrideH, g.StrideW, g.DilationH, g.DilationW}
	packed, err := pack(l.Packs, packKey(l.Packs, "conv.i8", moves, p.weight, p.bias, p.zeros), func() (*conv.I8, error) {
		w, zero := signedWeights(p.weight, p.w)
		bias, err := int32sOf(p.bias)
		if err != nil {
			return nil, err
		}
		return conv.PackI8(g, w, bias, zero)
	})
	if err != nil {
		return Kernel{}, err
	}
	size, xz, rq := p.flipped(tensor.Count(l.In[0].Shape)), p.x.unsigned(), requant(p.x, p.w, p.y)
	k := Kernel{Alias: -1, Scratch: size + packed.Scratch(g), Run: func(c *Call) {
		in := p.input(src.bytes(c), c.Scratch)
		packed.Run(c.Out[0], in, g, xz, rq, c.Scratch[size:])
		p.output(c.Out[0])
	}}
	if p.y.dtype == tensor.Uint8 && packed.TakesApart() { // others change when they are complete
		k.WriteColumns = func(dst, src []byte, apart int, scratch []byte) {
			wide := g
			wide.Apart = apart
			packed.Run(dst, p.input(src, scratch), wide, xz, rq, scratch[size:])
		}
	}
	return k, nil
}

// layerInputs says where a quantized layer's node has its inputs: data, weight and output are followed by scale and zero
// point (for the output they are all there is). bias is -1 where there is none. channels is how many scales the weight
// may have.
type layerInputs struct{ x, w, y, bias, channels int }

// quantizedLayer is what integer layers have in common. weight is nil for a computed right side; zeros and bias are nil
// when they are omitted. y is unset for float results.
type quantizedLayer struct {
	x, w, y             levels
	weight, bias, zeros *tensor.Tensor
}

// quantizedLayer reads what at names. Everything but the data has to be constant.
func (l *Lower) quantizedLayer(at layerInputs) (p quantizedLayer, err error) {
	if p.x, err = l.single(at.x+1, at.x+2, l.In[at.x].DType); err != nil {
		return p, err
	}
	if p.w, err = l.levels(at.w+1, at.w+2, l.In[at.w].DType); err != nil {
		return p, err
	}
	if p.weight, err = l.constant(at.w, "weight"); err != nil {
		return p, err
	}
	if l.present(at.w + 2) {
		p.zeros = l.In[at.w+2].Const
	}
	if err := p.w.perChannel(at.channels); err != nil {
		return p, err
	}
	if at.y >= 0 {
		if p.y, err = l.single(at.y, at.y+1, l.Out[0].DType); err != nil {
			return p, err
		}
	}
	if at.bias >= 0 {
		p.bias, err = l.constant(at.bias, "bias")
	}
	return p, err
}

// flipped is the scratch for n signed activations read as unsigned ones, 0 when they are unsigned.
func (p *quantizedLayer) flipped(n int) int {
	if p.x.dtype != tensor.Int8 {
		return 0
	}
	return (n + 63) &^ 63
}

// input is the data as unsigned bytes.
func (p *quantizedLayer) input(data, scratch []byte) []byte {
	if p.x.dtype != tensor.Int8 {
		return data
	}
	flipTo(scratch, data)
	return scratch[:len(data)]
}

// output brings finished unsigned bytes into the output's type. It runs in place over the complete output, which is why
// int8 outputs cannot be written by columns.
func (p *quantizedLayer) output(dst []byte) {
	if p.y.dtype == tensor.Int8 {
		flipTo(dst, dst)
	}
}

// broadcastShape reports whether shape holds n numbers along its last axis and no others.
func broadcastShape(shape []int, n int) bool {
	return tensor.Count(shape) == n && (len(shape) == 0 || slices.Max(shape) == n)
}
