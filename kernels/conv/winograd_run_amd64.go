//go:build !noasm

package conv

import (
	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// winogradBytes is what the transformed pixels of a block may take: half of a second-level cache of 1 MB.
const winogradBytes = 512 << 10

// winogradTiles is the number of tiles of a block at most: more would let its sums leave the cache, fewer pass all weights by more often.
const winogradTiles = 32

// winogradCall is a Run: the tiles of all pictures go in blocks, of each of which all places are transformed, multiplied and transformed back.
type winogradCall struct {
	p          *winograd
	g          Geometry
	oh, ow     int
	down, over int // tiles of a picture, down and across
	block      int // tiles of a block at most
	blocks     int
	v          []int16
	m          []int32
	vPos, mPos int // elements between places
	bias       []int32
	mult       []float32
	patch      []uint8 // a tile of pixels that is not wholly in the picture
	out        []uint8 // a tile of outputs of a group that is not
	rq         winogradRequant
	vnni       bool // kernels of AVX-512
}

func newWinogradCall(p *winograd, g Geometry) winogradCall {
	c := winogradCall{p: p, g: g, oh: g.OutH(), ow: g.OutW(), vnni: tier.Current() == tier.AVX512VNNI}
	c.down, c.over = (c.oh+winogradOut-1)/winogradOut, (c.ow+winogradOut-1)/winogradOut
	total := g.Batch * c.down * c.over
	most := max(1, min(total, winogradTiles, winogradBytes/(2*winogradPlaces*g.C)))
	c.blocks = max(1, (total+most-1)/most)
	c.block = max(1, (total+c.blocks-1)/c.blocks)
	// Places a power of two apart would share few sets of the first-level cache.
	c.vPos = c.block*g.C + line/2
	c.mPos = c.block*winogradWide*tile.Panel + line/4
	return c
}

// scratch is the number of bytes that run needs.
func (p *winograd) scratch(g Geometry) int {
	c := newWinogradCall(p, g)
	return room(2*winogradPlaces*c.vPos) + room(4*winogradPlaces*c.mPos) + 2*room(4*len(p.bias)) + room(winogradPlaces*g.C) +
		room(winogradOut*winogradOut*winogradWide*tile.Panel)
}

func (p *winograd) run(dst, src []uint8, g Geometry, xZero uint8, rq numeric.Requant, scratch []byte) {
	c := newWinogradCall(p, g)
	c.v, scratch = carve[int16](scratch, winogradPlaces*c.vPos)
	c.m, scratch = carve[int32](scratch, winogradPlaces*c.mPos)
	c.bias, scratch = carve[int32](scratch, len(p.bias))
	c.mult, scratch = carve[float32](scratch, len(p.bias))
	c.patch, scratch = carve[uint8](scratch, winogradPlaces*g.C)
	c.out, _ = carve[uint8](scratch, winogradOut*winogradOut*winogradWide*tile.Panel)
	for i, b := range p.bias {
		c.bias[i] = b - (int32(xZero)-winogradCentre)*p.sum[i]
	}
	if len(rq.Mult) == 1 {
		fill(c.mult, rq.Mult[0])
	} else {
		fill(c.mult[copy(c.mult, rq.Mult):], 0)
	}
	c.rq = newWinogradRequant(rq, c.vnni)
	total := g.Batch * c.down * c.over
	for first := 0; first < total; first += c.block {
		n := min(c.block, total-first)
		c.spread(src, xZero, first, n)
		for _, q := range p.groups {
			c.multiply(q, n)
			c.gather(dst, q, first, n)
		}
	}
}

// runs cuts n tiles from first on into those of one line whose pixels (inside) lie in an area of h x w, and single others. f takes the
// place of the first of them in the block, its picture and its line and column of tiles.
func (c *winogradCall) runs(first, n int, inside func(y, x int) bool, f func(i, picture, y, x, n int, whole bool)) {
	for i := 0; i < n; {
		t := first + i
		picture, y, x := t/(c.down*c.over), t/c.over%c.down, t%c.over
		whole, k := inside(y, x), 1
		for whole && i+k < n && x+k < c.over && inside(y, x+k) {
			k++
		}
		f(i, picture, y, x, k, whole)
		i += k
	}
}

// spread transforms the pixels of n tiles.
func (c *winogradCall) spread(src []uint8, xZero uint8, first, n int) {
	g := &c.g
	inside := func(y, x int) bool {
		y, x = y*winogradOut-g.PadTop, x*winogradOut-g.PadLeft
		return y >= 0 && x >= 0 && y+winogradSide <= g.H && x+winogradSide <= g.W
	}
	c.runs(first, n, inside, func(i, picture, y, x, n int, whole bool) {
		y, x = y*winogradOut-g.PadTop, x*winogradOut-g.PadLeft
		in := src[picture*g.H*g.W*g.C:][:g.H*g.W*g.C]
		if whole {
			c.spreadTiles(in[(y*g.W+x)*g.C:], g.W, i, n)
			return
		}
		fill(c.patch, xZero)
		from, to := max(x, 0), min(x+winogradSide, g.W)
		for dy := max(0, -y); dy < min(winogradSide, g.H-y) && from < to; dy++ {
			copy(c.patch[(dy*winogradSide+from-x)*g.C:], in[((y+dy)*g.W+from)*g.C:((y+dy)*g.W+to)*g.C])
		}
		c.spreadTiles(c.patch, winogradSide, i, 1)
	})
}

// multiply makes the sums of all places of a block of n tiles for a group of panels.
func (c *winogradCall) multiply(q winogradGroup, n int) {
	tiles, size, big := tile.Balance(n, c.rows(q.wide))
	row := 0
	for _, t := range [2]struct{ n, size int }{{big, size + 1}, {tiles - big, size}} {
		if t.n > 0 {
			c.product(q, row, t.n, t.size)
			row += t.n * t.size
		}
	}
}

// gather writes the outputs of a block of n tiles for a group of panels.
func (c *winogradCall) gather(dst []uint8, q winogradGroup, first, n int) {
	g := &c.g
	inside := func(y, x int) bool { return (y+1)*winogradOut <= c.oh && (x+1)*winogradOut <= c.ow }
	cols := min(g.OC-q.panel*tile.Panel, q.wide*tile.Panel)
	c.runs(first, n, inside, func(i, picture, y, x, n int, whole bool) {
		y, x = y*winogradOut, x*winogradOut
		at := ((picture*c.oh+y)*c.ow+x)*g.apart() + q.panel*tile.Panel
		if whole {
			c.gatherTiles(dst[at:], c.ow, g.apart(), q, i, n)
			return
		}
		c.gatherTiles(c.out, winogradOut, cols, q, i, 1)
		for dy := range min(winogradOut, c.oh-y) {
			for dx := range min(winogradOut, c.ow-x) {
				copy(dst[at+(dy*c.ow+dx)*g.apart():], c.out[(dy*winogradOut+dx)*cols:][:cols])
			}
		}
	})
}
