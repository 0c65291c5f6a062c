package op

import (
	"fmt"

	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// qpoolOps are the integer forms of average pooling: inputs x, its scale and zero point, scale and zero point of y.
var qpoolOps = []*Op{
	{
		Domain: microsoft, Name: "QLinearAveragePool", Opsets: []int{1}, Role: RoleQuantized, Memory: MemorySpatial, Types: bytesOnly,
		Inputs: Arity{4, 5}, Outputs: Arity{1, 1},
		Attrs: append([]string{"ceil_mode", "channels_last", "count_include_pad"}, windowAttrs...),
		Infer: func(x *Infer) error {
			if err := inferPool(x); err != nil {
				return err
			}
			return inferQPool(x)
		},
		Lower: lowerQLinearAveragePool,
	},
	{
		Domain: microsoft, Name: "QLinearGlobalAveragePool", Opsets: []int{1}, Role: RoleQuantized, Memory: MemorySpatial, Types: bytesOnly,
		Inputs: Arity{5, 5}, Outputs: Arity{1, 1}, Attrs: []string{"channels_last"},
		Infer: func(x *Infer) error {
			if err := inferGlobalPool(x); err != nil {
				return err
			}
			return inferQPool(x)
		},
		Lower: lowerQLinearGlobalAveragePool,
	},
}

// inferQPool sets the output's type and refuses what only ONNX Runtime's own layout passes write.
func inferQPool(x *Infer) error {
	if x.Node.Int("channels_last", 0) != 0 {
		return fmt.Errorf("channels_last = 1 is not supported: axes are always in ONNX's order here")
	}
	d, err := x.quantizedType(4, x.In[0].DType)
	x.Out[0].DType = d
	return err
}

// ends are the quantizations of the input and the output of a node with inputs x, xs, xz, ys, yz.
func (l *Lower) ends() (x, y levels, err error) {
	if x, err = l.single(1, 2, l.In[0].DType); err != nil {
		return x, y, err
	}
	y, err = l.single(3, 4, l.Out[0].DType)
	return x, y, err
}

// level reads a byte of a quantized tensor.
func (q levels) level(b uint8) int32 {
	if q.dtype == tensor.Int8 {
		return int32(int8(b))
	}
	return int32(b)
}

// roundLate is sat(rint(f32(v + zero))): the zero point is added before rounding, as ONNX Runtime does in Add, Mul and
// AveragePool.
func roundLate(v float32, lo, hi int32) uint8 {
	return uint8(numeric.RoundClamp(v, float32(lo), float32(hi)))
}

func lowerQLinearAveragePool(l *Lower) (Kernel, error) {
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
	xq, yq, err := l.ends()
	if err != nil {
		return Kernel{}, err
	}
	lo, hi, err := limits(yq.dtype)
	if err != nil {
		return Kernel{}, err
	}
	include := l.Node.Int("count_include_pad", 0) != 0
	ys, xs := p.divisors(0, include), p.divisors(1, include)
	return Kernel{Alias: -1, Run: func(c *Call) {
		in, dst := src.bytes(c), c.Out[0]
		p.cells(func(at, origin, y0, y1, x0, x1 int) {
			pixel := at / max(1, p.channels)
			n := float32(ys[pixel/p.out[1]%p.out[0]] * xs[pixel%p.out[1]])
			for k := range p.channels {
				s := float32(0)
				for y := y0; y < y1; y++ {
					for x := x0; x < x1; x++ {
						s += float32(xq.dequantize(xq.level(in[p.index(origin, y, x)+k]), 0))
					}
				}
				dst[at+k] = roundLate(s/n/yq.scale[0]+float32(yq.zero[0]), lo, hi)
			}
		})
	}}, nil
}

func lowerQLinearGlobalAveragePool(l *Lower) (Kernel, error) {
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	xq, yq, err := l.ends()
	if err != nil {
		return Kernel{}, err
	}
	lo, hi, err := limits(yq.dtype)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	channels, pixels := shape[1], tensor.Count(shape[2:])
	m := xq.scale[0] / float32(yq.scale[0]*float32(pixels))
	return Kernel{Alias: -1, Run: func(c *Call) {
		in, dst := src.bytes(c), c.Out[0]
		for i := range dst {
			sum := int32(0)
			for at, k := i/channels*pixels*channels+i%channels, 0; k < pixels; at, k = at+channels, k+1 {
				sum += xq.level(in[at]) - xq.zero[0]
			}
			z := yq.zero[0]
			dst[i] = uint8(numeric.RoundClamp(float32(sum)*m, float32(lo-z), float32(hi-z)) + z)
		}
	}}, nil
}
