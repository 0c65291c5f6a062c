package reduce

// ColumnSums adds each column of x, rows of len(sums) elements, to its sum: one chain in float64 from the first row to the
// last. Elements behind the last whole row do not count. A NaN has any pattern.
func ColumnSums(sums []float64, x []float32) {
	n, first := len(sums), fastColumnSums(sums, x)
	if first == n {
		return
	}
	for row := x; len(row) >= n; row = row[n:] {
		for c, v := range row[first:n] {
			sums[first+c] += float64(v)
		}
	}
}
