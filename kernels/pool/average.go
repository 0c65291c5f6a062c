package pool

import "assay/kernels/numeric"

// AverageF32 writes sum / n of each window: the elements inside the image in row-major order as one numeric.Chain, n their
// number, or with includePad the number of window positions inside image and padding: those that only ceil_mode reaches, behind
// the padding, do not count. NaN is stored as 0x7fc00000.
func AverageF32(dst, src []float32, w Window, includePad bool) {
	w = w.normal()
	w.each(func(n int, v, h span, out int) {
		count := float32(w.count(out, v, h, includePad))
		first := src[min(w.tap(n, v, h, 0, 0), len(src)):]
		if fastMean(dst[out:out+w.C], first, w.C, v.hi-v.lo, h.hi-h.lo, w.rowStep(), w.colStep(), count) {
			return
		}
		for c := 0; c < w.C; c += block {
			var s sums
			k := min(block, w.C-c)
			for i := range v.hi - v.lo {
				for j := range h.hi - h.lo {
					at := w.tap(n, v, h, i, j) + c
					s.add(src[at : at+k])
				}
			}
			s.mean(dst[out+c:out+c+k], count)
		}
	})
}

// GlobalAverageF32 writes the mean over the pixels of each channel of each image, one numeric.Chain in row-major order.
// src is [batch][pixels][channels], dst is [batch][channels]. NaN, and the mean of no pixels, is stored as 0x7fc00000.
func GlobalAverageF32(dst, src []float32, batch, pixels, channels int) {
	for n := range batch {
		image := src[n*pixels*channels:][:pixels*channels]
		if fastMean(dst[n*channels:][:channels], image, channels, 1, pixels, 0, channels, float32(pixels)) {
			continue
		}
		for c := 0; c < channels; c += block {
			var s sums
			k := min(block, channels-c)
			for p := range pixels {
				s.add(image[p*channels+c:][:k])
			}
			s.mean(dst[n*channels+c:][:k], float32(pixels))
		}
	}
}

// sums is one numeric.Chain for each channel of a block. total and part are numeric.Chain's two levels: after
// numeric.Run additions part goes into total and restarts at +0.
type sums struct {
	total, part [block]float32
	n           int
}

// add adds the next element of each chain; x has at most block elements.
func (s *sums) add(x []float32) {
	for c, v := range x[:min(block, len(x))] {
		s.part[c] += v
	}
	if s.n++; s.n == numeric.Run {
		for c, v := range s.part {
			s.total[c] += v
		}
		s.part, s.n = [block]float32{}, 0
	}
}

// mean divides once and stores the canonical NaN.
func (s *sums) mean(dst []float32, n float32) {
	for c := range dst[:min(block, len(dst))] {
		dst[c] = numeric.Canon((s.total[c] + s.part[c]) / n)
	}
}
