package op

import (
	"fmt"
	"math"

	"assay/kernels/numeric"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// poolOps summarise windows of every channel.
var poolOps = []*Op{
	{
		Name: "MaxPool", Opsets: []int{1, 8, 10, 11, 12}, Role: RolePassThrough, Memory: MemorySpatial,
		Types:  []tensor.DType{tensor.Float32, tensor.Uint8, tensor.Int8},
		Inputs: Arity{1, 1}, Outputs: Arity{1, 2}, Attrs: append([]string{"ceil_mode", "storage_order"}, windowAttrs...),
		Upgrade: dropEmptyOutputs, Infer: inferPool, Lower: lowerMaxPool,
	},
	{
		Name: "AveragePool", Opsets: []int{7, 10, 11, 19}, Role: RolePool, Memory: MemorySpatial, Types: float32Only,
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

// poolWindow reads the window of a pool over data.
func poolWindow(n *graph.Node, data []int) (window, error) {
	if len(data) < 3 {
		return window{}, fmt.Errorf("data shape %v has no spatial axis", data)
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
		if w.before[i] >= w.dilation[i]*(k-1)+1 || w.after[i] >= w.dilation[i]*(k-1)+1 {
			return w, fmt.Errorf("pads %v, %v reach past the kernel %v: a window would see padding only", w.before, w.after, kernel)
		}
	}
	return w, nil
}

func inferPool(x *Infer) error {
	data := x.In[0].Shape
	w, err := poolWindow(x.Node, data)
	if err != nil {
		return err
	}
	if len(x.Out) > 1 && x.Node.Outputs[1] != "" {
		return fmt.Errorf("output 1 (indices) is not supported")
	}
	x.put(0, x.In[0].DType, append([]int{data[0], data[1]}, w.out...)...)
	return nil
}

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

// plane is a pool over pictures that lie channels-last.
type plane struct {
	window
	batch, channels int
}

func (l *Lower) plane(w window, shape []int) (plane, error) {
	p, err := w.planar()
	return plane{window: p, batch: shape[0], channels: shape[1]}, err
}

// cells calls f for every output position with the index of its first element in dst, and the lines and columns of the
// input that the window covers, given as numbers of kernel cells [y0, y1) and [x0, x1) from origin.
func (p *plane) cells(f func(dst, origin, y0, y1, x0, x1 int)) {
	at := 0
	for n := range p.batch {
		for oy := range p.out[0] {
			top := oy*p.stride[0] - p.before[0]
			y0, y1 := inside(top, p.dilation[0], p.kernel[0], p.in[0])
			for ox := range p.out[1] {
				left := ox*p.stride[1] - p.before[1]
				x0, x1 := inside(left, p.dilation[1], p.kernel[1], p.in[1])
				f(at, ((n*p.in[0]+top)*p.in[1]+left)*p.channels, y0, y1, x0, x1)
				at += p.channels
			}
		}
	}
}

// inside is the range of kernel cells k for which start + k*dilation lies in [0, n).
func inside(start, dilation, kernel, n int) (first, end int) {
	if start < 0 {
		first = (-start + dilation - 1) / dilation
	}
	end = kernel
	if start+(kernel-1)*dilation >= n {
		end = max(first, (n-start+dilation-1)/dilation)
	}
	return first, end
}

// index is the element of cell (y, x) of a window.
func (p *plane) index(origin, y, x int) int {
	return origin + (y*p.dilation[0]*p.in[1]+x*p.dilation[1])*p.channels
}

func maxWindows[T uint8 | int8 | float32](p *plane, dst, src []T, larger func(a, b T) T) {
	p.cells(func(at, origin, y0, y1, x0, x1 int) {
		out := dst[at : at+p.channels]
		copy(out, src[p.index(origin, y0, x0):])
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				for c, v := range src[p.index(origin, y, x):][:p.channels] {
					out[c] = larger(out[c], v)
				}
			}
		}
	})
}

func lowerMaxPool(l *Lower) (Kernel, error) {
	w, err := poolWindow(l.Node, l.In[0].Shape)
	if err != nil {
		return Kernel{}, err
	}
	p, err := l.plane(w, l.In[0].Shape)
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	switch l.In[0].DType {
	case tensor.Uint8:
		return Kernel{Alias: -1, Run: func(c *Call) {
			maxWindows(&p, c.Out[0], src.bytes(c), func(a, b uint8) uint8 { return max(a, b) })
		}}, nil
	case tensor.Int8:
		return Kernel{Alias: -1, Run: func(c *Call) {
			maxWindows(&p, view[int8](c.Out[0]), view[int8](src.bytes(c)), func(a, b int8) int8 { return max(a, b) })
		}}, nil
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		maxWindows(&p, view[float32](c.Out[0]), view[float32](src.bytes(c)), numeric.Max)
	}}, nil
}

