package op

import (
	"math"

	"assay/kernels/conv"
	"assay/kernels/numeric"
	"assay/kernels/volume"
	"assay/shared/tensor"
)

// phase is one of the convolutions that a ConvTranspose of images falls apart into: outputs whose place has one part by
// the stride along each axis meet the same taps of the turned kernel, and between them only the zeros that Spread puts in. It is
// a convolution of stride 1 over the data itself.
type phase struct {
	g      conv.Geometry
	taps   []int  // of the turned kernel, row-major, that meet data
	at     [2]int // the first output along each axis
	count  [2]int // outputs along each axis, a stride apart
	skip   [2]int // positions of g's output before the first of them
	packed *conv.F32
}

// phases are the convolutions of t, nil where the one over spread data has to stand: volumes, dilations, kernels shorter than the
// stride, and numbers for which a product with a zero is no zero that changes nothing.
//
// Leaving those products out is right to the bit but for one case. A sum that is not 0 stays as it is when 0*w is added; +0 stays
// too; -0 becomes +0 unless 0*w is -0. So the chains differ at most in the sign of a zero, the short one being -0: phased.run
// computes such outputs anew over all taps. A sum is -0 only where a product vanishes below the least float32, or where the
// bias is -0.
func (t *transposition) phases(weight, bias []float32) []phase {
	if len(t.in) > 2 || tensor.Count(t.stride) == 1 || tensor.Count(t.dilation) != 1 {
		return nil
	}
	for _, v := range weight {
		if !(math.Abs(float64(v)) <= math.MaxFloat32) {
			return nil
		}
	}
	for _, v := range bias {
		if v == 0 && math.Signbit(float64(v)) {
			return nil
		}
	}
	along := make([][]part, len(t.in))
	for i := range t.in {
		if t.kernel[i] < t.stride[i] {
			return nil
		}
		along[i] = t.parts(i)
	}
	if len(along) == 1 { // a picture of one line
		along = [][]part{{{count: 1, taps: []int{0}, size: 1}}, along[0]}
	}
	var out []phase
	columns := t.kernel[len(t.kernel)-1]
	for _, y := range along[0] {
		for _, x := range along[1] {
			p := phase{at: [2]int{y.first, x.first}, count: [2]int{y.count, x.count}, skip: [2]int{y.skip, x.skip}}
			for _, r := range y.taps {
				for _, c := range x.taps {
					p.taps = append(p.taps, r*columns+c)
				}
			}
			p.g = conv.Geometry{
				Batch: 1, H: y.size, W: x.size, KH: len(y.taps), KW: len(x.taps), StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
				PadTop: y.before, PadBottom: y.after, PadLeft: x.before, PadRight: x.after,
			}
			out = append(out, p)
		}
	}
	return out
}

// part is a phase along one axis of size elements: count outputs from first on, the turned taps that they meet, and how the
// convolution over the data is padded so that its outputs from skip on are they.
type part struct {
	first, count, size  int
	taps                []int
	before, after, skip int
}

// parts are the phases along axis i. Output q reads stuffed positions q + j, where the data is at first + p*stride; so tap
// j of the phase q = s*n + r meets data where r + j - first is a multiple of s, element n + (r + j - first)/s.
func (t *transposition) parts(i int) []part {
	s, k, first := t.stride[i], t.kernel[i], t.extent(i)-1-t.before[i]
	var out []part
	for r := range min(s, t.out[i]) {
		p := part{first: r, count: (t.out[i] - r + s - 1) / s, size: t.in[i]}
		j := ((first-r)%s + s) % s
		offset := (r + j - first) / s // exact, of either sign
		for ; j < k; j += s {
			p.taps = append(p.taps, j)
		}
		p.before, p.skip = max(0, -offset), max(0, offset)
		p.after = max(0, p.count+p.skip+len(p.taps)-1-p.size-p.before)
		out = append(out, p)
	}
	return out
}

// phased runs a ConvTranspose as its phases.
type phased struct {
	t            *transposition
	list         []phase
	c, oc, group int
	turned, bias []float32 // of the convolution over spread data, for the rare sums that are -0
	w            window    // its geometry
	first        []int
}

