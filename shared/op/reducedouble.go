package op

import (
	"math"

	"assay/kernels/numeric"
)

// doubleReduction folds float64 elements in one chain in row-major order, products rounded before sums.
func doubleReduction(name string, kept, folded []int) func(dst, src []byte) {
	return func(dst, src []byte) {
		in, out := view[float64](src), view[float64](dst)
		for i, base := range kept {
			v := foldDouble(name, in, base, folded)
			if v != v {
				v = canonical64
			}
			out[i] = v
		}
	}
}

// LogSumExp subtracts the maximum, so its largest term is 1; an infinite maximum is the answer itself. Sums are one
// plain chain and not two levels: float64 has bits to spare.
func foldDouble(name string, in []float64, base int, folded []int) float64 {
	switch name {
	case "ReduceMax":
		return chain64(in, base, folded, math.Inf(-1), func(a, v float64) float64 { return max(a, v) })
	case "ReduceMin":
		return chain64(in, base, folded, math.Inf(1), func(a, v float64) float64 { return min(a, v) })
	case "ReduceProd":
		return chain64(in, base, folded, 1, func(a, v float64) float64 { return float64(a * v) })
	case "ReduceL1":
		return chain64(in, base, folded, 0, func(a, v float64) float64 { return a + math.Abs(v) })
	case "ReduceL2":
		return math.Sqrt(chain64(in, base, folded, 0, func(a, v float64) float64 { return a + float64(v*v) }))
	case "ReduceSumSquare":
		return chain64(in, base, folded, 0, func(a, v float64) float64 { return a + float64(v*v) })
	case "ReduceLogSumExp":
		top := foldDouble("ReduceMax", in, base, folded)
		if math.IsInf(top, 0) {
			return top
		}
		return top + numeric.Log64(chain64(in, base, folded, 0, func(a, v float64) float64 { return a + numeric.Exp64(v-top) }))
	}
	sum := chain64(in, base, folded, 0, func(a, v float64) float64 { return a + v })
	switch name {
	case "ReduceMean":
		return sum / float64(len(folded))
	case "ReduceLogSum":
		return numeric.Log64(sum)
	}
	return sum
}

// chain64 folds elements base+step in the order of folded, from start on.
func chain64(in []float64, base int, folded []int, start float64, add func(a, v float64) float64) float64 {
	for _, step := range folded {
		start = add(start, in[base+step])
	}
	return start
}
