package tile

const (
	// leastRows and leastGroups are below what a kernel on tile registers is worth: setting them up takes as long as
	// some multiplications by vectors.
	leastRows   = 8
	leastGroups = 8
	// tileGroups is the number of groups of four in a row of a tile.
	tileGroups = 16
)

// runTiles runs the call on tile registers, or returns false if it is none for them: few rows, a short depth. Rows whose
// last group of four would be read past the end of src run on the kernel below.
func (p *I8) runTiles(k *Kernel, o Out, src []uint8, w Walk, zero uint8, first, last int) bool {
	if !p.tiled(w) {
		return false
	}
	c := callI8{o: o, src: src, w: w, p: p, zero: int32(zero), first: first, last: last}
	safe := c.safe(w)
	if safe < w.M {
		if !w.straight() || safe < leastRows {
			return false
		}
		c.w = w.part(0, safe)
	}
	c.rows(k)
	if safe == w.M {
		return true
	}
	rest := callI8{o: o.From(safe*o.Ld, safe), src: src, w: w.part(safe, w.M-safe), p: p, zero: int32(zero), first: first, last: last}
	rest.rows(fallback("u8s8", k))
	return true
}

// tiled says that rows of w are worth tile registers, and for them: their kernel takes segments as a whole.
func (p *I8) tiled(w Walk) bool {
	return w.M >= leastRows && p.groups >= leastGroups && w.Whole == 0 && (w.straight() || w.M == 2*half)
}

// from is s from element i on, nil for nil.
func from[T uint8 | int32 | float32](s []T, i int) []T {
	if s == nil {
		return nil
	}
	return s[i:]
}

// Config describes the eight tile registers as LDTILECFG takes it (Intel's manual, volume 1): palette 1, then bytes of a row (at
// 16, two bytes each) and rows (at 48).
type Config [64]byte

// NewConfig gives registers 0 to 3 sums of that many rows, 1 to 16, 4 and 5 rows and weights of a whole chunk, 6 and 7 those
// of rest groups of four, 0 to 15; with none, they are not configured and not to be used.
func NewConfig(rows, rest int) (t Config) {
	t[0] = 1
	set := func(i, rows, bytes int) { t[16+2*i], t[48+i] = byte(bytes), byte(rows) }
	for i := range 4 {
		set(i, rows, 4*Panel)
	}
	set(4, rows, quad*tileGroups)
	set(5, tileGroups, 4*Panel)
	if rest > 0 {
		set(6, rows, quad*rest)
		set(7, rest, 4*Panel)
	}
	return t
}
