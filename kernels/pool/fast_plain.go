//go:build !amd64 || noasm

package pool

func fastMaxBytes(d, s []uint8, channels, rows, cols, rowStep, colStep int, flip uint8) bool {
	return false
}
func fastMaxFloats(d, s []float32, channels, rows, cols, rowStep, colStep int) bool { return false }
func fastMean(d, s []float32, channels, rows, cols, rowStep, colStep int, n float32) bool {
	return false
}
func fastSums(d *[block]int32, s []uint8, channels, pixels, step int, signed bool) int { return 0 }
