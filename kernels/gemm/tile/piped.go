package tile

import "assay/kernels/tier"

// A piped tile makes its results while the next one is multiplied, which pays where rows are short: results are a large part of the work
// then. Its sums have two sets of registers, so that tiles are low and weights have to come from a cache near by: rows pass by a
// group of panels before the next group.

const (
	// pipedRows is a multiple of the rows of piped tiles: 3 of 64 columns, 6 of 32.
	pipedRows = 6
	// pipedBytes is how many bytes of rows pass by a group of panels: a quarter of the second-level cache.
	pipedBytes = 256 << 10
	// leastPiped is the number of rows from which on a call is worth the results of its last tile, which nothing hides.
	leastPiped = 96
	// minPiped and maxPiped bound the groups of four in a row: results are spread over eight steps, and above 64, where weights
	// leave the first-level cache, columns that are left for other tiles cost more than is gained.
	minPiped, midPiped, maxPiped = 8, 64, 128
)

// piped says that piped tiles run most of the call.
func (p *I8) piped(k *Kernel, o *Out, w Walk, first, last int) bool {
	cols := min(p.N, last*Panel) - first*Panel
	return k.Tier == tier.AVX512VNNI && o.U8 != nil && o.Add == nil && w.straight() && p.segs*p.parts == 1 && w.Whole == 0 &&
		p.Slack() == 0 && w.M >= leastPiped && cols >= 2*Panel &&
		p.groups >= minPiped && (p.groups <= midPiped || p.groups <= maxPiped && cols%(2*Panel) == 0)
}

// runPiped runs a call on piped tiles, the rows and columns that are left on others.
func (p *I8) runPiped(k *Kernel, o Out, src []uint8, w Walk, zero uint8, first, last int) {
	rows := w.M / pipedRows * pipedRows
	chunk := pipedBytes / w.Len / pipedRows * pipedRows
	for r := 0; r < rows; r += chunk {
		o, w := o.From(r*o.Ld, 0), w.rows(r, min(chunk, rows-r))
		q := first
		for whole := min(last, p.N/Panel); whole-q > 1; {
			wide := 2
			if whole-q > 3 {
				wide = 4
			}
			p.pipedTiles(o, src, w, zero, q, wide)
			q += wide
		}
		if q < last {
			p.runPieces(k, o, src, w, zero, q, last)
		}
	}
	if rows < w.M {
		p.runShares(k, o.From(rows*o.Ld, 0), src, w.rows(rows, w.M-rows), zero, first, last)
	}
}
