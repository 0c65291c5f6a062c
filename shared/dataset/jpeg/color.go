package jpeg

// space is how the components of a file mean colours. T.81 leaves colours open; JFIF 1.02 and Adobe's segment say them.
type space uint8

const (
	grey space = iota
	ycc
	rgb
	cmyk
	ycck
)

// chroma holds the products of the YCbCr conversion (JFIF) in 16-bit fixed point, rounded as libjpeg rounds them: red and
// blue at once, the two parts of green after they are added. The equations are JFIF's: R = Y + 1.402 Cr, G = Y -
// 0.34414 Cb - 0.71414 Cr, B = Y + 1.772 Cb, with Cb and Cr less 128; factors are times 2^16, and green's one rounding
// term stands in greenB.
var chroma = func() (t struct{ red, blue, greenR, greenB [256]int32 }) {
	const half = 1 << 15
	for i := range t.red {
		x := int32(i) - 128
		t.red[i] = (91881*x + half) >> 16   // 1.402
		t.blue[i] = (116130*x + half) >> 16 // 1.772
		t.greenR[i] = -46802 * x            // 0.71414
		t.greenB[i] = -22554*x + half       // 0.34414
	}
	return t
}()

// toRGB converts one row of components in place of separate planes into interleaved pixels. Grey gives one byte a pixel,
// the others three. CMYK is taken as inverted, as Adobe writes it and Pillow reads every file. c[i] has one sample for
// each pixel of the row, up-sampled already; planes that the space does not have are nil.
func toRGB(dst []byte, s space, c [4][]byte) {
	switch s {
	case grey:
		copy(dst, c[0])
	case rgb:
		for x := range c[0] {
			dst[3*x], dst[3*x+1], dst[3*x+2] = c[0][x], c[1][x], c[2][x]
		}
	case ycc:
		cb, cr := c[1][:len(c[0])], c[2][:len(c[0])]
		for x, y := range c[0] {
			d := (*[3]byte)(dst[3*x:])
			d[0], d[1], d[2] = fromYCC(y, cb[x], cr[x])
		}
	case cmyk:
		for x := range c[0] {
			fromCMYK(dst[3*x:3*x+3], 255-c[0][x], 255-c[1][x], 255-c[2][x], 255-c[3][x])
		}
	case ycck:
		// The decoder's CMY is 255 - RGB; inverted once more it is RGB again.
		for x := range c[0] {
			r, g, b := fromYCC(c[0][x], c[1][x], c[2][x])
			fromCMYK(dst[3*x:3*x+3], r, g, b, 255-c[3][x])
		}
	}
}

// Shifts of negative numbers round down, as libjpeg's do.
func fromYCC(y, cb, cr byte) (r, g, b byte) {
	l := int32(y)
	return clamp(l + chroma.red[cr]), clamp(l + (chroma.greenB[cb]+chroma.greenR[cr])>>16), clamp(l + chroma.blue[cb])
}

// fromCMYK is Pillow's conversion: ink coverage scales what black leaves, with a rounded division by 255. (t>>8 + t)>>8
// of t = ink*left + 128 is ink*left/255 rounded, exact for bytes.
func fromCMYK(dst []byte, c, m, y, k byte) {
	left := int32(255 - k)
	for i, ink := range [3]byte{c, m, y} {
		t := int32(ink)*left + 128
		dst[i] = clamp(left - (t>>8+t)>>8)
	}
}
