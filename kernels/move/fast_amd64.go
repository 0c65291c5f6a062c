//go:build amd64 && !noasm

package move

import "assay/kernels/tier"

// part is how many pixels one call of assembly takes, since it cannot be preempted: some microseconds.
const part = 1 << 14

// fastThree writes whole groups of 16 rows of three bytes and returns the number of rows.
func fastThree(dst, a, b, c []byte) int {
	n := len(a) &^ 15
	if n == 0 || tier.Current() < tier.AVX2 {
		return 0
	}
	_, _, _ = dst[3*n-1], b[n-1], c[n-1]
	for at := 0; at < n; at += part {
		threePlanesAVX2(&dst[3*at], &a[at], &b[at], &c[at], min(part, n-at))
	}
	return n
}

// fastThreeWords writes whole groups of 8 rows of three words and returns the number of rows.
func fastThreeWords(dst, a, b, c []uint32) int {
	n := len(a) &^ 7
	if n == 0 || tier.Current() < tier.AVX2 {
		return 0
	}
	_, _, _ = dst[3*n-1], b[n-1], c[n-1]
	for at := 0; at < n; at += part {
		threeWordPlanesAVX2(&dst[3*at], &a[at], &b[at], &c[at], min(part, n-at))
	}
	return n
}

func fastTranspose() bool { return tier.Current() >= tier.AVX2 }

// transposeStrip transposes 8 rows of n words; steps are in words and the caller has checked the ends of both sides.
func transposeStrip(dst, src []uint32, n, dstStep, srcStep int) {
	transposeStripAVX2(&dst[0], &src[0], n, 4*dstStep, 4*srcStep)
}
