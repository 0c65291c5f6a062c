//go:build amd64 && !noasm

package pool

import "assay/kernels/tier"

// fold is an assembly kernel for one window: rows x cols taps whose distances are in bytes, c channels.
type fold[T any] func(d, s *T, c, rows, cols, rowStep, colStep int)

// apply runs f over all channels of one window, whole blocks of them. The last block overlaps the one before: windows are
// folded anew from src, so computing a channel twice does no harm. It returns false, having done nothing, when there are
// fewer channels than a block or no taps.
func apply[T any](f fold[T], block, size int, d, s []T, channels, rows, cols, rowStep, colStep int) bool {
	if channels < block || rows < 1 || cols < 1 {
		return false
	}
	_, _ = d[channels-1], s[(rows-1)*rowStep+(cols-1)*colStep+channels-1]
	whole := channels - channels%block
	f(&d[0], &s[0], whole, rows, cols, rowStep*size, colStep*size)
	if whole < channels {
		at := channels - block
		f(&d[at], &s[at], block, rows, cols, rowStep*size, colStep*size)
	}
	return true
}

// flip is 0x80 for signed bytes, 0 for unsigned ones. Steps are in elements.
func fastMaxBytes(d, s []uint8, channels, rows, cols, rowStep, colStep int, flip uint8) bool {
	if tier.Current() < tier.AVX2 {
		return false
	}
	if flip != 0 {
		return apply(maxI8AVX2, 32, 1, d, s, channels, rows, cols, rowStep, colStep)
	}
	return apply(maxU8AVX2, 32, 1, d, s, channels, rows, cols, rowStep, colStep)
}

func fastMaxFloats(d, s []float32, channels, rows, cols, rowStep, colStep int) bool {
	return tier.Current() >= tier.AVX2 && apply(maxF32AVX2, 8, 4, d, s, channels, rows, cols, rowStep, colStep)
}

// The kernel's chain is numeric.Chain's, so no bit depends on the tier.
func fastMean(d, s []float32, channels, rows, cols, rowStep, colStep int, n float32) bool {
	if tier.Current() < tier.AVX2 {
		return false
	}
	f := func(d, s *float32, c, rows, cols, rowStep, colStep int) {
		meanF32AVX2(d, s, c, rows, cols, rowStep, colStep, n)
	}
	return apply(f, 8, 4, d, s, channels, rows, cols, rowStep, colStep)
}

// fastSums adds up the bytes of the first channels over all pixels and returns how many channels. Sums are exact in
// int32, whose order does not matter.
func fastSums(d *[block]int32, s []uint8, channels, pixels, step int, signed bool) int {
	channels -= channels % 8
	if tier.Current() < tier.AVX2 || channels == 0 || pixels < 1 {
		return 0
	}
	_ = s[(pixels-1)*step+channels-1]
	if signed {
		sumI8AVX2(&d[0], &s[0], channels, pixels, step)
	} else {
		sumU8AVX2(&d[0], &s[0], channels, pixels, step)
	}
	return channels
}
