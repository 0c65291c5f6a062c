package op

import (
	"fmt"

	"assay/kernels/conv"
	"assay/kernels/numeric"
	"assay/kernels/volume"
	"assay/shared/tensor"
)

// mostTaps bounds kernels whose elements are gone through one by one: padding lets them be far larger than the data.
const mostTaps = 1 << 20

// volume is the window over samples of c channels as the kernels for any number of axes take it.
func (w window) volume(batch, c int) (volume.Window, error) {
	if len(w.in) > volume.MaxAxes {
		return volume.Window{}, fmt.Errorf("%d spatial axes are not supported, up to %d are", len(w.in), volume.MaxAxes)
	}
	if taps := tensor.Count(w.kernel); taps > mostTaps {
		return volume.Window{}, fmt.Errorf("a kernel of %d elements is not supported, up to %d are", taps, mostTaps)
	}
	return volume.Window{
		Batch: batch, C: c, In: w.in, Out: w.out, Kernel: w.kernel, Stride: w.stride, Dilation: w.dilation,
		Before: w.before, After: w.after,
	}.Count(), nil
}

// lowerVolumeConv convolves data with more than two spatial axes. The chain's order is that of the planar kernels
// (bias, taps outside channels), so a volume of depth 1 has an image's bits.
func lowerVolumeConv(l *Lower, w window, group int, weight, bias *tensor.Tensor, act numeric.Clamp) (Kernel, error) {
	data := l.In[0].Shape
	v, err := w.volume(data[0], data[1])
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	packed, err := pack(l.Packs, packKey(l.Packs, "conv.volume", []int{group}, weight, bias), func() (*volume.Conv, error) {
		return volume.PackConv(weight.F32(), floatsOf(bias), weight.Shape[0], data[1], group, v.Taps())
	})
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Scratch: 4 * packed.Scratch(), Run: func(c *Call) {
		packed.Run(view[float32](c.Out[0]), view[float32](src.bytes(c)), &v, act, view[float32](c.Scratch))
	}}, nil
}

// lowerVolumeQLinearConv is an integer convolution of data with more than two spatial axes. Formulas are qconvOps's.
func lowerVolumeQLinearConv(l *Lower) (Kernel, error) {
	data, shape := l.In[0].Shape, l.In[3].Shape
	w, group, err := convShape(l.Node, data, shape)
	if err != nil {
		return Kernel{}, err
	}
	v, err := w.volume(data[0], data[1])
	if err != nil {
		return Kernel{}, err
	}
	p, err := l.quantizedLayer(layerInputs{x: 0, w: 3, y: 6, bias: 8, channels: shape[0]})
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	packed, err := pack(l.Packs, packKey(l.Packs, "conv.volume.i8", []int{group}, p.weight, p.bias, p.zeros), func() (*volume.ConvI8, error) {
		weight, zero := signedWeights(p.weight, p.w)
		bias, err := int32sOf(p.bias)
		if err != nil {
			return nil, err
		}
		return volume.PackConvI8(weight, bias, zero, shape[0], data[1], group, v.Taps())
	})
	if err != nil {
		return Kernel{}, err
	}
	size, xz, rq := p.flipped(tensor.Count(data)), p.x.unsigned(), requant(p.x, p.w, p.y)
	return Kernel{Alias: -1, Scratch: size + packed.Scratch(), Run: func(c *Call) {
		packed.Run(c.Out[0], p.input(src.bytes(c), c.Scratch), &v, xz, rq, c.Scratch[size:])
		p.output(c.Out[0])
	}}, nil
}

// transposeOps turn a convolution around: gradients with respect to its input, and upsampling that is learnt. Data
// position p adds x[p]*w[k] to output position p*stride - before + k*dilation. Weight is [C][OC/group][kernel...],
// input channels first. Defaults: stride, dilation and group 1, no padding; output_shape wins over pads, and auto_pad
// over both when it is SAME. It is a convolution over data set apart by zeros with the kernel turned, so every output is
// one chain and the order of Conv holds; where only the taps that meet data are computed, see phases. A float one between DQ and Q is silently quantized by ONNX Runtime,
// as Conv is (ort-semantics 6.4).
var transposeOps = []*Op{{
	Name: "ConvTranspose", Opsets: []int{1, 11}, Role: RoleLayer, Memory: MemorySpatial, Types: float32Only,
	Attrs:  append([]string{"group", "output_padding", "output_shape"}, windowAttrs...),
	Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Infer: inferConvTranspose, Lower: lowerConvTranspose,
	MACs: func(x *Infer) int64 { return convMACs(x.In[1].Shape, x.In[0].Shape) },
}}

