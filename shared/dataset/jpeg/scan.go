package jpeg

import (
	"errors"
	"fmt"
)

// scan is one parsed SOS segment: components and, for progressive files, the band of coefficients [from, to] with their
// bit positions: high is the position already coded (0: none), low the one coded now. from and to are Ss and Se, high
// and low Ah and Al of T.81 B.2.3.
type scan struct {
	comps     []*component
	from, to  int
	high, low uint
	eobRun    int32
	decode    func(*bits, *component, *[64]int16) error // nil in a sequential file
}

var (
	errShort = errors.New("truncated: the coded data ends early")
	errBlock = errors.New("corrupt: a coefficient behind the end of its block")
)

// newScan reads the payload of a scan header and binds the tables that are in force now: tables that come later do not count
// for it.
func (d *decoder) newScan(p []byte) (*scan, error) {
	f := d.frame
	if len(p) < 1 || len(p) != 4+2*int(p[0]) || p[0] < 1 || int(p[0]) > len(f.comps) {
		return nil, errors.New("corrupt: a scan header of wrong length")
	}
	s := &scan{}
	for i := range int(p[0]) {
		c := f.find(p[1+2*i])
		if c == nil {
			return nil, errors.New("corrupt: a scan of a component that the frame has not")
		}
		for _, o := range s.comps {
			if o == c {
				return nil, errors.New("corrupt: a component twice in one scan")
			}
		}
		dc, ac := p[2+2*i]>>4, p[2+2*i]&15
		if dc > 3 || ac > 3 {
			return nil, errors.New("corrupt: a Huffman table number above 3")
		}
		c.dcTable, c.acTable = d.dc[dc], d.ac[ac]
		if c.quantizer == nil {
			if c.quantizer = d.quantizers[c.q]; c.quantizer == nil {
				return nil, fmt.Errorf("corrupt: quantization table %d is missing", c.q)
			}
		}
		s.comps = append(s.comps, c)
	}
	end := p[len(p)-3:]
	s.from, s.to, s.high, s.low = int(end[0]), int(end[1]), uint(end[2]>>4), uint(end[2]&15)
	return s, s.choose(f.progressive)
}

// choose picks the block decoder and checks that the tables it needs exist. For progressive files T.81 G.1.1.1 demands:
// DC and AC in scans of their own, AC scans of one component, bits one by one (Ah = Al + 1). known keeps what has come,
// so a refinement without its first scan is found.
func (s *scan) choose(progressive bool) error {
	needDC, needAC := true, true
	switch {
	case !progressive:
		for _, c := range s.comps {
			if c.scanned {
				return errors.New("corrupt: a component in two scans of a sequential file")
			}
		}
	case s.to > 63 || s.from > s.to || s.low > 13 || s.high != 0 && s.high != s.low+1 || (s.from == 0) != (s.to == 0) || s.from > 0 && len(s.comps) > 1:
		return errors.New("corrupt: impossible progression in a scan header")
	case s.from == 0 && s.high == 0:
		s.decode, needAC = s.dcFirst, false
	case s.from == 0:
		s.decode, needDC, needAC = s.dcRefine, false, false
	case s.high == 0:
		s.decode, needDC = s.acFirst, false
	default:
		s.decode, needDC = s.acRefine, false
	}
	for _, c := range s.comps {
		if needDC && c.dcTable == nil || needAC && c.acTable == nil {
			return errors.New("corrupt: a scan names a Huffman table that is missing")
		}
		c.scanned = c.scanned || needDC
		for k := s.from; progressive && k <= s.to; k++ {
			if at := uint(c.known[k]); s.high == 0 && at != 0 || s.high > 0 && at != s.high+1 {
				return errors.New("corrupt: a scan refines what is not there, or brings again what is; a scan may be missing")
			}
			c.known[k] = int8(s.low + 1)
		}
	}
	return nil
}

// run decodes the scan's data at d.pos and leaves d.pos at the marker behind it. A scan of one component codes only the
// blocks that hold samples, in rows; others code whole units (T.81 A.2.2, A.2.3). Restart markers count modulo 8
// (B.1.1.3).
func (d *decoder) run(s *scan) error {
	b := &bits{src: d.src, pos: d.pos}
	f := d.frame
	across, down := f.mcuX, f.mcuY
	single := len(s.comps) == 1
	if single {
		across, down = s.comps[0].wide, s.comps[0].high
	}
	left, next := d.interval, byte(0xd0)
	s.reset()
	for y := range down {
		for x := range across {
			if d.interval > 0 && left == 0 {
				b.restart()
				if b.pos+1 >= len(b.src) || b.src[b.pos+1] != next {
					return errors.New("truncated or corrupt: a restart marker is missing")
				}
				b.pos += 2
				left, next = d.interval, 0xd0|(next+1)&7
				s.reset()
			}
			left--
			if err := s.unit(b, x, y, single); err != nil {
				return err
			}
			if b.over() {
				return errShort
			}
		}
	}
	b.restart()
	d.pos = b.pos
	return nil
}

// reset is what a restart marker does: predictions begin at 0 and no end-of-band run goes on (T.81 F.2.1.3.1, G.2.2).
func (s *scan) reset() {
	s.eobRun = 0
	for _, c := range s.comps {
		c.dc = 0
	}
}

// unit decodes one MCU: all blocks of all components at (x, y), or one block of the only component. Within a unit
// blocks go by component, then by rows of h x v.
func (s *scan) unit(b *bits, x, y int, single bool) error {
	for _, c := range s.comps {
		h, v := c.h, c.v
		if single {
			h, v = 1, 1
		}
		for j := range v {
			for i := range h {
				if err := s.block(b, c, x*h+i, y*v+j); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// block decodes the block in column x and row y of c: into pixels at once in a sequential file, into the coefficients kept for
// further scans in a progressive one.
func (s *scan) block(b *bits, c *component, x, y int) error {
	if c.coefficients != nil {
		return s.decode(b, c, &c.coefficients[y*c.across+x])
	}
	var block [64]int16
	last, err := sequential(b, c, &block)
	if err != nil {
		return err
	}
	idct(c.plane.pix[(y*c.plane.stride+x)*8:], c.plane.stride, &block, c.quantizer, last)
	return nil
}

// dcDelta reads the difference to the previous block's DC and returns the new value. A size of 11 is the largest in
// baseline, 15 guards the shift.
func dcDelta(b *bits, c *component) (int32, error) {
	n := b.symbol(c.dcTable)
	if n < 0 || n > 15 {
		return 0, errCode
	}
	c.dc += b.receive(uint(n))
	return c.dc, nil
}

// sequential reads a whole block of a baseline or extended sequential scan (T.81 F.2.2): the DC difference, then runs of zeros
// and values in zigzag order up to the end-of-block code. 0xf0 (ZRL) stands for 16 zeros, any other size of 0 ends the
// block. last is the place of the last value.
func sequential(b *bits, c *component, block *[64]int16) (last int, err error) {
	dc, err := dcDelta(b, c)
	if err != nil {
		return 0, err
	}
	block[0] = int16(dc)
	for k := 1; k < 64; k++ {
		if run, value, ok := b.short(c.acTable); ok {
			if k += run; k > 63 {
				return 0, errBlock
			}
			block[zigzag[k]], last = value, k
			continue
		}
		sym := b.symbol(c.acTable)
		if sym < 0 {
			return 0, errCode
		}
		run, size := sym>>4, uint(sym&15)
		if size == 0 {
			if run != 15 {
				return last, nil
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return 0, errBlock
		}
		block[zigzag[k]], last = int16(b.receive(size)), k
	}
	return last, nil
}