// padded is the number of cells of the window at start that lie in the input or in its padding: with ceil_mode the last
// window may reach behind both.
func padded(start, dilation, kernel, n, after int) int {
	_, end := inside(start, dilation, kernel, n+after)
	return end
}

// divisors are what sums along one axis are divided by, per output position: kernel cells in the input, or in the padded
// input with count_include_pad.
func (p *plane) divisors(axis int, includePad bool) []int {
	out := make([]int, p.out[axis])
	for i := range out {
		start := i*p.stride[axis] - p.before[axis]
		first, end := inside(start, p.dilation[axis], p.kernel[axis], p.in[axis])
		out[i] = end - first
		if includePad {
			out[i] = padded(start, p.dilation[axis], p.kernel[axis], p.in[axis], p.after[axis])
		}
	}
	return out
}

func lowerAveragePool(l *Lower) (Kernel, error) {
	w, err := poolWindow(l.Node, l.In[0].Shape)
	if err != nil {
		return Kernel{}, err
	}
	p, err := l.plane(w, l.In[0].Shape)
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	include := l.Node.Int("count_include_pad", 0) != 0
	ys, xs := p.divisors(0, include), p.divisors(1, include)
	return Kernel{Alias: -1, Run: func(c *Call) {
		in, dst := view[float32](src.bytes(c)), view[float32](c.Out[0])
		p.cells(func(at, origin, y0, y1, x0, x1 int) {
			pixel := at / max(1, p.channels)
			n := float32(ys[pixel/p.out[1]%p.out[0]] * xs[pixel%p.out[1]])
			for k := range p.channels {
				var s numeric.Chain
				for y := y0; y < y1; y++ {
					for x := x0; x < x1; x++ {
						s.Add(in[p.index(origin, y, x)+k])
					}
				}
				dst[at+k] = numeric.Canon(s.Sum() / n)
			}
		})
	}}, nil
}

// global lowers a summary of all spatial positions of each channel.
func (l *Lower) global(f func(src []float32, channels int) float32) (Kernel, error) {
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	channels, pixels := shape[1], tensor.Count(shape[2:])
	if pixels == 0 {
		return Kernel{}, fmt.Errorf("data shape %v has no pixels", shape)
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		in, dst := view[float32](src.bytes(c)), view[float32](c.Out[0])
		for i := range dst {
			n, k := i/channels, i%channels
			dst[i] = f(in[n*pixels*channels+k:(n+1)*pixels*channels], channels)
		}
	}}, nil
}

func lowerGlobalAverage(l *Lower) (Kernel, error) {
	pixels := float32(tensor.Count(l.In[0].Shape[2:]))
	return l.global(func(src []float32, channels int) float32 {
		var s numeric.Chain
		for i := 0; i < len(src); i += channels {
			s.Add(src[i])
		}
		return numeric.Canon(s.Sum() / pixels)
	})
}

func lowerGlobalMax(l *Lower) (Kernel, error) {
	return l.global(func(src []float32, channels int) float32 {
		m := float32(math.Inf(-1))
		for i := 0; i < len(src); i += channels {
			m = numeric.Max(m, src[i])
		}
		return m
	})
}
