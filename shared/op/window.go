package op

import (
	"fmt"

	"assay/kernels/conv"
	"assay/shared/graph"
)

// window is how a kernel moves over the spatial axes of an input: the attributes that convolutions and pools share.
// All lists have one entry per spatial axis.
type window struct {
	in, kernel, stride, dilation []int
	before, after                []int // padding, never negative
	out                          []int
}

// windowAttrs are the attributes of every window, sorted; pools and convolutions add theirs.
var windowAttrs = []string{"auto_pad", "dilations", "kernel_shape", "pads", "strides"}

// windowOf reads the attributes of n for spatial sizes in and the kernel's sizes. ceil rounds the output's size up, but no
// window starts behind the input and its leading padding. out = floor or ceil of (in + pads - extent) / stride, plus 1.
// An axis of the input may be 0 long if the pads make up for it.
func windowOf(n *graph.Node, in, kernel []int, ceil bool) (window, error) {
	w := window{in: in, kernel: kernel}
	rank := len(in)
	if rank < 1 {
		return w, fmt.Errorf("input has no spatial axis")
	}
	if len(kernel) != rank {
		return w, fmt.Errorf("kernel shape %v does not fit %d spatial axes", kernel, rank)
	}
	var err error
	if w.stride, err = perAxis(n, "strides", rank, 1); err != nil {
		return w, err
	}
	if w.dilation, err = perAxis(n, "dilations", rank, 1); err != nil {
		return w, err
	}
	if err := w.pads(n); err != nil {
		return w, err
	}
	w.out = make([]int, rank)
	if err := possible(kernel, 1); err != nil {
		return w, fmt.Errorf("kernel %v: %w", kernel, err)
	}
	for i := range in {
		if kernel[i] < 1 {
			return w, fmt.Errorf("kernel shape %v is not positive", kernel)
		}
		free := in[i] + w.before[i] + w.after[i] - w.extent(i)
		if free < 0 {
			return w, w.tooLarge()
		}
		w.out[i] = free/w.stride[i] + 1
		if ceil && free%w.stride[i] != 0 && w.out[i]*w.stride[i] < in[i]+w.before[i] {
			w.out[i]++
		}
	}
	return w, nil
}

// tooLarge is the error of a kernel that covers more than the input and its padding.
func (w *window) tooLarge() error {
	covers, padded := make([]int, len(w.in)), make([]int, len(w.in))
	for i := range w.in {
		covers[i], padded[i] = w.extent(i), w.in[i]+w.before[i]+w.after[i]
	}
	return fmt.Errorf("kernel %v with dilations %v covers %v, more than the padded input %v (%v with pads %v in front and %v behind): it needs a larger input or more padding",
		w.kernel, w.dilation, covers, padded, w.in, w.before, w.after)
}

// extent is the number of input positions that the kernel spans along axis i.
func (w *window) extent(i int) int { return (w.kernel[i]-1)*w.dilation[i] + 1 }

// perAxis reads a list of positive integers with one entry per spatial axis. The bound of toInt keeps products with
// sizes inside an int.
func perAxis(n *graph.Node, name string, rank, def int) ([]int, error) {
	v := n.Ints(name)
	if v == nil {
		out := make([]int, rank)
		for i := range out {
			out[i] = def
		}
		return out, nil
	}
	out, err := toInts(v)
	if err != nil {
		return nil, err
	}
	if len(out) != rank {
		return nil, fmt.Errorf("attribute %s has %d entries for %d spatial axes", name, len(out), rank)
	}
	for _, d := range out {
		if d < 1 {
			return nil, fmt.Errorf("attribute %s is %v, its entries must be positive", name, out)
		}
	}
	return out, nil
}

// pads sets the padding from pads or auto_pad. SAME makes the output ceil(in / stride) long; an odd cell goes to the end
// (SAME_UPPER) or to the front (SAME_LOWER). With explicit pads auto_pad has to be NOTSET; other modes ignore them, as
// ONNX says.
func (w *window) pads(n *graph.Node) error {
	rank := len(w.in)
	w.before, w.after = make([]int, rank), make([]int, rank)
	mode := n.Str("auto_pad", "NOTSET")
	switch mode {
	case "NOTSET":
		v := n.Ints("pads")
		if v == nil {
			return nil
		}
		p, err := toInts(v)
		if err != nil {
			return err
		}
		if len(p) != 2*rank {
			return fmt.Errorf("attribute pads has %d entries for %d spatial axes", len(p), rank)
		}
		for _, d := range p {
			if d < 0 {
				return fmt.Errorf("attribute pads is %v, a negative pad is not supported", p)
			}
		}
		copy(w.before, p[:rank])
		copy(w.after, p[rank:])
	case "VALID":
	case "SAME_UPPER", "SAME_LOWER":
		for i, in := range w.in {
			out := (in + w.stride[i] - 1) / w.stride[i]
			total := max((out-1)*w.stride[i]+w.extent(i)-in, 0)
			w.before[i] = total / 2
			if mode == "SAME_LOWER" {
				w.before[i] = total - total/2
			}
			w.after[i] = total - w.before[i]
		}
	default:
		return fmt.Errorf("attribute auto_pad is %q, which is unknown", mode)
	}
	return nil
}

// planar returns the window as one over lines and columns: a single spatial axis becomes the columns of one line. Three
// axes and more are the volume kernels' business.
func (w window) planar() (window, error) {
	switch len(w.in) {
	case 2:
		return w, nil
	case 1:
		return window{
			in: []int{1, w.in[0]}, kernel: []int{1, w.kernel[0]}, stride: []int{1, w.stride[0]}, dilation: []int{1, w.dilation[0]},
			before: []int{0, w.before[0]}, after: []int{0, w.after[0]}, out: []int{1, w.out[0]},
		}, nil
	}
	return w, fmt.Errorf("%d spatial axes are not supported, 1 and 2 are", len(w.in))
}

// geometry is the convolution that w does on batch pictures of c channels. Check refuses what the kernels' addressing
// cannot hold.
func (w window) geometry(batch, c, oc, group int) (conv.Geometry, error) {
	p, err := w.planar()
	if err != nil {
		return conv.Geometry{}, err
	}
	g := conv.Geometry{
		Batch: batch, H: p.in[0], W: p.in[1], C: c, OC: oc, KH: p.kernel[0], KW: p.kernel[1],
		StrideH: p.stride[0], StrideW: p.stride[1], DilationH: p.dilation[0], DilationW: p.dilation[1],
		PadTop: p.before[0], PadLeft: p.before[1], PadBottom: p.after[0], PadRight: p.after[1], Group: group,
	}
	return g, g.Check()
}
