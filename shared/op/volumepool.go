package op

import (
	"fmt"
	"slices"

	"assay/kernels/volume"
	"assay/shared/tensor"
)

// volumePoolOps are pools without a form of their own for images: LpPool, (sum of |x|^p)^(1/p) over a window with p 2
// by default, its global form, and MaxUnpool, which puts maxima back. They stay float.
var volumePoolOps = []*Op{
	{
		Name: "LpPool", Opsets: []int{2, 11, 18}, Memory: MemorySpatial, Types: float32Only,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: append([]string{"ceil_mode", "p"}, windowAttrs...),
		Infer: inferNormPool, Lower: lowerNormPool,
	},
	{
		Name: "GlobalLpPool", Opsets: []int{2}, Memory: MemorySpatial, Types: float32Only,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"p"}, Lower: lowerNormPool,
		Infer: func(x *Infer) error {
			if _, err := normPower(x); err != nil {
				return err
			}
			if len(x.In[0].Shape) < 3 || tensor.Count(x.In[0].Shape[1:]) == 0 {
				return fmt.Errorf("data shape %v is empty or has no spatial axis", x.In[0].Shape)
			}
			return inferGlobalPool(x)
		},
	},
	{
		Name: "MaxUnpool", Opsets: []int{9, 11}, Types: float32Only, RowWise: never, // places count from the first row
		Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Attrs: []string{"kernel_shape", "pads", "strides"},
		Infer: func(x *Infer) error { _, err := unpooled(x); return err }, Lower: lowerUnpool,
	},
}

// volume is the window of a pool node with its input.
func (l *Lower) volume() (volume.Window, operand, error) {
	shape := l.In[0].Shape
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return volume.Window{}, src, err
	}
	w := window{}
	if l.Node.Op == "GlobalLpPool" {
		w = everything(shape[2:])
	} else if w, err = poolWindow(l.Node, shape); err != nil {
		return volume.Window{}, src, err
	}
	v, err := w.volume(shape[0], shape[1])
	return v, src, err
}

// everything is a window that covers all of the data. The slices are shared with in.
func everything(in []int) window {
	w := window{in: in, kernel: in}
	for range in {
		w.stride, w.dilation, w.out = append(w.stride, 1), append(w.dilation, 1), append(w.out, 1)
		w.before, w.after = append(w.before, 0), append(w.after, 0)
	}
	return w
}

// lowerVolumeMax takes maxima over any number of axes, with their places where output 1 is read. Places count over the
// whole data, sample and channel included, row-major or with storage_order 1 column-major within the spatial axes.
func lowerVolumeMax(l *Lower) (Kernel, error) {
	v, src, err := l.volume()
	if err != nil {
		return Kernel{}, err
	}
	order := rowMajor(v.In)
	if l.Node.Int("storage_order", 0) != 0 { // column-major: the first axis is the one whose neighbours lie side by side
		reversed := slices.Clone(v.In)
		slices.Reverse(reversed)
		order = rowMajor(reversed)
		slices.Reverse(order)
	}
	run := map[tensor.DType]func(dst []byte, at []int64, src []byte){
		tensor.Float32: maxima[float32](&v, order), tensor.Int8: maxima[int8](&v, order), tensor.Uint8: maxima[uint8](&v, order),
	}[l.In[0].DType]
	indices := l.wants(1)
	return Kernel{Alias: -1, Run: func(c *Call) {
		var at []int64
		if indices {
			at = view[int64](c.Out[1])
		}
		run(c.Out[0], at, src.bytes(c))
	}}, nil
}

// maxima binds the element type, window and order of places.
func maxima[T int8 | uint8 | float32](v *volume.Window, order []int) func(dst []byte, at []int64, src []byte) {
	return func(dst []byte, at []int64, src []byte) { volume.Max(view[T](dst), at, view[T](src), v, order) }
}

// lowerVolumeAverage is lowerAveragePool for three spatial axes.
func lowerVolumeAverage(l *Lower) (Kernel, error) {
	v, src, err := l.volume()
	if err != nil {
		return Kernel{}, err
	}
	include := l.Node.Int("count_include_pad", 0) != 0
	return Kernel{Alias: -1, Run: func(c *Call) {
		volume.Average(view[float32](c.Out[0]), view[float32](src.bytes(c)), &v, include)
	}}, nil
}

