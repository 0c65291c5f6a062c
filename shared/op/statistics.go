package op

import "assay/kernels/reduce"

// What statistics of activations ask of the kernels.

// Extremes are the smallest and the largest of x, whatever the sign of zeros; +Inf and -Inf of nothing. ok is false where x
// holds a NaN, and the others mean nothing then.
func Extremes(x []float32) (lo, hi float32, ok bool) { return reduce.Extremes(x) }

// ColumnSums adds each column of x, rows of len(sums) elements, to its sum: one chain in float64 from the first row to the
// last.
func ColumnSums(sums []float64, x []float32) { reduce.ColumnSums(sums, x) }
