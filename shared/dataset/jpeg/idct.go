package jpeg

// zigzag gives the place of the k-th coded coefficient in a block of rows. T.81 figure A.6; rows of frequencies from
// top to bottom, horizontal frequency inside.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// The rotation constants of Loeffler, Ligtenberg and Moschytz's 11-multiplication DCT (ICASSP 1989), times 2^13.
const (
	c0298 = 2446
	c0390 = 3196
	c0541 = 4433
	c0765 = 6270
	c0899 = 7373
	c1175 = 9633
	c1501 = 12299
	c1847 = 15137
	c1961 = 16069
	c2053 = 16819
	c2562 = 20995
	c3072 = 25172

	fraction = 13 // bits of the constants
	between  = 2  // bits kept between the passes
)

// butterfly is the one-dimensional transform; results carry fraction more bits than the inputs. It is sqrt(8) times
// s[x] = 1/2 * sum over u of C(u) * S[u] * cos((2x+1)*u*pi/16), C(0) = 1/sqrt(2) and else 1.
func butterfly(v0, v1, v2, v3, v4, v5, v6, v7 int32) (s0, s1, s2, s3, s4, s5, s6, s7 int32) {
	z := (v2 + v6) * c0541
	e2, e3 := z-v6*c1847, z+v2*c0765
	e0, e1 := (v0+v4)<<fraction, (v0-v4)<<fraction
	a0, a3, a1, a2 := e0+e3, e0-e3, e1+e2, e1-e2

	z5 := (v7 + v3 + v5 + v1) * c1175
	z1, z2 := -(v7+v1)*c0899, -(v5+v3)*c2562
	z3, z4 := z5-(v7+v3)*c1961, z5-(v5+v1)*c0390
	o0, o1 := v7*c0298+z1+z3, v5*c2053+z2+z4
	o2, o3 := v3*c3072+z2+z3, v1*c1501+z1+z4

	return a0 + o3, a1 + o2, a2 + o1, a3 + o0, a3 - o0, a2 - o1, a1 - o2, a0 - o3
}

// lowButterfly is butterfly of v4 to v7 zero: the same sums without them.
func lowButterfly(v0, v1, v2, v3 int32) (s0, s1, s2, s3, s4, s5, s6, s7 int32) {
	e, e2 := v0<<fraction, v2*c0541
	e3 := e2 + v2*c0765
	a0, a3, a1, a2 := e+e3, e-e3, e+e2, e-e2

	z5 := (v3 + v1) * c1175
	z1, z2 := -v1*c0899, -v3*c2562
	z3, z4 := z5-v3*c1961, z5-v1*c0390
	o0, o1, o2, o3 := z1+z3, z2+z4, v3*c3072+z2+z3, v1*c1501+z1+z4

	return a0 + o3, a1 + o2, a2 + o1, a3 + o0, a3 - o0, a2 - o1, a1 - o2, a0 - o3
}

// lowest is the last place in zigzag order up to which all coefficients are of the four lowest frequencies either way.
const lowest = 9

// idct transforms the coefficients b, in rows and not yet multiplied by the quantizer q, into 8 rows of samples at dst. Those
// behind place last, in zigzag order, are zero: half of a picture's blocks have low frequencies alone, and many have one value.
// Columns first, 2 extra bits between the passes, each pass rounded half up: these choices are the bits of "islow". The
// transform is T.81 A.3.3's, f(x,y) = 1/4 sum C(u)C(v)F(u,v)cos((2x+1)u*pi/16)cos((2y+1)v*pi/16), by columns and then
// rows; both passes together scale by 8, which the last shift takes away with the fraction. 128 is the level shift of
// A.3.1. What skips zeros has the same result.
func idct(dst []byte, stride int, b *[64]int16, q *[64]int32, last int) {
	var work [64]int32
	switch {
	case last == 0:
		v := sample(int32(b[0]) * q[0] << between << fraction)
		for y := range 8 {
			row := dst[y*stride : y*stride+8]
			for x := range row {
				row[x] = v
			}
		}
		return
	case last <= lowest:
		for x := range 4 {
			v0 := int32(b[x]) * q[x]
			if b[8+x]|b[16+x]|b[24+x] == 0 {
				flat(&work, x, v0)
				continue
			}
			s0, s1, s2, s3, s4, s5, s6, s7 := lowButterfly(v0, int32(b[8+x])*q[8+x], int32(b[16+x])*q[16+x], int32(b[24+x])*q[24+x])
			column(&work, x, s0, s1, s2, s3, s4, s5, s6, s7)
		}
		for y := range 8 {
			w := (*[4]int32)(work[y*8:])
			s0, s1, s2, s3, s4, s5, s6, s7 := lowButterfly(w[0], w[1], w[2], w[3])
			row(dst[y*stride:], s0, s1, s2, s3, s4, s5, s6, s7)
		}
		return
	}
	for x := range 8 {
		v0 := int32(b[x]) * q[x]
		if b[8+x]|b[16+x]|b[24+x]|b[32+x]|b[40+x]|b[48+x]|b[56+x] == 0 {
			flat(&work, x, v0)
			continue
		}
		s0, s1, s2, s3, s4, s5, s6, s7 := butterfly(v0, int32(b[8+x])*q[8+x], int32(b[16+x])*q[16+x], int32(b[24+x])*q[24+x],
			int32(b[32+x])*q[32+x], int32(b[40+x])*q[40+x], int32(b[48+x])*q[48+x], int32(b[56+x])*q[56+x])
		column(&work, x, s0, s1, s2, s3, s4, s5, s6, s7)
	}
	for y := range 8 {
		w := (*[8]int32)(work[y*8:])
		s0, s1, s2, s3, s4, s5, s6, s7 := butterfly(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7])
		row(dst[y*stride:], s0, s1, s2, s3, s4, s5, s6, s7)
	}
}

// flat is the first pass of a column of DC alone.
func flat(work *[64]int32, x int, dc int32) {
	dc <<= between
	for y := range 8 {
		work[y*8+x&7] = dc
	}
}

// column rounds the results of the first pass.
func column(work *[64]int32, x int, s0, s1, s2, s3, s4, s5, s6, s7 int32) {
	const shift = fraction - between
	const half = 1 << (shift - 1)
	w := (*[57]int32)(work[x&7:])
	w[0], w[8], w[16], w[24] = (s0+half)>>shift, (s1+half)>>shift, (s2+half)>>shift, (s3+half)>>shift
	w[32], w[40], w[48], w[56] = (s4+half)>>shift, (s5+half)>>shift, (s6+half)>>shift, (s7+half)>>shift
}

// row writes the samples that the second pass gives.
func row(dst []byte, s0, s1, s2, s3, s4, s5, s6, s7 int32) {
	d := (*[8]byte)(dst)
	d[0], d[1], d[2], d[3] = sample(s0), sample(s1), sample(s2), sample(s3)
	d[4], d[5], d[6], d[7] = sample(s4), sample(s5), sample(s6), sample(s7)
}

// sample rounds a result of the second pass and shifts its level.
func sample(v int32) byte {
	const shift = fraction + between + 3
	return clamp((v+1<<(shift-1))>>shift + 128)
}

func clamp(v int32) byte {
	if uint32(v) < 256 {
		return byte(v)
	}
	return byte(^v >> 31) // 0 below, 255 above
}
