package op

import (
	"fmt"

	"assay/shared/tensor"
)

// triangleOps build and cut matrices by diagonals: diagonal k lies k places above the main one, below where k is negative.
// Defaults: upper 1, k 0, dtype that of the data. Trilu works on stacks of matrices and copies bits of any type. Refused:
// data of fewer than two axes (EyeLike: other than two), a k that is computed from data.
var triangleOps = []*Op{
	{
		Name: "Trilu", Opsets: []int{14}, Role: RoleFloat, Inputs: Arity{1, 2}, Outputs: Arity{1, 1}, Attrs: []string{"upper"},
		Infer: func(x *Infer) error {
			if len(x.In[0].Shape) < 2 {
				return fmt.Errorf("data shape %v has no matrices", x.In[0].Shape)
			}
			if _, err := diagonal(x); err != nil {
				return err
			}
			return same(x)
		},
		Lower: lowerTrilu, RowWise: func(l *Lower) bool { return len(l.In[0].Shape) > 2 },
	},
	{
		Name: "EyeLike", Opsets: []int{9}, Role: RoleShape, Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"dtype", "k"},
		Infer: inferEye, Lower: lowerEye, RowWise: never,
	},
}

// diagonal reads input 1 of Trilu: 0 is the main diagonal, positive ones lie above it.
func diagonal(x *Infer) (int, error) {
	if !x.has(1) {
		return 0, nil
	}
	v, err := x.known(1, "k")
	if err != nil {
		return 0, err
	}
	if len(v) != 1 {
		return 0, fmt.Errorf("input 1 (k) has %d elements, one is required", len(v))
	}
	const far = 1 << 40 // beyond every matrix
	return int(min(max(v[0], -far), far)), nil
}

// lowerTrilu copies all of a row and clears what lies below diagonal k (upper) or above it. Element (r, c) stays for
// upper where c >= r + k, for lower where c <= r + k.
func lowerTrilu(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	k, err := diagonal(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	shape, size, upper := l.In[0].Shape, l.In[0].DType.Size(), l.Node.Int("upper", 1) != 0
	rows, cols := shape[len(shape)-2], shape[len(shape)-1]
	return Kernel{Alias: -1, Run: func(c *Call) {
		dst := c.Out[0]
		copy(dst, src.bytes(c))
		if len(dst) == 0 {
			return
		}
		for r := range len(dst) / (cols * size) {
			line, at := dst[r*cols*size:][:cols*size], min(max(r%rows+k, -1), cols)
			if upper {
				clear(line[:max(at, 0)*size])
			} else {
				clear(line[min(at+1, cols)*size:])
			}
		}
	}}, nil
}

// inferEye: the data's shape, in its type unless dtype is given; its elements are not read.
func inferEye(x *Infer) error {
	if len(x.In[0].Shape) != 2 {
		return fmt.Errorf("data shape %v is no matrix", x.In[0].Shape)
	}
	to := x.In[0].DType
	if v := x.Node.Int("dtype", 0); v != 0 {
		var err error
		if to, err = castTo(v); err != nil {
			return err
		}
	}
	if _, err := converter(tensor.Uint8, to); err != nil {
		return err
	}
	x.put(0, to, x.In[0].Shape...)
	return nil
}

// lowerEye writes ones on diagonal k. Only the shape of its input matters. k far outside gives zeros and no overflow:
// it is compared with the sides before it is added.
func lowerEye(l *Lower) (Kernel, error) {
	one, err := convert(tensor.Of(tensor.Uint8, []int{1}, []uint8{1}), l.Out[0].DType)
	if err != nil {
		return Kernel{}, err
	}
	rows, cols, size, k := l.Out[0].Shape[0], l.Out[0].Shape[1], len(one.Data), l.Node.Int("k", 0)
	return Kernel{Alias: -1, Run: func(c *Call) {
		clear(c.Out[0])
		if k <= int64(-rows) || k >= int64(cols) {
			return
		}
		for r := range rows {
			if at := r + int(k); at >= 0 && at < cols {
				copy(c.Out[0][(r*cols+at)*size:], one.Data)
			}
		}
	}}, nil
}