// transposition is the geometry of a ConvTranspose: data position p touches output positions p*stride - before +
// k*dilation. window's in is the data's size, out the result's; oc is all output channels.
type transposition struct {
	window
	group, oc int
}

// transpositionOf checks shapes and attributes; data must not be empty.
func transpositionOf(x *Infer) (t transposition, err error) {
	n, data, weight := x.Node, x.In[0].Shape, x.In[1].Shape
	if len(data) < 3 || len(weight) != len(data) || len(data)-2 > volume.MaxAxes {
		return t, fmt.Errorf("data shape %v and weight shape %v do not fit: both need the same 3 or more axes", data, weight)
	}
	rank := len(data) - 2
	if t.group, err = toInt(n.Int("group", 1)); err != nil {
		return t, err
	}
	if t.group < 1 || data[1]%t.group != 0 || weight[0] != data[1] || data[1] == 0 || tensor.Count(weight[1:]) == 0 {
		return t, fmt.Errorf("data shape %v, weight shape %v and group %d do not fit", data, weight, t.group)
	}
	t.oc, t.in, t.kernel = weight[1]*t.group, data[2:], weight[2:]
	if t.stride, err = perAxis(n, "strides", rank, 1); err != nil {
		return t, err
	}
	if t.dilation, err = perAxis(n, "dilations", rank, 1); err != nil {
		return t, err
	}
	extra := make([]int, rank)
	if v := n.Ints("output_padding"); v != nil {
		if extra, err = toInts(v); err != nil || len(extra) != rank {
			return t, fmt.Errorf("attribute output_padding is %v for %d spatial axes", v, rank)
		}
	}
	return t, t.sizes(n, extra)
}

// sizes sets the padding and the output's size: what the data touches, without the padding that pads names or that
// output_shape and auto_pad leave over. An odd cell goes to the end for SAME_UPPER and to the front else. The full
// extent is stride*(in-1) + output_padding + dilation*(kernel-1) + 1. Negative padding at the end (an output_shape
// beyond the full extent) is allowed: nothing touches those positions.
func (t *transposition) sizes(n interface {
	Ints(string) []int64
	Str(name, def string) string
}, extra []int) error {
	rank := len(t.in)
	t.before, t.after, t.out = make([]int, rank), make([]int, rank), make([]int, rank)
	mode, want := n.Str("auto_pad", "NOTSET"), n.Ints("output_shape")
	pads, err := toInts(n.Ints("pads"))
	if err != nil {
		return err
	}
	if len(pads) != 0 && len(pads) != 2*rank || want != nil && len(want) != rank && len(want) != rank+2 {
		return fmt.Errorf("attributes pads %v and output_shape %v do not fit %d spatial axes", pads, want, rank)
	}
	for i, size := range t.in {
		if size < 1 || extra[i] < 0 || t.kernel[i] < 1 || t.stride[i] > 1<<20 || t.dilation[i] > 1<<20 || size > 1<<30 || t.kernel[i] > 1<<20 || extra[i] > 1<<30 {
			return fmt.Errorf("data %v, kernel %v and output_padding %v are no sensible sizes", t.in, t.kernel, extra)
		}
		full := t.stride[i]*(size-1) + extra[i] + t.extent(i)
		switch {
		case want != nil:
			t.out[i], err = toInt(want[len(want)-rank+i])
		case mode == "SAME_UPPER" || mode == "SAME_LOWER":
			t.out[i] = size * t.stride[i]
		case mode == "NOTSET" && len(pads) > 0:
			t.before[i], t.after[i] = pads[i], pads[rank+i]
			t.out[i] = full - pads[i] - pads[rank+i]
		default:
			t.out[i] = full
		}
		if err != nil || t.out[i] < 1 {
			return fmt.Errorf("pads %v leave nothing of an output of size %d", pads, full)
		}
		if total := full - t.out[i]; want != nil || mode == "SAME_UPPER" || mode == "SAME_LOWER" {
			t.before[i] = max(total, 0) / 2
			if mode != "SAME_UPPER" && total > 0 {
				t.before[i] = total - total/2
			}
			t.after[i] = total - t.before[i]
		}
	}
	return nil
}

// inferConvTranspose: weight [in][out/group][kernel...]; sizes from output_shape, or from stride, dilation, kernel, pads and
// output_padding.
func inferConvTranspose(x *Infer) error {
	if err := x.alike(1, 2); err != nil {
		return err
	}
	t, err := transpositionOf(x)
	if err != nil {
		return err
	}
	if x.has(2) && (len(x.In[2].Shape) != 1 || x.In[2].Shape[0] != t.oc) {
		return fmt.Errorf("bias shape %v does not fit %d output channels", x.In[2].Shape, t.oc)
	}
	x.put(0, x.In[0].DType, append([]int{x.In[0].Shape[0], t.oc}, t.out...)...)
	return nil
}

