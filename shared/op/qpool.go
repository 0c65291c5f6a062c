package op

import (
	"fmt"

	"assay/kernels/pool"
)

// qpoolOps are the integer forms of average pooling: inputs x, its scale and zero point, scale and zero point of y.
// Refused: x and y of different types, scales per channel, whatever poolOps refuse. Formulas are ort-semantics 6.1's:
//
//	QLinearAveragePool        v = f32(sum of deq(x) / n), y = sat(rint(f32(f32(v/sy) + zy)))
//	QLinearGlobalAveragePool  S = sum of (x - zx) exact, y = sat(rint(f32(f32(S) * f32(sx / f32(sy*n)))) + zy)
//
// so the first rounds after the zero point and the second before it.
var qpoolOps = []*Op{
	{
		Domain: microsoft, Name: "QLinearAveragePool", Opsets: []int{1}, Role: RoleQuantized, Memory: MemorySpatial, Types: bytesOnly,
		Inputs: Arity{4, 5}, Outputs: Arity{1, 1},
		Attrs: append([]string{"ceil_mode", "count_include_pad"}, windowAttrs...), Upgrade: channelsLast(windowRank),
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
		Inputs: Arity{5, 5}, Outputs: Arity{1, 1}, Upgrade: channelsLast(imageRank),
		Infer: func(x *Infer) error {
			if err := inferGlobalPool(x); err != nil {
				return err
			}
			return inferQPool(x)
		},
		Lower: lowerQLinearGlobalAveragePool,
	},
}

// inferQPool sets the output's type.
func inferQPool(x *Infer) error {
	d, err := x.quantizedType(4, x.In[0].DType)
	x.Out[0].DType = d
	return err
}

// ends are the quantizations of the input and the output of a node with inputs x, xs, xz, ys, yz: both signed or both
// unsigned.
func (l *Lower) ends() (x, y levels, err error) {
	if x, err = l.single(1, 2, l.In[0].DType); err != nil {
		return x, y, err
	}
	if y, err = l.single(3, 4, l.Out[0].DType); err != nil {
		return x, y, err
	}
	if x.dtype != y.dtype {
		err = fmt.Errorf("input type %s and output type %s differ", x.dtype, y.dtype)
	}
	return x, y, err
}

// lowerQLinearAveragePool sums dequantized floats row by row; n leaves padding out unless count_include_pad is set.
func lowerQLinearAveragePool(l *Lower) (Kernel, error) {
	w, src, err := l.pool()
	if err != nil {
		return Kernel{}, err
	}
	x, y, err := l.ends()
	if err != nil {
		return Kernel{}, err
	}
	include, a := l.Node.Int("count_include_pad", 0) != 0, pool.NewAverage(x.affine(), y.affine(), x.signed())
	return Kernel{Alias: -1, Run: func(c *Call) { a.Run(c.Out[0], src.bytes(c), w, include) }}, nil
}

// lowerQLinearGlobalAveragePool sums integers exactly: imagesOf bounds the pixels so that int32 holds them.
func lowerQLinearGlobalAveragePool(l *Lower) (Kernel, error) {
	src, err := l.operand(0, ChannelsLast)
	if err != nil {
		return Kernel{}, err
	}
	x, y, err := l.ends()
	if err != nil {
		return Kernel{}, err
	}
	m, err := imagesOf(l.In[0].Shape)
	if err != nil {
		return Kernel{}, err
	}
	a := pool.NewGlobalAverage(x.affine(), y.affine(), x.signed())
	return Kernel{Alias: -1, Run: func(c *Call) { a.Run(c.Out[0], src.bytes(c), m.batch, m.pixels, m.channels) }}, nil
}
