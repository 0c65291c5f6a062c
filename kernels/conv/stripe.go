package conv

import "assay/kernels/gemm/tile"

// Done hears from a run how many elements of its output, from the first on, are final: neither read nor written again. The
// numbers ascend; the last elements need not be told. What hears it works on elements that are still in the cache, and may
// change them. nil hears nothing.
type Done func(elements int)

// stripeBytes is about how much output becomes final at a time where that costs nothing: with what it is made of and what
// is added to it, it stays in a second-level cache beside the weights.
const stripeBytes = 128 << 10

// wholeTiles is a number of rows that makes whole tiles, or nearly so, in all kernels.
const wholeTiles = 126

// besides is how many bytes of packed weights stay in a second-level cache beside stripes.
const besides = 256 << 10

// inStripes bounds bands that cost no copy; elements have size bytes. It is for weights that stay in the cache: others
// would have to be fetched again for each stripe.
func (p *plan) inStripes(size int) {
	row := max(1, p.g.OC*size)
	if p.shape == flat {
		p.band = max(1, stripeBytes/row/wholeTiles) * wholeTiles
	}
	if p.shape == lines && !p.copies {
		p.band = min(p.band, max(1, stripeBytes/(row*max(1, p.ow))/2)*2) // two narrow lines make a tile
	}
}

// flatStripes calls f with the rows of a flat plan from row r on: all of them, or so many at a time.
func (p *plan) flatStripes(segs []int, done Done, f func(r int, w tile.Walk)) {
	all := p.g.Batch * p.oh * p.ow
	step := all
	if p.band > 0 {
		step = p.band
	}
	for r := 0; r < all; r += step {
		n := min(step, all-r)
		f(r, tile.Line(r*p.g.C, p.g.C, n, segs, p.len))
		done.elements((r + n) * p.g.OC)
	}
}

// lines tells that y lines of picture n are final.
func (d Done) lines(p *plan, n, y int) { d.elements((n*p.oh + y) * p.ow * p.g.OC) }

func (d Done) elements(n int) {
	if d != nil {
		d(n)
	}
}
