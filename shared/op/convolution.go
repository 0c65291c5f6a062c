package op

import (
	"fmt"
	"slices"

	"assay/kernels/conv"
	"assay/kernels/numeric"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// convOps convolve: y[n, oc, o...] = bias[oc] + sum over (tap..., ic) of x[n, g(oc)*C/group + ic, o*stride - pad +
// tap*dilation] * w[oc, ic, tap], zero outside the data. FusedConv is Conv with a residual, where there is an input 3, that
// is added to the finished sum, and an activation (none, Relu, Clip) of that: both as results are stored.
//
// Attributes: group 1, strides and dilations 1, pads 0, auto_pad NOTSET by default; kernel_shape, where given, must
// equal the weight's. Data is [N][C][spatial...] with 1 to 3 spatial axes, weight [OC][C/group][kernel...] and
// constant, since it is packed. The order of the sum is design.md 6's: one fused chain per output that starts at the
// bias, taps outside channels. In a plan the weight has one scale per output channel, the bias becomes int32 and the
// output needs a point of its own in front of an Add (ort-semantics 4.6).
var convOps = []*Op{
	convolution("", "Conv", []int{1, 11}, append([]string{"group"}, windowAttrs...)),
	convolution(microsoft, "FusedConv", []int{1}, append([]string{"activation", "activation_params", "group"}, windowAttrs...)),
}

// microsoft is the domain of ONNX Runtime's own operators.
const microsoft = "com.microsoft"

// convolution is Conv or its fused form; that of a file is respelled, since an activation hides what quantization wants
// to see.
func convolution(domain, name string, opsets []int, attrs []string) *Op {
	o := &Op{
		Domain: domain, Name: name, Opsets: opsets, Attrs: attrs, Role: RoleLayer, Memory: MemorySpatial, Types: float32Only,
		Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Infer: inferConv, Lower: lowerConv,
		MACs: func(x *Infer) int64 { return convMACs(x.In[1].Shape, x.Out[0].Shape) },
	}
	if domain != "" {
		o.Upgrade, o.Inputs.Most, o.Residual = spellFused("Conv"), 4, 3
	}
	return o
}

// convMACs is what every convolution costs: one multiplication per output element and kernel element of its group.
func convMACs(weight, out []int) int64 {
	if len(weight) == 0 || len(out) == 0 {
		return 0
	}
	return int64(tensor.Count(out)) * int64(tensor.Count(weight[1:]))
}

// convShape checks weight [OC][C/group][kernel...] against data [N][C][spatial...] and returns the window. kernel_shape
// is redundant in ONNX but must not lie: a file whose attribute differs from its weight is refused.
func convShape(n *graph.Node, data, weight []int) (w window, group int, err error) {
	if len(data) < 3 || len(weight) != len(data) {
		return w, 0, fmt.Errorf("data shape %v and weight shape %v do not fit: both need the same 3 or more axes", data, weight)
	}
	if group, err = toInt(n.Int("group", 1)); err != nil {
		return w, 0, err
	}
	if group < 1 || weight[0]%group != 0 || weight[1]*group != data[1] {
		return w, 0, fmt.Errorf("data shape %v, weight shape %v and group %d do not fit", data, weight, group)
	}
	if k := n.Ints("kernel_shape"); k != nil {
		v, err := toInts(k)
		if err != nil || !slices.Equal(v, weight[2:]) {
			return w, 0, fmt.Errorf("attribute kernel_shape %v differs from weight shape %v", k, weight)
		}
	}
	w, err = windowOf(n, data[2:], weight[2:], false)
	return w, group, err
}

// inferConv: [N][OC][out...], where each out is floor((in + pads - dilation*(kernel-1) - 1) / stride) + 1 (windowOf).
func inferConv(x *Infer) error {
	if err := x.alike(1, 2, 3); err != nil {
		return err
	}
	data, weight := x.In[0].Shape, x.In[1].Shape
	w, _, err := convShape(x.Node, data, weight)
	if err != nil {
		return err
	}
	if x.has(2) && !slices.Equal(x.In[2].Shape, weight[:1]) {
		return fmt.Errorf("bias shape %v does not fit weight shape %v", x.In[2].Shape, weight)
	}
	out := append([]int{data[0], weight[0]}, w.out...)
	if x.has(3) && !slices.Equal(x.In[3].Shape, out) {
		return fmt.Errorf("residual shape %v does not fit output shape %v", x.In[3].Shape, out)
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// TakesResidual reports whether the kernels of a Conv with this constant weight add a residual as they store: dense and
// grouped ones of up to two spatial axes do, depthwise ones do not.
func TakesResidual(conv *graph.Node, weight []int) bool {
	group := conv.Int("group", 1)
	depthwise := len(weight) > 1 && weight[1] == 1 && group > 1 && int64(weight[0]) == group
	return (len(weight) == 3 || len(weight) == 4) && !depthwise
}

// constant returns the tensor of input i, which has to be known before the run. nil without an error is an omitted
// input. An *Unknown is no failure of the model: the engine then cuts the program in front of the node and lowers it
// again with the value.
func (l *Lower) constant(i int, what string) (*tensor.Tensor, error) {
	if !l.present(i) {
		return nil, nil
	}
	if t := l.In[i].Const; t != nil {
		return t, nil
	}
	return nil, &Unknown{Input: i, What: what}
}

// geometry is the convolution of a node whose data and weight are inputs d and w.
func (l *Lower) geometry(d, w int) (conv.Geometry, error) {
	data, weight := l.In[d].Shape, l.In[w].Shape
	win, group, err := convShape(l.Node, data, weight)
	if err != nil {
		return conv.Geometry{}, err
	}
	return win.geometry(data[0], data[1], weight[0], group)
}

// lowerConv takes the planar kernels for up to two spatial axes, the volume kernels beyond. The kernel never aliases,
// because a window reads neighbours that the output would overwrite. WriteColumns exists only for packings that can
// leave room between pixels; see Kernel.
func lowerConv(l *Lower) (Kernel, error) {
	weight, err := l.constant(1, "weight")
	if err != nil {
		return Kernel{}, err
	}
	bias, err := l.constant(2, "bias")
	if err != nil {
		return Kernel{}, err
	}
	act, err := activation(l.Node)
	if err != nil {
		return Kernel{}, err
	}
	if len(l.In[0].Shape) > 4 {
		w, group, err := convShape(l.Node, l.In[0].Shape, weight.Shape)
		if err != nil {
			return Kernel{}, err
		}
		return lowerVolumeConv(l, w, group, weight, bias, act)
	}
	g, err := l.geometry(0, 1)
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	packed, err := pack(l.Packs, packKey(l.Packs, "conv.f32", []int{g.Group}, weight, bias), func() (*conv.F32, error) {
		return conv.PackF32(g, weight.F32(), floatsOf(bias))
	})
	if err != nil {
		return Kernel{}, err
	}
	if l.present(3) {
		return l.residualConv(packed, g, src, act)
	}
	k := Kernel{Alias: -1, Scratch: packed.Scratch(g), Run: func(c *Call) {
		packed.Run(view[float32](c.Out[0]), view[float32](src.bytes(c)), g, act, c.Scratch)
	}}
	if packed.TakesApart() {
		k.WriteColumns = func(dst, src []byte, apart int, scratch []byte) {
			wide := g
			wide.Apart = apart
			packed.Run(view[float32](dst), view[float32](src), wide, act, scratch)
		}
	}
	return k, nil
}

// residualConv is a convolution with input 3, which the engine gives only to layers of which TakesResidual holds.
func (l *Lower) residualConv(packed *conv.F32, g conv.Geometry, src operand, act numeric.Clamp) (Kernel, error) {
	if !packed.TakesResidual() {
		return Kernel{}, fmt.Errorf("a depthwise convolution with a residual is not supported")
	}
	residual, err := l.operand(3, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Scratch: packed.Scratch(g), Run: func(c *Call) {
		packed.RunResidual(view[float32](c.Out[0]), view[float32](src.bytes(c)), view[float32](residual.bytes(c)), g, act, c.Scratch)
	}}, nil
}

// floatsOf is t's elements, nil for an absent tensor.
func floatsOf(t *tensor.Tensor) []float32 {
	if t == nil {
		return nil
	}
	return t.F32()
}

// packKey names a packing: the kernel that reads it, what it depends on beside the content, and the content. Two nodes
// with equal keys share one packed object between all programs of a process, so everything that the packer reads has to
// be in it: a missing parameter would hand one layer another's weights.
func packKey(packs Packs, kernel string, params []int, content ...*tensor.Tensor) string {
	key := fmt.Sprint(kernel, params)
	for _, t := range content {
		if t == nil {
			key += " -"
			continue
		}
		key += fmt.Sprintf(" %x", packs.Digest(t))
	}
	return key
}

// pack gets or builds a packed value. build runs at most once per key and process; its size counts against --memory for
// as long as any program holds it.
func pack[T interface{ Bytes() int }](packs Packs, key string, build func() (T, error)) (T, error) {
	v, err := packs.Get(key, func() (any, int64, error) {
		p, err := build()
		if err != nil {
			return nil, 0, err
		}
		return p, int64(p.Bytes()), nil
	})
	if err != nil {
		var none T
		return none, err
	}
	return v.(T), nil
}
