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
func butterfly(v *[8]int32) {
	z := (v[2] + v[6]) * c0541
	e2, e3 := z-v[6]*c1847, z+v[2]*c0765
	e0, e1 := (v[0]+v[4])<<fraction, (v[0]-v[4])<<fraction
	a0, a3, a1, a2 := e0+e3, e0-e3, e1+e2, e1-e2

	z5 := (v[7] + v[3] + v[5] + v[1]) * c1175
	z1, z2 := -(v[7]+v[1])*c0899, -(v[5]+v[3])*c2562
	z3, z4 := z5-(v[7]+v[3])*c1961, z5-(v[5]+v[1])*c0390
	o0, o1 := v[7]*c0298+z1+z3, v[5]*c2053+z2+z4
	o2, o3 := v[3]*c3072+z2+z3, v[1]*c1501+z1+z4

	v[0], v[7] = a0+o3, a0-o3
	v[1], v[6] = a1+o2, a1-o2
	v[2], v[5] = a2+o1, a2-o1
	v[3], v[4] = a3+o0, a3-o0
}

// idct transforms the coefficients b, in rows and not yet multiplied by the quantizer q, into 8 rows of samples at dst.
// Columns first, 2 extra bits between the passes, each pass rounded half up: these choices are the bits of "islow". The
// transform is T.81 A.3.3's, f(x,y) = 1/4 sum C(u)C(v)F(u,v)cos((2x+1)u*pi/16)cos((2y+1)v*pi/16), by columns and then
// rows; both passes together scale by 8, which the last shift takes away with the fraction. 128 is the level shift of
// A.3.1. A column of DC alone skips the butterfly, whose result would be the same.
func idct(dst []byte, stride int, b *[64]int16, q *[64]int32) {
	var work [64]int32
	var v [8]int32
	for x := range 8 {
		if b[8+x]|b[16+x]|b[24+x]|b[32+x]|b[40+x]|b[48+x]|b[56+x] == 0 {
			dc := int32(b[x]) * q[x] << between
			for y := range 8 {
				work[y*8+x] = dc
			}
			continue
		}
		for y := range 8 {
			v[y] = int32(b[y*8+x]) * q[y*8+x]
		}
		butterfly(&v)
		for y := range 8 {
			work[y*8+x] = (v[y] + 1<<(fraction-between-1)) >> (fraction - between)
		}
	}
	for y := range 8 {
		v = [8]int32(work[y*8 : y*8+8])
		butterfly(&v)
		row := dst[y*stride : y*stride+8]
		for x := range row {
			const shift = fraction + between + 3
			row[x] = clamp((v[x]+1<<(shift-1))>>shift + 128)
		}
	}
}

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }
