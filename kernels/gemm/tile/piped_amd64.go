//go:build !noasm

package tile

import "unsafe"

// pipedBlock is the argument c of piped tiles, in the order of the generator's constants (pipedPerm and on in kernels/gen).
type pipedBlock struct {
	order       [16]int32
	zero, limit [32]int16
	xZero       [16]int32 // the first one is read
	mult        [4 * Panel]float32
	_           [4 * Panel]int32 // the kernel's: sums to begin with
}

// pipedTiles runs wide panels from panel q on, which have all their columns, for all rows of w: whole tiles.
func (p *I8) pipedTiles(o Out, src []uint8, w Walk, zero uint8, q, wide int) {
	at, cols := q*Panel, wide*Panel
	check(o.U8, (w.M-1)*o.Ld+at+cols-1, src, w, w.at(w.M-1), 0)
	var room [unsafe.Sizeof(pipedBlock{}) + Align]byte
	c := (*pipedBlock)(unsafe.Pointer(&room[-int(uintptr(unsafe.Pointer(&room)))&(Align-1)]))
	c.order = byteOrder
	for i := range c.zero {
		c.zero[i], c.limit[i] = int16(o.Rq.Zero), int16(1<<15-1-o.Rq.Zero)
	}
	c.xZero[0] = int32(zero)
	if m := o.Rq.Mult; len(m) > 1 {
		copy(c.mult[:cols], m[at:at+cols])
	} else {
		for i := range c.mult {
			c.mult[i] = m[0]
		}
	}
	dst, a, b, panel := &o.U8[at], &src[w.Base+w.Segs[0]], &p.panel[at*p.depth()*quad], Panel*quad*p.depth()
	if wide == 4 {
		i8Piped3x64(dst, o.Ld, a, w.Row, p.groups, b, panel, &p.bias[at], &p.sum[at], &c.order[0], w.M/3)
	} else {
		i8Piped6x32(dst, o.Ld, a, w.Row, p.groups, b, panel, &p.bias[at], &p.sum[at], &c.order[0], w.M/6)
	}
}