// phased packs the phases of t, nil where there are none.
func (l *Lower) phased(t transposition, weight, bias *tensor.Tensor) (*phased, error) {
	c := l.In[0].Shape[1]
	p := &phased{t: &t, list: t.phases(weight.F32(), floatsOf(bias)), c: c, oc: t.oc, group: t.group, bias: floatsOf(bias)}
	if len(p.list) == 0 {
		return nil, nil
	}
	p.w, p.first = t.spread()
	all := tensor.Count(t.kernel)
	p.turned = volume.Turned(weight.F32(), c, t.oc, t.group, all)
	for i := range p.list {
		f := &p.list[i]
		f.g.C, f.g.OC, f.g.Group = c, t.oc, t.group
		if err := f.g.Check(); err != nil {
			return nil, err
		}
		var err error
		f.packed, err = pack(l.Packs, packKey(l.Packs, "convtranspose.phase", append([]int{t.group, i, f.g.H, f.g.W, f.g.KH, f.g.KW}, f.taps...), weight, bias), func() (*conv.F32, error) {
			sub := make([]float32, 0, len(p.turned)/all*len(f.taps))
			for at := 0; at < len(p.turned); at += all {
				for _, k := range f.taps {
					sub = append(sub, p.turned[at+k])
				}
			}
			return conv.PackF32(f.g, sub, p.bias)
		})
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// space is the scratch in bytes: the output of one phase and what its convolution takes.
func (p *phased) space() (out, total int) {
	rest := 0
	for i := range p.list {
		g := p.list[i].g
		out, rest = max(out, spaced(4*g.OutH()*g.OutW()*p.oc)), max(rest, p.list[i].packed.Scratch(g))
	}
	return out, out + rest
}

// run computes one sample channels-last.
func (p *phased) run(dst, data []float32, scratch []byte) {
	room, _ := p.space()
	lines, columns := 1, p.t.out[len(p.t.out)-1]
	stride := [2]int{1, p.t.stride[len(p.t.stride)-1]}
	if len(p.t.out) == 2 {
		lines, stride[0] = p.t.out[0], p.t.stride[0]
	}
	_ = dst[:lines*columns*p.oc]
	for i := range p.list {
		f := &p.list[i]
		tmp := view[float32](scratch[:room])[:f.g.OutH()*f.g.OutW()*p.oc]
		f.packed.Run(tmp, data, f.g, numeric.Clamp{}, scratch[room:])
		for y := range f.count[0] {
			from := tmp[((y+f.skip[0])*f.g.OutW()+f.skip[1])*p.oc:]
			line := f.at[0] + y*stride[0]
			for x := range f.count[1] {
				q := line*columns + f.at[1] + x*stride[1]
				to := dst[q*p.oc : (q+1)*p.oc]
				for o, v := range from[x*p.oc:][:p.oc] {
					if v == 0 && math.Float32bits(v) != 0 {
						v = p.whole(data, line, q-line*columns, o)
					}
					to[o] = v
				}
			}
		}
	}
}

// whole is channel o of the output at a line and a column as the convolution over spread data has it: one chain over all taps,
// with the zeros between.
func (p *phased) whole(data []float32, line, column, o int) float32 {
	w, cg := p.w, p.c/p.group
	at, kernel, first, in, stride := [2]int{0, column}, [2]int{1, w.kernel[len(w.kernel)-1]}, [2]int{0, p.first[len(p.first)-1]}, [2]int{1, p.t.in[len(p.t.in)-1]}, [2]int{1, p.t.stride[len(p.t.stride)-1]}
	if len(w.kernel) == 2 {
		at[0], kernel[0], first[0], in[0], stride[0] = line, w.kernel[0], p.first[0], p.t.in[0], p.t.stride[0]
	}
	sum := float32(0)
	if p.bias != nil {
		sum = p.bias[o]
	}
	channel := o / (p.oc / p.group) * cg
	for ky := range kernel[0] {
		for kx := range kernel[1] {
			y, x := at[0]+ky-first[0], at[1]+kx-first[1]
			inside := y%stride[0] == 0 && x%stride[1] == 0 && y >= 0 && x >= 0 && y/stride[0] < in[0] && x/stride[1] < in[1]
			for c := range cg {
				v := float32(0)
				if inside {
					v = data[(y/stride[0]*in[1]+x/stride[1])*p.c+channel+c]
				}
				sum = numeric.FMA32(v, p.turned[(o*cg+c)*kernel[0]*kernel[1]+ky*kernel[1]+kx], sum)
			}
		}
	}
	return numeric.Canon(sum)
}
