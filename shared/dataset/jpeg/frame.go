package jpeg

import (
	"errors"
	"fmt"
)

// component is one component of the frame. Blocks are stored for whole MCUs: across x down of them. Invariants: across
// = mcuX*h >= wide, down = mcuY*v >= high; plane.stride = 8*across. Blocks beyond wide and high are the coder's padding
// (T.81 A.2.4), coded in interleaved scans only.
type component struct {
	id           byte
	h, v         int // sampling factors
	q            byte
	across, down int // blocks stored
	wide, high   int // blocks that hold samples of the picture; a scan of this component alone codes just these
	plane        plane
	coefficients [][64]int16 // progressive files only
	known        [64]int8    // of progressive files, by zigzag index: 0: no scan had the coefficient; n: bits from n-1 up are there
	quantizer    *[64]int32  // as it stood at the component's first scan
	dc           int32
	dcTable      *huffman
	acTable      *huffman
	scanned      bool
}

// frame is a parsed SOF segment. hMax and vMax are the largest sampling factors; a unit (MCU) covers 8*hMax x 8*vMax
// pixels (T.81 A.2.3), mcuX x mcuY of them the picture.
type frame struct {
	w, h        int
	progressive bool
	hMax, vMax  int
	mcuX, mcuY  int
	comps       []*component
}

// newFrame parses SOF0, SOF1 or SOF2. size is the length of the file: a block takes a bit at least, so a frame of more
// blocks than bits is a lie, found before anything is allocated. Bytes: precision, height (2), width (2), count, then
// per component identifier, factors h<<4|v, quantizer number (T.81 figure B.3).
func newFrame(p []byte, progressive bool, size int) (*frame, error) {
	if len(p) < 6 || len(p) != 6+3*int(p[5]) {
		return nil, errors.New("corrupt: a frame header of wrong length")
	}
	if p[0] != 8 {
		return nil, fmt.Errorf("%d bits a sample are not read, 8 are", p[0])
	}
	f := &frame{h: int(p[1])<<8 | int(p[2]), w: int(p[3])<<8 | int(p[4]), progressive: progressive}
	if f.w == 0 || f.h == 0 {
		return nil, fmt.Errorf("size %d x %d is not read", f.w, f.h)
	}
	if f.w*f.h > MaxPixels {
		return nil, fmt.Errorf("%d x %d pixels are more than %d", f.w, f.h, MaxPixels)
	}
	if n := int(p[5]); n != 1 && n != 3 && n != 4 {
		return nil, fmt.Errorf("%d components are not read; 1, 3 and 4 are", n)
	}
	for ; len(p) > 6; p = p[3:] {
		c := &component{id: p[6], h: int(p[7] >> 4), v: int(p[7] & 15), q: p[8]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.q > 3 || f.find(c.id) != nil {
			return nil, errors.New("corrupt: impossible component in the frame header")
		}
		f.hMax, f.vMax = max(f.hMax, c.h), max(f.vMax, c.v)
		f.comps = append(f.comps, c)
	}
	return f, f.layout(size)
}

// find is the component with that identifier, nil when the frame has none.
func (f *frame) find(id byte) *component {
	for _, c := range f.comps {
		if c.id == id {
			return c
		}
	}
	return nil
}

// layout places the blocks and allocates planes or coefficients. A component's size is ceil(size * factor / largest
// factor) (T.81 A.1.1). At most 10 blocks a unit are allowed (B.2.3).
func (f *frame) layout(size int) error {
	if len(f.comps) == 1 { // sampling factors of a single component mean nothing: T.81, A.2.2
		f.comps[0].h, f.comps[0].v, f.hMax, f.vMax = 1, 1, 1, 1
	}
	f.mcuX, f.mcuY = ceil(f.w, 8*f.hMax), ceil(f.h, 8*f.vMax)
	blocks, perMCU := 0, 0
	for _, c := range f.comps {
		if f.hMax%c.h != 0 || f.vMax%c.v != 0 {
			return fmt.Errorf("sampling %dx%d beside %dx%d is not read: no whole ratio", c.h, c.v, f.hMax, f.vMax)
		}
		c.across, c.down = f.mcuX*c.h, f.mcuY*c.v
		w, h := ceil(f.w*c.h, f.hMax), ceil(f.h*c.v, f.vMax)
		c.wide, c.high = ceil(w, 8), ceil(h, 8)
		c.plane = plane{stride: c.across * 8, w: w, h: h, scaleX: f.hMax / c.h, scaleY: f.vMax / c.v}
		blocks += c.wide * c.high
		perMCU += c.h * c.v
	}
	if perMCU > 4*len(f.comps) && perMCU > 10 {
		return fmt.Errorf("corrupt: %d blocks in a unit, at most 10 are allowed", perMCU)
	}
	if blocks > 8*size {
		return fmt.Errorf("truncated: %d x %d pixels cannot come from %d bytes", f.w, f.h, size)
	}
	for _, c := range f.comps {
		c.plane.pix = make([]byte, c.across*c.down*64)
		if f.progressive {
			c.coefficients = make([][64]int16, c.across*c.down)
		}
	}
	return nil
}

// missing names the first band of coefficients that no scan brought, or not to its last bit; "" when all are there. It
// presumes a progressive file.
func (c *component) missing() string {
	from := 0
	for from < 64 && c.known[from] == 1 {
		from++
	}
	if from == 64 {
		return ""
	}
	to := from
	for to < 63 && c.known[to+1] == c.known[from] {
		to++
	}
	if c.known[from] == 0 {
		return fmt.Sprintf("the scan with coefficients %d to %d", from, to)
	}
	return fmt.Sprintf("the scan with the last %d bits of coefficients %d to %d", c.known[from]-1, from, to)
}

// ceil is a/b rounded up, for positive numbers.
func ceil(a, b int) int { return (a + b - 1) / b }

// render turns collected coefficients into samples.
func (c *component) render() {
	for i := range c.coefficients {
		x, y := i%c.across, i/c.across
		idct(c.plane.pix[(y*c.plane.stride+x)*8:], c.plane.stride, &c.coefficients[i], c.quantizer, 63)
	}
	c.coefficients = nil
}

// pixels assembles the picture row by row.
func (f *frame) pixels(s space) []byte {
	channels := 3
	if s == grey {
		channels = 1
	}
	out := make([]byte, f.w*f.h*channels)
	var rows [4][]byte
	for i := range f.comps {
		rows[i] = make([]byte, f.w)
	}
	sums := make([]int32, f.w+1)
	for y := range f.h {
		for i, c := range f.comps {
			c.plane.line(rows[i], y, sums)
		}
		toRGB(out[y*f.w*channels:(y+1)*f.w*channels], s, rows)
	}
	return out
}
