package op

import (
	"fmt"
	"math"

	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// matrixOps look at square matrices. Det of [..., n, n] is [...]; an empty matrix has the determinant 1. Float32 data
// is widened, so the result is rounded once.
var matrixOps = []*Op{{
	Name: "Det", Opsets: []int{11}, Types: floats, Inputs: Arity{1, 1}, Outputs: Arity{1, 1},
	Infer: func(x *Infer) error {
		s := x.In[0].Shape
		if len(s) < 2 || s[len(s)-1] != s[len(s)-2] {
			return fmt.Errorf("data shape %v holds no square matrices", s)
		}
		x.put(0, x.In[0].DType, s[:len(s)-2]...)
		return nil
	},
	Lower: lowerDet, RowWise: func(l *Lower) bool { return len(l.In[0].Shape) > 2 },
}}

// lowerDet eliminates in float64 with the largest pivot of each column (ties: the first row), products rounded before sums.
func lowerDet(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	n := shape[len(shape)-1]
	widen, err := converter(l.In[0].DType, tensor.Float64)
	if err != nil {
		return Kernel{}, err
	}
	size, double := l.In[0].DType.Size(), l.In[0].DType == tensor.Float64
	return Kernel{Alias: -1, Scratch: 8 * n * n, Run: func(c *Call) {
		in, m := src.bytes(c), view[float64](c.Scratch[:8*n*n])
		for i := range tensor.Count(l.Out[0].Shape) {
			widen(c.Scratch[:8*n*n], in[i*n*n*size:(i+1)*n*n*size])
			d := determinant(m, n)
			if double {
				view[float64](c.Out[0])[i] = d
			} else {
				view[float32](c.Out[0])[i] = numeric.Canon(float32(d))
			}
		}
	}}, nil
}

// determinant destroys m. It is Gaussian elimination: the product of the pivots, with a change of sign for each
// exchange. The first pivot of 0 in a column that is all 0 makes the product 0 and ends it, before a division by it.
func determinant(m []float64, n int) float64 {
	d := 1.0
	for k := range n {
		pivot := k
		for r := k + 1; r < n; r++ {
			if math.Abs(m[r*n+k]) > math.Abs(m[pivot*n+k]) {
				pivot = r
			}
		}
		if pivot != k {
			d = -d
			for j := range n {
				m[k*n+j], m[pivot*n+j] = m[pivot*n+j], m[k*n+j]
			}
		}
		d = float64(d * m[k*n+k])
		if m[k*n+k] == 0 {
			return d
		}
		for r := k + 1; r < n; r++ {
			f := m[r*n+k] / m[k*n+k]
			for j := k; j < n; j++ {
				m[r*n+j] -= float64(f * m[k*n+j])
			}
		}
	}
	return d
}
