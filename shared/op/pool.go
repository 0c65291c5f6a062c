package op

import (
	"fmt"

	"assay/kernels/pool"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// poolOps summarise windows of every channel. Defaults: strides and dilations 1 (AveragePool has dilations since opset 19),
// pads 0, auto_pad NOTSET, ceil_mode 0, count_include_pad 0, storage_order 0. With ceil_mode a last window may stick out
// behind the data, but none starts behind data and leading pad. Refused: no kernel_shape, negative pads, pads as wide as the
// kernel, which would make windows of padding only, empty data, more spatial axes than kernels/volume knows. A maximum of
// integers is one of them, so MaxPool passes them on at the scale they have; an average has a scale of its own
// (QLinearAveragePool). GlobalMaxPool stays float.
var poolOps = []*Op{
	{
		Name: "MaxPool", Opsets: []int{1, 8, 10, 11, 12}, Role: RolePassThrough, Memory: MemorySpatial,
		Types:  []tensor.DType{tensor.Float32, tensor.Uint8, tensor.Int8},
		Inputs: Arity{1, 1}, Outputs: Arity{1, 2}, Attrs: append([]string{"ceil_mode", "storage_order"}, windowAttrs...),
		Upgrade: dropEmptyOutputs, Infer: inferPool, Lower: lowerMaxPool,
	},
	{
		Name: "AveragePool", Opsets: []int{1, 7, 10, 11, 19}, Role: RolePool, Memory: MemorySpatial, Types: float32Only,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: append([]string{"ceil_mode", "count_include_pad"}, windowAttrs...),
		Infer: inferPool, Lower: lowerAveragePool,
	},
	{
		Name: "GlobalAveragePool", Opsets: []int{1}, Role: RolePool, Memory: MemorySpatial, Types: float32Only,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Infer: inferGlobalPool, Lower: lowerGlobalAverage,
	},
	{
		Name: "GlobalMaxPool", Opsets: []int{1}, Role: RoleFloat, Memory: MemorySpatial, Types: float32Only,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Infer: inferGlobalPool, Lower: lowerGlobalMax,
	},
}

// dropEmptyOutputs removes omitted outputs from the end of the list: MaxPool's second one means nothing then.
func dropEmptyOutputs(u *Upgrade) error {
	n := u.Node
	for len(n.Outputs) > 1 && n.Outputs[len(n.Outputs)-1] == "" {
		n.Outputs = n.Outputs[:len(n.Outputs)-1]
	}
	return nil
}

// poolWindow reads the window of a pool over data. Pads narrower than the kernel's extent leave every window at least
// one element, so maxima have a start and averages a divisor.
func poolWindow(n *graph.Node, data []int) (window, error) {
	if len(data) < 3 || data[1] == 0 {
		return window{}, fmt.Errorf("data shape %v has no spatial axis or no channel", data)
	}
	kernel, err := toInts(n.Ints("kernel_shape"))
	if err != nil {
		return window{}, err
	}
	w, err := windowOf(n, data[2:], kernel, n.Int("ceil_mode", 0) != 0)
	if err != nil {
		return w, err
	}
	for i, k := range kernel {
		if data[2+i] == 0 {
			return w, fmt.Errorf("data shape %v is empty: a window would see padding only", data)
		}
		if w.before[i] >= w.dilation[i]*(k-1)+1 || w.after[i] >= w.dilation[i]*(k-1)+1 {
			return w, fmt.Errorf("pads %v, %v reach past the kernel %v: a window would see padding only", w.before, w.after, kernel)
		}
	}
	return w, nil
}

// inferPool: batch and channels stay; MaxPool's second output are int64 positions in the whole data, row-major unless
// storage_order.
func inferPool(x *Infer) error {
	data := x.In[0].Shape
	w, err := poolWindow(x.Node, data)
	if err != nil {
		return err
	}
	for i := range x.Out {
		d := x.In[0].DType
		if i == 1 {
			d = tensor.Int64
		}
		x.put(i, d, append([]int{data[0], data[1]}, w.out...)...)
	}
	return nil
}

// inferGlobalPool: every spatial axis becomes 1.
func inferGlobalPool(x *Infer) error {
	out := append([]int{}, x.In[0].Shape...)
	if len(out) < 3 {
		return fmt.Errorf("data shape %v has no spatial axis", out)
	}
	for i := 2; i < len(out); i++ {
		out[i] = 1
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// pool is the window of a node as kernels take it. Its operand is channels-last, which MemorySpatial promises; one
// spatial axis becomes a line of height 1.
func (l *Lower) pool() (pool.Window, operand, error) {
	shape := l.In[0].Shape
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return pool.Window{}, src, err
	}
	w, err := poolWindow(l.Node, shape)
	if err != nil {
		return pool.Window{}, src, err
	}
	p, err := w.planar()
	if err != nil {
		return pool.Window{}, src, err
	}
	return pool.Window{
		Batch: shape[0], H: p.in[0], W: p.in[1], C: shape[1], KH: p.kernel[0], KW: p.kernel[1],
		StrideH: p.stride[0], StrideW: p.stride[1], DilationH: p.dilation[0], DilationW: p.dilation[1],
		PadTop: p.before[0], PadLeft: p.before[1], PadBottom: p.after[0], PadRight: p.after[1], OutH: p.out[0], OutW: p.out[1],
	}, src, nil
}

// lowerMaxPool takes the planar kernels unless positions are asked or there are more than two spatial axes. Padding
// never wins: it is skipped, not filled with the lowest number.
func lowerMaxPool(l *Lower) (Kernel, error) {
	if len(l.In[0].Shape) > 4 || l.wants(1) {
		return lowerVolumeMax(l)
	}
	w, src, err := l.pool()
	if err != nil {
		return Kernel{}, err
	}
	run := func(dst, src []byte) { pool.MaxF32(view[float32](dst), view[float32](src), w) }
	switch l.In[0].DType {
	case tensor.Uint8:
		run = func(dst, src []byte) { pool.MaxU8(dst, src, w) }
	case tensor.Int8:
		run = func(dst, src []byte) { pool.MaxI8(dst, src, w) }
	}
	return Kernel{Alias: -1, Run: func(c *Call) { run(c.Out[0], src.bytes(c)) }}, nil
}

// lowerAveragePool: the sum of a window is one chain in row-major order; it is divided by the elements that lie in the
// data, or with count_include_pad by those in data and pads, but never by what ceil_mode lets stick out.
func lowerAveragePool(l *Lower) (Kernel, error) {
	if len(l.In[0].Shape) > 4 {
		return lowerVolumeAverage(l)
	}
	w, src, err := l.pool()
	if err != nil {
		return Kernel{}, err
	}
	include := l.Node.Int("count_include_pad", 0) != 0
	return Kernel{Alias: -1, Run: func(c *Call) {
		pool.AverageF32(view[float32](c.Out[0]), view[float32](src.bytes(c)), w, include)
	}}, nil
}

// images are the sizes of data that lies channels-last.
type images struct{ batch, pixels, channels int }

// 2^23 pixels bound the count so that int32 sums of 8-bit differences (at most 255 each) and float32 counts are exact:
// 255*2^23 < 2^31.
func imagesOf(shape []int) (images, error) {
	m := images{shape[0], tensor.Count(shape[2:]), shape[1]}
	if m.pixels == 0 || m.pixels >= 1<<23 || m.channels == 0 {
		return m, fmt.Errorf("data shape %v has %d channels and %d pixels, from 1 and from 1 to 2^23-1 are supported", shape, m.channels, m.pixels)
	}
	return m, nil
}

// lowerGlobalAverage: one chain over the pixels of each channel, then a division by their number.
func lowerGlobalAverage(l *Lower) (Kernel, error) {
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	m, err := imagesOf(l.In[0].Shape)
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		pool.GlobalAverageF32(view[float32](c.Out[0]), view[float32](src.bytes(c)), m.batch, m.pixels, m.channels)
	}}, nil
}

// lowerGlobalMax is the largest pixel of each channel. It is a MaxPool whose one window is the whole picture seen as a
// line.
func lowerGlobalMax(l *Lower) (Kernel, error) {
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	m, err := imagesOf(l.In[0].Shape)
	if err != nil {
		return Kernel{}, err
	}
	w := pool.Window{
		Batch: m.batch, H: 1, W: m.pixels, C: m.channels, KH: 1, KW: m.pixels, StrideH: 1, StrideW: 1, OutH: 1, OutW: 1,
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		pool.MaxF32(view[float32](c.Out[0]), view[float32](src.bytes(c)), w)
	}}, nil
}
