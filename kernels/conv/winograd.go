package conv

import "assay/kernels/gemm/tile"

// A 3x3 convolution of bytes at stride 1 can take 36 products for 16 outputs instead of 144 (Winograd's minimal filtering F(4x4, 3x3) with
// points 0, 1, -1, 2, -2 and infinity; Lavin and Gray, 2016), which for float sums rounds otherwise and is not done. Integers are exact: with
// the fractions of the algorithm moved out of the weights,
//
//	V = B'dB      words: pixels d of a byte give at most 255*68
//	U = G'gG      words: weights g within 255 give at most 255*49
//	M = sum over channels of U*V, element by element, in int32
//	Y = A'MA      9 * 2^(i+j) times the outputs, where i and j are 3, 2, 1, 1 along lines and columns
//
// in one direction each
//
//	B' =  4  0 -5  0  1  0     G' =  1  0  0     A' =  6  4  4  1  1  0    (24 times the output)
//	      0 -4 -4  1  1  0          -1 -1 -1           0  2 -2  1 -1  0    (12)
//	      0  4 -4 -1  1  0          -1  1 -1           0  1  1  1  1  0    (6)
//	      0 -2 -1  2  1  0           1  2  4           0  1 -1  2 -2  6    (6)
//	      0  2 -1 -2  1  0           1 -2  4
//	      0  4  0 -5  0  1           0  0  1
//
// Everything modulo 2^32, where 9 has an inverse: 2^6 times an output is known modulo 2^32 and the output modulo 2^26. So it is the output
// where that is within 2^25, which packing sees to: else weights have no such form. Pixels count less 128 meanwhile, which halves what sums
// can be: of all rows of B' only the second one notices, since the others add up to 0, so that place (1, 1) of V alone changes.

// panels is the number of panels of n columns.
func panels(n int) int { return (n + tile.Panel - 1) / tile.Panel }

const (
	winogradSide   = 6 // lines and columns of a tile of pixels
	winogradOut    = 4 // of its outputs
	winogradPlaces = winogradSide * winogradSide
	// winogradMost is the bound of the sum of pixels, less winogradCentre, times weights.
	winogradMost   = 1 << 25
	winogradCentre = 128
	// winogradWide is the number of panels that a product takes at most.
	winogradWide = 4
)

// winograd is a packed 3x3 kernel in transformed form. Weights lie in groups of 4, 2 or 1 panels, of each [36][pairs][16*wide][2].
type winograd struct {
	u         []int16
	groups    []winogradGroup
	bias, sum []int32 // of each column, padded to whole panels; sum of the weights
}

// winogradGroup is wide panels from panel on, whose weights begin at element at.
type winogradGroup struct{ panel, wide, at int }

// winogradShape says that a convolution has the form: 3x3, stride and dilation 1, one group, channels by the sixteen.
func (g Geometry) winogradShape() bool {
	return g.KH == 3 && g.KW == 3 && g.StrideH == 1 && g.StrideW == 1 && g.DilationH == 1 && g.DilationW == 1 && g.Group == 1 && g.C%tile.Panel == 0
}

// packWinograd transforms weights w [OC][C][3][3] less their zero points, in groups of most panels (a power of two). It is nil where sums may
// leave the bound.
func packWinograd(g Geometry, w []int8, bias []int32, zero func(n int) int, most int) *winograd {
	panels := panels(g.OC)
	p := &winograd{bias: make([]int32, panels*tile.Panel), sum: make([]int32, panels*tile.Panel)}
	copy(p.bias, bias)
	for n := range g.OC {
		above, below := 0, 0
		for _, v := range w[n*g.C*9:][:g.C*9] {
			v := int(v) - zero(n)
			above += max(v, 0)
			below += min(v, 0)
		}
		if winogradCentre*(above-below) >= winogradMost {
			return nil
		}
		p.sum[n] = int32(above + below)
	}
	pairs := g.C / 2
	at := 0
	for panel := 0; panel < panels; {
		wide := most
		for wide > panels-panel {
			wide /= 2
		}
		p.groups = append(p.groups, winogradGroup{panel, wide, at})
		at += winogradPlaces * pairs * wide * tile.Panel * 2
		panel += wide
	}
	p.u = make([]int16, at)
	for _, q := range p.groups {
		cols := q.wide * tile.Panel
		for n := q.panel * tile.Panel; n < min(g.OC, q.panel*tile.Panel+cols); n++ {
			z := zero(n)
			for c := range g.C {
				u := p.u[q.at+(c/2*cols+n-q.panel*tile.Panel)*2+c%2:]
				transformWeights(u, pairs*cols*2, w[(n*g.C+c)*9:][:9], z)
			}
		}
	}
	return p
}

// transformWeights writes G'gG of nine weights, less their zero point, to every step-th element of u.
func transformWeights(u []int16, step int, w []int8, zero int) {
	var half [winogradSide][3]int
	for x := range 3 {
		column := filter(int(w[x])-zero, int(w[3+x])-zero, int(w[6+x])-zero)
		for i, v := range column {
			half[i][x] = v
		}
	}
	for i, h := range half {
		for j, v := range filter(h[0], h[1], h[2]) {
			u[(i*winogradSide+j)*step] = int16(v)
		}
	}
}

// filter is G' times three weights.
func filter(a, b, c int) [winogradSide]int {
	return [...]int{a, -a - b - c, b - a - c, a + 2*b + 4*c, a - 2*b + 4*c, c}
}

// bytes is the size of the transformed weights.
func (p *winograd) bytes() int { return 2 * len(p.u) }
