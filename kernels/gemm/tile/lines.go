package tile

import "assay/kernels/tier"

// Lines repeats a Walk: N times, Src elements apart in the source, with results Dst elements apart. Lines of results do not
// overlap.
type Lines struct{ N, Src, Dst int }

// fewTiles is the number of tiles in a line up to which calls go down the lines instead of along one: below it, a call
// costs much beside its work.
const fewTiles = 16

// short says that calls for tiles of k go down the lines.
func (l Lines) short(k *Kernel, w Walk) bool {
	return k.Tier != tier.Plain && l.N > 1 && w.M <= fewTiles*k.Rows && (w.straight() || w.M <= k.Rows)
}

// down cuts the line w into tiles of about equal width and calls f for each of them, in all lines before the next: with
// its Walk in the first of some lines, how many these are, and where its results begin behind those of the first line.
// steps is what one row takes in one panel, along k, times the panels.
func (l Lines) down(k *Kernel, w Walk, steps, ld int, f func(part Walk, lines, at int)) {
	tiles, size, big := Balance(w.M, k.Rows)
	row := 0
	for t := range tiles {
		rows := size
		if t < big {
			rows++
		}
		part := w
		if rows < w.M {
			part = w.part(row, rows)
		}
		some := max(1, k.Work/(max(1, steps)*rows))
		for done := 0; done < l.N; done += some {
			f(part, min(some, l.N-done), row*ld+done*l.Dst)
			part.Base += some * l.Src
		}
		row += rows
	}
}

// RunLines is Run for each of some lines.
func (p *F32) RunLines(o OutF32, src []float32, w Walk, l Lines, first, last int) {
	if w.M == 0 || first >= last {
		return
	}
	k := pick("f32")
	if !l.short(k, w) || w.depth() > maxDepth {
		for i := range l.N {
			p.Run(o.From(i*l.Dst), src, w, first, last)
			w.Base += l.Src
		}
		return
	}
	c := callF32{src: src, p: p, k0: w.row(), depth: w.depth(), begin: true, end: true, srcTile: l.Src, dstTile: l.Dst}
	for _, s := range shares(k, w.straight() && p.Bytes() <= resident, first, last) {
		if s.first == s.last {
			continue
		}
		c.first, c.last = s.first, s.last
		l.down(s.k, w, c.depth*(s.last-s.first), o.Ld, func(part Walk, lines, at int) {
			c.w, c.o, c.tiles, c.size = part, o.From(at), lines, part.M
			s.k.f32(&c)
		})
	}
}

// RunLines is Run for each of some lines. o has no Add.
func (p *I8) RunLines(o Out, src []uint8, w Walk, l Lines, zero uint8, first, last int) {
	if w.M == 0 || first >= last {
		return
	}
	k := o.pick()
	if k.Tier == tier.AMX && !p.tiled(w) {
		k = fallback("u8s8", k)
	}
	c := callI8{src: src, w: w, p: p, zero: int32(zero), srcTile: l.Src, dstTile: l.Dst}
	end := w
	end.Base += (l.N - 1) * l.Src
	if !l.short(k, w) || c.safe(end) < w.M || p.widened(k, w, first, last) {
		for i := range l.N {
			p.Run(o.From(i*l.Dst, 0), src, w, zero, first, last)
			w.Base += l.Src
		}
		return
	}
	all := [3]share{{k, first, last}}
	if k.Tier != tier.AMX {
		all = shares(k, w.straight() && p.Bytes() <= resident, first, last)
	}
	for _, s := range all {
		if s.first == s.last {
			continue
		}
		c.first, c.last = s.first, s.last
		l.down(s.k, w, p.depth()*(s.last-s.first), o.Ld, func(part Walk, lines, at int) {
			c.w, c.o, c.tiles, c.size = part, o.From(at, 0), lines, part.M
			s.k.i8(&c)
		})
	}
}
