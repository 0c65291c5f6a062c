package jpeg

// The four kinds of scans of progressive files: T.81, annex G. s.eobRun counts the blocks whose band is over already.

// dcFirst reads the DC difference of a block, shifted by the bits that later scans bring (T.81 G.1.2.1). s.low is Al of
// the scan header.
func (s *scan) dcFirst(b *bits, c *component, block *[64]int16) error {
	dc, err := dcDelta(b, c)
	block[0] = int16(dc << s.low)
	return err
}

// dcRefine reads one more bit of the DC value, uncoded. Behind the end of the data it is 0; run sees that after the block.
func (s *scan) dcRefine(b *bits, _ *component, block *[64]int16) error {
	block[0] |= int16(b.get(1) << s.low)
	return nil
}

// acFirst reads the band [from, to] of a block for the first time (T.81 G.1.2.2): runs of zeros and values, or the number of
// blocks, this one included, that are over. EOBn codes: 2^run plus run more bits of blocks.
func (s *scan) acFirst(b *bits, c *component, block *[64]int16) error {
	if s.eobRun > 0 {
		s.eobRun--
		return nil
	}
	for k := s.from; k <= s.to; k++ {
		sym := b.symbol(c.acTable)
		if sym < 0 {
			return errCode
		}
		run, size := sym>>4, uint(sym&15)
		switch {
		case size > 0:
			if k += run; k > s.to {
				return errBlock
			}
			block[zigzag[k]] = int16(b.receive(size) << s.low)
		case run == 15:
			k += 15
		default:
			s.eobRun = 1<<run + b.get(uint(run)) - 1
			return nil
		}
	}
	return nil
}

// acRefine brings one more bit to the band [from, to] (T.81 G.1.2.3): a correction bit for each value that is not zero already,
// read while runs of zeros are counted, and new values of magnitude one unit. A coefficient becomes non-zero with
// magnitude 2^Al in the scan that first codes a bit of it, and takes one correction bit in each later one.
func (s *scan) acRefine(b *bits, c *component, block *[64]int16) error {
	k := s.from
	for ; s.eobRun == 0 && k <= s.to; k++ {
		sym := b.symbol(c.acTable)
		if sym < 0 {
			return errCode
		}
		run, value := sym>>4, int16(0)
		switch {
		case sym&15 > 1:
			return errCode
		case sym&15 == 1:
			value = -1 << s.low
			if b.get(1) == 1 {
				value = 1 << s.low
			}
		case run < 15:
			s.eobRun = 1<<run + b.get(uint(run))
		}
		if s.eobRun > 0 {
			break
		}
		if k = s.pass(b, block, k, run); value != 0 {
			if k > s.to {
				return errBlock
			}
			block[zigzag[k]] = value
		}
	}
	if s.eobRun > 0 {
		s.pass(b, block, k, 64)
		s.eobRun--
	}
	return nil
}

// pass reads a correction bit for every non-zero coefficient from k on, and returns the place of the zero behind zeros
// others, or to+1. A correction enlarges the magnitude by 2^Al whatever the sign. The bit may have been there already
// in damaged files; it is not added twice.
func (s *scan) pass(b *bits, block *[64]int16, k, zeros int) int {
	for ; k <= s.to; k++ {
		v := &block[zigzag[k]]
		switch {
		case *v == 0 && zeros == 0:
			return k
		case *v == 0:
			zeros--
		case b.get(1) == 0 || *v&(1<<s.low) != 0:
		case *v > 0:
			*v += 1 << s.low
		default:
			*v -= 1 << s.low
		}
	}
	return k
}