// p has to be an integer, as ONNX's attribute is.
func normPower(x *Infer) (int, error) {
	p := x.Node.Int("p", 2)
	if p < 1 || p > 1<<20 {
		return 0, fmt.Errorf("attribute p is %d, a positive number is required", p)
	}
	return int(p), nil
}

func inferNormPool(x *Infer) error {
	if _, err := normPower(x); err != nil {
		return err
	}
	return inferPool(x)
}

// lowerNormPool serves LpPool and GlobalLpPool.
func lowerNormPool(l *Lower) (Kernel, error) {
	v, src, err := l.volume()
	if err != nil {
		return Kernel{}, err
	}
	p, err := normPower(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		volume.Norm(view[float32](c.Out[0]), view[float32](src.bytes(c)), &v, p)
	}}, nil
}

// unpooled sets the output of MaxUnpool and returns the shape that its indices count in: the one that pooling with the
// node's window came from. Input 2 may ask for a larger one, in which that shape fills the first corner.
func unpooled(x *Infer) (inner []int, err error) {
	data := x.In[0].Shape
	if len(data) < 3 || !slices.Equal(data, x.In[1].Shape) || x.In[1].DType != tensor.Int64 {
		return nil, fmt.Errorf("data %v and indices %s%v do not fit", data, x.In[1].DType, x.In[1].Shape)
	}
	rank := len(data) - 2
	kernel, err := toInts(x.Node.Ints("kernel_shape"))
	if err != nil {
		return nil, err
	}
	stride, err := perAxis(x.Node, "strides", rank, 1)
	if err != nil {
		return nil, err
	}
	pads, err := toInts(x.Node.Ints("pads"))
	if err != nil {
		return nil, err
	}
	if len(kernel) != rank || len(pads) != 0 && len(pads) != 2*rank {
		return nil, fmt.Errorf("kernel_shape %v and pads %v do not fit %d spatial axes", kernel, pads, rank)
	}
	inner = slices.Clone(data)
	for i := range rank {
		inner[2+i] = (data[2+i]-1)*stride[i] + kernel[i]
		if len(pads) > 0 {
			inner[2+i] -= pads[i] + pads[rank+i]
		}
	}
	// Indices are int64 in a tensor of this shape, so it has to exist even where output_shape asks for another one.
	if err := possible(inner, 8); err != nil {
		return nil, err
	}
	out := inner
	if x.has(2) {
		v, err := x.known(2, "output_shape")
		if err == nil {
			out, err = toInts(v)
		}
		if err != nil {
			return nil, err
		}
		if len(out) != len(data) {
			return nil, fmt.Errorf("output_shape %v does not fit data %v", out, data)
		}
		for i, n := range inner {
			if out[i] < n {
				return nil, fmt.Errorf("output_shape %v is smaller than the pooled data %v", out, inner)
			}
		}
	}
	x.put(0, x.In[0].DType, out...)
	return inner, nil
}

// lowerUnpool writes each maximum back to the place it came from; a place outside is dropped. Of two maxima with one
// place the later wins. Places are counted in inner and moved to the larger output where one is asked for.
func lowerUnpool(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	at, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	inner, err := unpooled(&Infer{Node: l.Node, In: l.argsInfer().In, Out: make([]Info, 1)})
	if err != nil {
		return Kernel{}, err
	}
	from, to, n := rowMajor(inner), rowMajor(l.Out[0].Shape), int64(tensor.Count(inner))
	return Kernel{Alias: -1, Run: func(c *Call) {
		in, dst := view[float32](src.bytes(c)), view[float32](c.Out[0])
		clear(dst)
		for i, k := range view[int64](at.bytes(c)) {
			if k < 0 || k >= n {
				continue
			}
			off, rest := 0, int(k)
			for a, s := range from {
				off += rest / s * to[a]
				rest %= s
			}
			dst[off] = in[i]
		}
	}}, nil
}
