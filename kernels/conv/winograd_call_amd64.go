//go:build !noasm

package conv

import (
	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
)

// winogradWork is the number of steps of a product, of 16 columns each, in one call: about 100 microseconds.
const winogradWork = 300_000

// winogradRequant is the argument rq of winogradGather512 and winogradGather256, in the order of the generator's constants (wgZero and on in
// kernels/gen).
type winogradRequant [33]int32

func newWinogradRequant(rq numeric.Requant, vnni bool) (q winogradRequant) {
	for i := range 16 {
		q[i] = rq.Zero<<16 | rq.Zero
	}
	r := tile.NewRequant(rq, 0)
	copy(q[16:], r[5:])
	if !vnni {
		copy(q[16:], []int32{0, 4, 1, 5, 2, 6, 3, 7})
	}
	q[32] = 0x38e38e39 // times 9 is 1 modulo 2^32
	return q
}

// rows is the number of rows of a tile of the product, for so many panels.
func (c *winogradCall) rows(wide int) int {
	if c.vnni && wide < winogradWide {
		return 14
	}
	return 6
}

// spreadTiles transforms n tiles, four pixels from each other, of a picture w pixels wide, to places of the block from i on.
func (c *winogradCall) spreadTiles(src []uint8, w, i, n int) {
	ch := c.g.C
	_ = src[((winogradSide-1)*w+winogradSide+(n-1)*winogradOut)*ch-1]
	_ = c.v[(winogradPlaces-1)*c.vPos+(i+n)*ch-1]
	if c.vnni {
		winogradSpread512(&c.v[i*ch], 2*ch, 2*c.vPos, &src[0], w*ch, ch, winogradOut*ch, ch/32, 1<<(ch%32)-1, n)
	} else {
		winogradSpread256(&c.v[i*ch], 2*ch, 2*c.vPos, &src[0], w*ch, ch, winogradOut*ch, ch/16, n)
	}
}

// product multiplies tiles of size rows from row on by a group of panels.
func (c *winogradCall) product(q winogradGroup, row, tiles, size int) {
	ch, cols := c.g.C, q.wide*tile.Panel
	pairs := ch / 2
	_ = c.v[(winogradPlaces-1)*c.vPos+(row+tiles*size)*ch-1]
	_ = c.m[(winogradPlaces-1)*c.mPos+(row+tiles*size)*cols-1]
	_ = c.p.u[q.at+winogradPlaces*pairs*cols*2-1]
	step := max(1, winogradWork/(pairs*tiles*size*q.wide))
	for at := 0; at < winogradPlaces; at += step {
		m, v, u, n := &c.m[at*c.mPos+row*cols], &c.v[at*c.vPos+row*ch], &c.p.u[q.at+at*pairs*cols*2], min(step, winogradPlaces-at)
		if c.vnni {
			winogradProduct512(m, 4*cols, 4*cols*size, 4*c.mPos, v, 2*ch, 2*ch*size, 2*c.vPos, u, pairs, size, tiles, q.wide, n)
		} else {
			winogradProduct256(m, 4*cols, 4*cols*size, 4*c.mPos, v, 2*ch, 2*ch*size, 2*c.vPos, u, pairs, size, tiles, q.wide, n)
		}
	}
}

// gatherTiles writes the outputs of n tiles of the block from i on, which lie four pixels from each other in a picture w pixels wide whose pixels
// lie apart bytes apart. It may destroy their sums.
func (c *winogradCall) gatherTiles(dst []uint8, w, apart int, q winogradGroup, i, n int) {
	first, wide := q.panel*tile.Panel, q.wide*tile.Panel
	cols := min(c.g.OC-first, wide)
	_ = dst[((winogradOut-1)*w+winogradOut-1+(n-1)*winogradOut)*apart+cols-1]
	_ = c.m[(winogradPlaces-1)*c.mPos+(i+n)*wide-1]
	m, bias, mult := &c.m[i*wide], &c.bias[first], &c.mult[first]
	if c.vnni {
		panels := panels(cols)
		winogradGather512(&dst[0], w*apart, apart, winogradOut*apart, m, 4*c.mPos, 4*wide, bias, mult, panels, 1<<(cols-(panels-1)*tile.Panel)-1, n, &c.rq[0])
	} else {
		winogradGather256(&dst[0], w*apart, apart, winogradOut*apart, m, 4*c.mPos, 4*wide, bias, mult, cols/8, n, &c.rq[0])
	}
}
