package tile

import "assay/kernels/tier"

// Lines repeats a Walk: N times, Src elements apart in the source, with results Dst elements apart.
type Lines struct{ N, Src, Dst int }

// fewTiles is the number of tiles in a line up to which calls go down the lines instead of along one: below it, a call
// costs much beside its work.
const fewTiles = 4

// RunLines is Run for each of some lines.
func (p *F32) RunLines(o OutF32, src []float32, w Walk, l Lines, first, last int) {
	if w.M == 0 || first >= last {
		return
	}
	k := pick("f32")
	if k.Tier == tier.Plain || w.M > fewTiles*k.Rows || p.K > maxDepth || l.N == 1 || !w.straight() && w.M > k.Rows {
		for i := range l.N {
			p.Run(o.From(i*l.Dst), src, w, first, last)
			w.Base += l.Src
		}
		return
	}
	c := callF32{src: src, w: w, p: p, depth: p.K, begin: true, end: true, srcTile: l.Src, dstTile: l.Dst}
	for _, s := range shares(k, w.straight() && p.Bytes() <= resident, first, last) {
		if c.first, c.last = s.first, s.last; s.first < s.last {
			c.down(s.k, o, l.N)
		}
	}
}

// down cuts a line into tiles of about equal width and computes each in all n lines before the next.
func (c callF32) down(k *Kernel, o OutF32, n int) {
	all := c.w
	tiles, size, big := balance(all.M, k.Rows)
	at := 0
	for t := range tiles {
		if c.size = size; t < big {
			c.size++
		}
		if c.w = all; c.size < all.M {
			c.w = all.part(at, c.size)
		}
		step := max(1, k.Work/(c.depth*c.size*(c.last-c.first)))
		for done := 0; done < n; done += step {
			c.tiles = min(step, n-done)
			c.o = o.From(at*o.Ld + done*c.dstTile)
			k.f32(&c)
			c.w.Base += step * c.srcTile
		}
		at += c.size
	}
}
