//go:build amd64 && !noasm

package elementwise

import "assay/kernels/tier"

// chunk is how many elements one call of assembly takes, since it cannot be preempted: some 20 microseconds.
const chunk = 1 << 14

// whole calls f for chunks of whole blocks of n elements and returns how many elements they cover.
func whole(n, block int, f func(at, n int)) int {
	n -= n % block
	for at := 0; at < n; at += chunk {
		f(at, min(chunk, n-at))
	}
	return n
}

// fastRows computes the first elements of op on two rows of one length and returns how many.
func fastRows(op Op2, d, a, b []float32) int {
	var f func(d, a, b *float32, n int)
	switch {
	case len(d) < 8 || tier.Current() < tier.AVX2:
		return 0
	case op == Add:
		f = addRowsAVX2
	case op == Sub:
		f = subRowsAVX2
	case op == Mul:
		f = mulRowsAVX2
	case op == Div:
		f = divRowsAVX2
	case op == Max:
		f = maxRowsAVX2
	case op == Min:
		f = minRowsAVX2
	case op == PRelu:
		f = preluRowsAVX2
	default:
		return 0
	}
	return whole(len(d), 8, func(at, n int) { f(&d[at], &a[at], &b[at], n) })
}

// fastNumber computes the first elements of op on a row and a number and returns how many.
func fastNumber(op Op2, d, a []float32, b float32) int {
	var f func(d, a *float32, b float32, n int)
	switch {
	case len(d) < 8 || tier.Current() < tier.AVX2:
		return 0
	case op == Add:
		f = addNumberAVX2
	case op == Sub:
		f = subNumberAVX2
	case op == Mul:
		f = mulNumberAVX2
	case op == Div:
		f = divNumberAVX2
	case op == Max:
		f = maxNumberAVX2
	case op == Min:
		f = minNumberAVX2
	case op == PRelu:
		f = preluNumberAVX2
	default:
		return 0
	}
	return whole(len(d), 8, func(at, n int) { f(&d[at], &a[at], b, n) })
}

// fastClip clamps the first elements and returns how many.
func fastClip(d, s []float32, lo, hi float32) int {
	if len(d) < 8 || tier.Current() < tier.AVX2 {
		return 0
	}
	return whole(len(d), 8, func(at, n int) { clampAVX2(&d[at], &s[at], n, lo, hi) })
}

// fastUnary computes the first elements of op and returns how many.
func fastUnary(op Op1, d, s []float32, alpha, beta float32) int {
	if len(d) < 8 || tier.Current() < tier.AVX2 {
		return 0
	}
	var f func(d, s *float32, n int)
	switch op {
	case LeakyRelu:
		return whole(len(d), 8, func(at, n int) { preluNumberAVX2(&d[at], &s[at], alpha, n) })
	case HardSigmoid:
		return whole(len(d), 8, func(at, n int) { hardSigmoidAVX2(&d[at], &s[at], n, alpha, beta) })
	case HardSwish:
		return whole(len(d), 8, func(at, n int) { hardSwishAVX2(&d[at], &s[at], n, swishAlpha, swishBeta) })
	case Abs:
		f = absAVX2
	case Neg:
		f = negAVX2
	case Sqrt:
		f = sqrtAVX2
	case Reciprocal:
		f = reciprocalAVX2
	case Floor:
		f = floorAVX2
	case Ceil:
		f = ceilAVX2
	case Round:
		f = roundAVX2
	default:
		return 0
	}
	return whole(len(d), 8, func(at, n int) { f(&d[at], &s[at], n) })
}

// fastMulAdd computes the first elements of MulAdd and returns how many.
func fastMulAdd(d, a []float32, b float32) int {
	if len(d) < 8 || tier.Current() < tier.AVX2 {
		return 0
	}
	return whole(len(d), 8, func(at, n int) { mulAddAVX2(&d[at], &a[at], b, n) })
}

// fastLookup looks the first elements up and returns how many.
func fastLookup(d, s []uint8, t *[256]uint8) int {
	if len(d) < 64 || !tier.Permute() {
		return 0
	}
	return whole(len(d), 64, func(at, n int) { lookupVBMI(&d[at], &s[at], n, t) })
}

// fastEqual compares the first elements and returns how many.
func fastEqual(d []uint8, a []int32, b int32) int {
	if len(d) < 32 || tier.Current() < tier.AVX2 {
		return 0
	}
	return whole(len(d), 32, func(at, n int) { equalAVX2(&d[at], &a[at], b, n) })
}

// fastPair computes the first elements of p on two rows of one length and returns how many. What is left of 32 goes
// through a block of its own: the table of all pairs would be fetched from afar.
func fastPair(p *Pair, d, a, b []uint8) int {
	if len(d) < 8 || tier.Current() < tier.AVX2 {
		return 0
	}
	k := 0
	if p.form.bounded && tier.Current() >= tier.AVX512VNNI {
		k = whole(len(d), 64, func(at, n int) { p.form.run64(&d[at], &a[at], &b[at], n) })
	}
	k += whole(len(d)-k, 32, func(at, n int) { p.form.run(&d[k+at], &a[k+at], &b[k+at], n) })
	if k == len(d) {
		return k
	}
	var rd, ra, rb [32]uint8
	copy(ra[:], a[k:])
	copy(rb[:], b[k:])
	p.form.run(&rd[0], &ra[0], &rb[0], 32)
	copy(d[k:], rd[:])
	return len(d)
}

// run64 computes n elements, a multiple of 64, of a formula that is bounded.
func (f *formula) run64(d, a, b *uint8, n int) {
	switch {
	case f.mul && f.signed:
		mulI8AVX512(d, a, b, n, int32(f.x), int32(f.y), f.m, f.c)
	case f.mul:
		mulU8AVX512(d, a, b, n, int32(f.x), int32(f.y), f.m, f.c)
	case f.signed:
		addI8AVX512(d, a, b, n, f.x, f.y, f.c)
	default:
		addU8AVX512(d, a, b, n, f.x, f.y, f.c)
	}
}

// run computes n elements, a multiple of 32.
func (f *formula) run(d, a, b *uint8, n int) {
	switch {
	case f.mul && f.signed:
		mulI8AVX2(d, a, b, n, f.x, f.y, f.m, f.c, f.lo, f.hi)
	case f.mul:
		mulU8AVX2(d, a, b, n, f.x, f.y, f.m, f.c, f.lo, f.hi)
	case f.signed:
		addI8AVX2(d, a, b, n, f.x, f.y, f.c, f.lo, f.hi)
	default:
		addU8AVX2(d, a, b, n, f.x, f.y, f.c, f.lo, f.hi)
	}
}
