package jpeg

// plane is one component: w x h samples that belong to the picture, in rows of stride bytes. Samples beyond them are
// padding of the coder and are never read. scaleX and scaleY are 1 to 4.
type plane struct {
	pix            []byte
	stride, w, h   int
	scaleX, scaleY int // picture pixels per sample
}

// row clamps y to the picture, so borders repeat.
func (p plane) row(y int) []byte {
	y = min(max(y, 0), p.h-1)
	return p.pix[y*p.stride : y*p.stride+p.w]
}

// line writes row y of the picture, len(dst) samples wide, up-sampled. sums is scratch of p.w elements.
//
// Ratios 2:1 and 2:2 of planes wider than two samples, and 1:2, are triangle filters: three quarters of the nearer sample
// and one quarter of the further one, rounded up and down alternately; others repeat samples. With near n and far f
// samples: 2:1 is (3n + f + 1)>>2 for left and (3n + f + 2)>>2 for right pixels; 2:2 blends rows first and is (3N + F +
// 8)>>4 and (3N + F + 7)>>4 of the sums; 1:2 is (3n + f + 1)>>2 in even and +2 in odd rows.
func (p plane) line(dst []byte, y int, sums []int32) {
	wide := p.w > 2
	switch {
	case p.scaleX == 1 && p.scaleY == 1:
		copy(dst, p.row(y))
	case p.scaleX == 2 && p.scaleY == 1 && wide:
		for i, v := range p.row(y) {
			sums[i] = int32(v)
		}
		widen(dst, sums[:p.w], 1, 2, 2)
	case p.scaleX == 2 && p.scaleY == 2 && wide:
		p.blend(y, sums)
		widen(dst, sums[:p.w], 8, 7, 4)
	case p.scaleX == 1 && p.scaleY == 2:
		p.blend(y, sums)
		for x := range dst {
			dst[x] = byte((sums[x] + 1 + int32(y&1)) >> 2)
		}
	default:
		row := p.row(y / p.scaleY)
		for x := range dst {
			dst[x] = row[x/p.scaleX]
		}
	}
}

// blend sets sums to 3 x the sample row of picture row y plus the row next to it on y's side. Sums are up to 4*255.
func (p plane) blend(y int, sums []int32) {
	near, far := y/2, y/2-1
	if y&1 == 1 {
		far = y/2 + 1
	}
	further := p.row(far)
	for i, v := range p.row(near) {
		sums[i] = 3*int32(v) + int32(further[i])
	}
}

// widen doubles a row: the left pixel of a pair adds left before the shift, the right one right. The outermost pixels
// have no neighbour and are the sample itself.
func widen(dst []byte, s []int32, left, right int32, shift uint) {
	last := len(s) - 1
	for i, v := range s {
		prev, next := s[max(i-1, 0)], s[min(i+1, last)]
		dst[2*i] = byte((3*v + prev + left) >> shift)
		if 2*i+1 < len(dst) {
			dst[2*i+1] = byte((3*v + next + right) >> shift)
		}
	}
}