// spread is the convolution of stride 1 that does the work: over the data set apart by zeros, with room for the kernel
// at both ends. first is where the data begins along each axis. Position q of the result reads stuffed positions q to q
// + extent - 1, so in = out + extent - 1.
func (t *transposition) spread() (w window, first []int) {
	rank := len(t.in)
	w = window{kernel: t.kernel, dilation: t.dilation, out: t.out, in: make([]int, rank), before: make([]int, rank), after: make([]int, rank)}
	first = make([]int, rank)
	for i := range t.in {
		w.stride = append(w.stride, 1)
		w.in[i] = t.out[i] + t.extent(i) - 1
		first[i] = t.extent(i) - 1 - t.before[i]
	}
	return w, first
}

// lowerConvTranspose stuffs one sample after the other into scratch, which so does not grow with the batch.
func lowerConvTranspose(l *Lower) (Kernel, error) {
	t, err := transpositionOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	weight, err := l.constant(1, "weight")
	if err != nil {
		return Kernel{}, err
	}
	bias, err := l.constant(2, "bias")
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	in, out := tensor.Count(t.in)*l.In[0].Shape[1], tensor.Count(t.out)*t.oc
	if p, err := l.phased(t, weight, bias); err != nil {
		return Kernel{}, err
	} else if p != nil {
		_, space := p.space()
		return Kernel{Alias: -1, Scratch: space, Run: func(call *Call) {
			data, dst := view[float32](src.bytes(call)), view[float32](call.Out[0])
			for n := range l.In[0].Shape[0] {
				p.run(dst[n*out:(n+1)*out], data[n*in:(n+1)*in], call.Scratch)
			}
		}}, nil
	}
	return l.spreadKernel(t, weight, bias, src)
}

// spreadKernel is the form of every ConvTranspose: the convolution over data set apart by zeros.
func (l *Lower) spreadKernel(t transposition, weight, bias *tensor.Tensor, src operand) (Kernel, error) {
	in, out := tensor.Count(t.in)*l.In[0].Shape[1], tensor.Count(t.out)*t.oc
	w, first := t.spread()
	run, scratch, err := l.spreadConv(t, w, weight, bias)
	if err != nil {
		return Kernel{}, err
	}
	batch, c := l.In[0].Shape[0], l.In[0].Shape[1]
	room := tensor.Count(w.in) * c
	return Kernel{Alias: -1, Scratch: spaced(4*room) + scratch, Run: func(call *Call) {
		data, dst := view[float32](src.bytes(call)), view[float32](call.Out[0])
		stuffed, rest := view[float32](call.Scratch[:4*room]), call.Scratch[spaced(4*room):]
		for n := range batch {
			volume.Spread(stuffed, data[n*in:(n+1)*in], t.in, w.in, t.stride, first, c)
			run(dst[n*out:(n+1)*out], stuffed, rest)
		}
	}}, nil
}

// spreadConv packs the turned weights for one sample: with the kernels of images where there are one or two axes. run
// takes one stuffed sample channels-last, and scratch in bytes of the size returned.
func (l *Lower) spreadConv(t transposition, w window, weight, bias *tensor.Tensor) (run func(dst, src []float32, scratch []byte), scratch int, err error) {
	c, taps := l.In[0].Shape[1], tensor.Count(t.kernel)
	turned := func() []float32 { return volume.Turned(weight.F32(), c, t.oc, t.group, taps) }
	if len(t.in) <= 2 {
		g, err := w.geometry(1, c, t.oc, t.group)
		if err != nil {
			return nil, 0, err
		}
		packed, err := pack(l.Packs, packKey(l.Packs, "convtranspose.f32", []int{t.group}, weight, bias), func() (*conv.F32, error) {
			return conv.PackF32(g, turned(), floatsOf(bias))
		})
		if err != nil {
			return nil, 0, err
		}
		return func(dst, src []float32, scratch []byte) { packed.Run(dst, src, g, numeric.Clamp{}, scratch) }, packed.Scratch(g), nil
	}
	v, err := w.volume(1, c)
	if err != nil {
		return nil, 0, err
	}
	packed, err := pack(l.Packs, packKey(l.Packs, "convtranspose.volume", []int{t.group}, weight, bias), func() (*volume.Conv, error) {
		return volume.PackConv(turned(), floatsOf(bias), t.oc, c, t.group, taps)
	})
	if err != nil {
		return nil, 0, err
	}
	return func(dst, src []float32, scratch []byte) {
		packed.Run(dst, src, &v, numeric.Clamp{}, view[float32](scratch))
	}, 4 * packed.Scratch(), nil
}
