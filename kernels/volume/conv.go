package volume

import (
	"fmt"

	"assay/kernels/gemm"
	"assay/kernels/numeric"
)

// rows is how many windows are gathered before they are multiplied.
const rows = 32

// Conv is a packed float convolution of any number of spatial axes. It is read-only and safe for concurrent use, each use with
// its own scratch.
type Conv struct {
	group, oc, cg, taps int
	packed              []*gemm.F32
}

// PackConv packs weights [oc][c/group][kernel...] of taps elements under the window, and bias [oc], nil for +0. Both are copied. It
// refuses lengths that do not fit.
func PackConv(weight, bias []float32, oc, c, group, taps int) (*Conv, error) {
	if group < 1 || oc < group || c < group || oc%group != 0 || c%group != 0 || taps < 1 || len(weight) != oc*(c/group)*taps || bias != nil && len(bias) != oc {
		return nil, fmt.Errorf("%d weights and %d biases do not fit %d channels in %d groups to %d", len(weight), len(bias), c, group, oc)
	}
	p := &Conv{group: group, oc: oc, cg: c / group, taps: taps}
	og := oc / group
	b := make([]float32, taps*p.cg*og)
	for q := range group {
		for n := range og {
			for k := range taps * p.cg {
				b[k*og+n] = weight[((q*og+n)*p.cg+k%p.cg)*taps+k/p.cg]
			}
		}
		var part []float32
		if bias != nil {
			part = bias[q*og : (q+1)*og]
		}
		p.packed = append(p.packed, gemm.PackF32(b, taps*p.cg, og, false, part))
	}
	return p, nil
}

// Bytes is the size of the packed weights, padding included and biases not.
func (p *Conv) Bytes() int {
	n := 0
	for _, b := range p.packed {
		n += b.Bytes()
	}
	return n
}

// Scratch is the number of float32 that Run and Deform want. Their content does not matter.
func (p *Conv) Scratch() int { return rows * p.taps * p.cg }

// Run convolves src into dst [Batch][out...][oc]. w.C is the number of channels packed for and w.Kernel has as many taps. NaN is
// stored as 0x7fc00000.
func (p *Conv) Run(dst, src []float32, w *Window, act numeric.Clamp, scratch []float32) {
	p.gathered(dst, w, act, scratch, func(row []float32, n, o, first int) {
		in := src[n*w.pixels*w.C:]
		w.each(o, func(tap, at int, _ bool) {
			to := row[tap*p.cg : (tap+1)*p.cg]
			if at < 0 {
				clear(to)
				return
			}
			copy(to, in[at*w.C+first:])
		})
	})
}

// gathered fills rows by fill(row, sample, output, first channel) and multiplies them, group by group.
func (p *Conv) gathered(dst []float32, w *Window, act numeric.Clamp, scratch []float32, fill func(row []float32, n, o, first int)) {
	k, og := p.taps*p.cg, p.oc/p.group
	for n := range w.Batch {
		for o := 0; o < w.outs; o += rows {
			m := min(rows, w.outs-o)
			for q, b := range p.packed {
				for i := range m {
					fill(scratch[i*k:(i+1)*k], n, o+i, q*p.cg)
				}
				b.Run(dst[(n*w.outs+o)*p.oc+q*og:], p.oc, scratch, k, m, act)
			}
		}
	}
}
