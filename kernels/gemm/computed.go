package gemm

import "assay/kernels/gemm/tile"

// SpaceF32 is the bytes of memory that RepackF32 takes, wherever they begin: what aligning costs is counted.
func SpaceF32(k, n int) int { return tile.SpaceF32(k, n) }

// RepackF32 packs b, row-major [k][n], with a bias of n elements or none, into space: a matrix that is computed anew in
// each run. b and bias are copied. It allocates nothing; the result and its copies refer to space and serve until that is
// written again. A space of fewer than SpaceF32 bytes is a panic.
func RepackF32(space []byte, b []float32, k, n int, bias []float32) F32 {
	return F32{tile.RepackF32(space, b, k, n, bias)}
}

// SpaceI8 is the bytes of memory that RepackI8 takes.
func SpaceI8(k, n int) int { return tile.SpaceI8(k, n) }

// RepackI8 is RepackF32 for bytes, signed ones or unsigned ones, with one zero point of that type (-128 to 127, or 0 to
// 255). Unlike zero points in PackI8 it costs no second pass over the matrix: Run sums each row of a once instead.
func RepackI8(space, b []byte, signed bool, k, n int, bias []int32, zero int32) I8 {
	if signed {
		return I8{tile.RepackI8(space, b, 0, k, n, bias, zero)}
	}
	return I8{tile.RepackI8(space, b, 0x80, k, n, bias, zero-128)}
}
