package op

import (
	"fmt"

	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// cumulativeOps replace each element by the sum or product of those up to it along an axis. The axis is an input of one
// element, may be negative and has to be known before the run. Defaults: exclusive 0, reverse 0. One chain per line, in the
// direction of the walk, each step rounded; integers wrap. They stay float.
var cumulativeOps = []*Op{cumulative("CumSum", []int{11, 14}), cumulative("CumProd", []int{26})}

// The axis decides RowWise: along axis 0 samples would run into each other.
func cumulative(name string, opsets []int) *Op {
	return &Op{
		Name: name, Opsets: opsets, Types: numericTypes, Attrs: []string{"exclusive", "reverse"},
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1},
		Infer: func(x *Infer) error {
			if _, err := cumulativeAxis(x); err != nil {
				return err
			}
			return same(x)
		},
		Lower: func(l *Lower) (Kernel, error) { return lowerCumulative(l, name == "CumProd") },
		RowWise: func(l *Lower) bool {
			a, err := cumulativeAxis(l.argsInfer())
			return err == nil && a != 0
		},
	}
}

// cumulativeAxis takes int32 and int64, one element of any rank.
func cumulativeAxis(x *Infer) (int, error) {
	v, err := x.known(1, "axis")
	if err != nil {
		return 0, err
	}
	if len(v) != 1 {
		return 0, fmt.Errorf("input 1 (axis) has %d elements, one is required", len(v))
	}
	return axisIn(v[0], len(x.In[0].Shape))
}

// cumulation is a walk over the middle axis of [outer][n][inner]. inner is the stride of the walk, in elements.
// exclusive writes the total before its element, reverse walks from the end.
type cumulation struct {
	outer, n, inner    int
	exclusive, reverse bool
}

// lowerCumulative walks [outer][n][inner] line by line; the output may not share the data's buffer.
func lowerCumulative(l *Lower, product bool) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axis, err := cumulativeAxis(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	k := cumulation{
		tensor.Count(shape[:axis]), shape[axis], tensor.Count(shape[axis+1:]),
		l.Node.Int("exclusive", 0) != 0, l.Node.Int("reverse", 0) != 0,
	}
	loop := map[tensor.DType]func(dst, src []byte){
		tensor.Float32: accumulate(k, product, numeric.Canon), tensor.Float64: accumulate[float64](k, product, nil),
		tensor.Int8: accumulate[int8](k, product, nil), tensor.Uint8: accumulate[uint8](k, product, nil),
		tensor.Int16: accumulate[int16](k, product, nil), tensor.Uint16: accumulate[uint16](k, product, nil),
		tensor.Int32: accumulate[int32](k, product, nil), tensor.Uint32: accumulate[uint32](k, product, nil),
		tensor.Int64: accumulate[int64](k, product, nil), tensor.Uint64: accumulate[uint64](k, product, nil),
	}[l.In[0].DType]
	return Kernel{Alias: -1, Run: func(c *Call) { loop(c.Out[0], src.bytes(c)) }}, nil
}

// accumulate is one chain from the first element of the walk; integers wrap. store is applied to what is written. Only
// float32 has a store: its NaNs become the canonical one. The product is converted to T before it is used, so no
// compiler may fuse it with a sum.
func accumulate[T element](k cumulation, product bool, store func(T) T) func(dst, src []byte) {
	start := T(0)
	if product {
		start = 1
	}
	return func(dst, src []byte) {
		in, out := view[T](src), view[T](dst)
		for o := range k.outer * k.inner {
			at, step := o/k.inner*k.n*k.inner+o%k.inner, k.inner
			if k.reverse {
				at, step = at+(k.n-1)*k.inner, -k.inner
			}
			total := start
			for range k.n {
				before := total
				if product {
					total = T(total * in[at])
				} else {
					total += in[at]
				}
				v := total
				if k.exclusive {
					v = before
				}
				if store != nil {
					v = store(v)
				}
				out[at] = v
				at += step
			}
		}
	}
}
