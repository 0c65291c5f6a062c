package volume

import (
	"fmt"

	"assay/kernels/gemm"
	"assay/kernels/numeric"
)

// ConvI8 is a packed convolution of unsigned activations with signed weights over any number of spatial axes. Signed
// activations are unsigned ones with the sign bit of data and zero point flipped. It is read-only and safe for concurrent use, each
// use with its own scratch.
type ConvI8 struct {
	group, oc, cg, taps int
	packed              []*gemm.I8
}

// PackConvI8 packs weights [oc][c/group][kernel...] of taps elements under the window, bias [oc] (nil for 0) and zero points
// of weights: oc of them, 1 or none (0). All are copied. It refuses lengths that do not fit.
func PackConvI8(weight []int8, bias []int32, zeros []int8, oc, c, group, taps int) (*ConvI8, error) {
	if group < 1 || oc < group || c < group || oc%group != 0 || c%group != 0 || taps < 1 || len(weight) != oc*(c/group)*taps ||
		bias != nil && len(bias) != oc || len(zeros) > 1 && len(zeros) != oc {
		return nil, fmt.Errorf("%d weights, %d biases and %d zero points do not fit %d channels in %d groups to %d", len(weight), len(bias), len(zeros), c, group, oc)
	}
	p := &ConvI8{group: group, oc: oc, cg: c / group, taps: taps}
	og := oc / group
	b := make([]int8, og*taps*p.cg)
	for q := range group {
		for n := range og {
			for k := range taps * p.cg {
				b[n*taps*p.cg+k] = weight[((q*og+n)*p.cg+k%p.cg)*taps+k/p.cg]
			}
		}
		p.packed = append(p.packed, gemm.PackI8(b, taps*p.cg, og, true, part(bias, q*og, og), part(zeros, q*og, og)))
	}
	return p, nil
}

// part is n elements of v from i on, or all of v when that is one or none.
func part[T any](v []T, i, n int) []T {
	if len(v) <= 1 {
		return v
	}
	return v[i : i+n]
}

// Bytes is the size of the packed weights, padding included, biases and sums not.
func (p *ConvI8) Bytes() int {
	n := 0
	for _, b := range p.packed {
		n += b.Bytes()
	}
	return n
}

// Scratch is the number of bytes that Run wants. Their content does not matter.
func (p *ConvI8) Scratch() int { return rows * p.taps * p.cg }

// Run convolves src with zero point xZero into dst [Batch][out...][oc]; padding counts as xZero. rq.Mult has one element or oc.
// w.C is the number of channels packed for and w.Kernel has as many taps.
func (p *ConvI8) Run(dst, src []uint8, w *Window, xZero uint8, rq numeric.Requant, scratch []uint8) {
	k, og := p.taps*p.cg, p.oc/p.group
	for n := range w.Batch {
		in := src[n*w.pixels*w.C:]
		for o := 0; o < w.outs; o += rows {
			m := min(rows, w.outs-o)
			for q, b := range p.packed {
				for i := range m {
					p.gather(scratch[i*k:(i+1)*k], in, w, o+i, q*p.cg, xZero)
				}
				group := rq
				group.Mult = part(rq.Mult, q*og, og)
				b.Run(dst[(n*w.outs+o)*p.oc+q*og:], p.oc, scratch, k, m, xZero, group)
			}
		}
	}
}

// gather copies the channels from first on that lie under the window of output o.
func (p *ConvI8) gather(row, in []uint8, w *Window, o, first int, xZero uint8) {
	w.each(o, func(tap, at int, _ bool) {
		to := row[tap*p.cg : (tap+1)*p.cg]
		if at < 0 {
			for i := range to {
				to[i] = xZero
			}
			return
		}
		copy(to, in[at*w.C+first:])
	})
}
