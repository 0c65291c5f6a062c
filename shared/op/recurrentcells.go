package op

import (
	"assay/kernels/gemm"
	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// direction packs the weights of direction d and builds its cell. acts are the direction's activations in order. The
// gates in ONNX's order are: RNN [i]; GRU [z, r, h]; LSTM [i, o, f, c]. Both biases are added up front into the chain
// over the input; only GRU's candidate with linear_before_reset keeps the recurrence's bias apart, because r multiplies
// it. A GRU without that attribute multiplies r*H by R of the candidate in a product of its own, so back has only 2n
// columns there.
func (l *Lower) direction(r recurrent, d int, acts []func([]float32)) (w direction, err error) {
	var t [recP + 1]*tensor.Tensor
	for _, i := range []int{recW, recR, recB, recP} {
		if t[i], err = l.constant(i, []string{recW: "weights", recR: "recurrence weights", recB: "biases", recP: "peepholes"}[i]); err != nil {
			return w, err
		}
	}
	n, wide := r.hidden, r.gates*r.hidden
	over, back := tensor.New(tensor.Float32, wide), tensor.New(tensor.Float32, wide)
	apart := r.gates == 3 && l.Node.Int("linear_before_reset", 0) != 0
	if t[recB] != nil {
		b := t[recB].F32()[d*2*wide:]
		for i := range wide {
			over.F32()[i] = b[i] + b[wide+i]
			if apart && i >= 2*n { // the reset gate multiplies the recurrence's own bias
				over.F32()[i], back.F32()[i] = b[i], b[wide+i]
			}
		}
	}
	w = direction{index: d, reverse: r.reverse[d], wide: wide}
	if r.gates == 3 && !apart {
		w.wide = 2 * n
	}
	rec := t[recR].F32()[d*wide*n : (d+1)*wide*n]
	if w.over, err = l.packRows(t[recW], over, d, 0, t[recW].F32()[d*wide*r.input:(d+1)*wide*r.input], r.input); err != nil {
		return w, err
	}
	if w.back, err = l.packRows(t[recR], back, d, 1, rec[:w.wide*n], n); err != nil {
		return w, err
	}
	clip := clipper(r.clip)
	switch r.gates {
	case 1:
		w.cell.first = rnnStep(clip, acts[0])
	case 3:
		if apart {
			w.cell.first = gruWhole(n, clip, acts[0], acts[1])
			break
		}
		if w.cell.product, err = l.packRows(t[recR], nil, d, 2, rec[2*n*n:], n); err != nil {
			return w, err
		}
		w.cell.first, w.cell.second = gruGates(n, clip, acts[0]), gruState(n, clip, acts[1])
	case 4:
		var p []float32
		if t[recP] != nil {
			p = t[recP].F32()[d*3*n : (d+1)*3*n]
		}
		w.cell.first = lstmStep(n, clip, p, l.Node.Int("input_forget", 0) != 0, acts[0], acts[1], acts[2])
	}
	return w, nil
}

// packRows packs rows of k numbers, each a column of the product. W and R are [gates*hidden][k], transposed for the
// kernel, which wants k outside.
func (l *Lower) packRows(from, bias *tensor.Tensor, direction, part int, rows []float32, k int) (*gemm.F32, error) {
	n := len(rows) / k
	return pack(l.Packs, packKey(l.Packs, "recurrent", []int{direction, part, n, k}, from, bias), func() (*gemm.F32, error) {
		return gemm.PackF32(rows, k, n, true, floatsOf(bias)), nil
	})
}

// clipper limits pre-activations to +-clip, not at all when clip is 0. It works in place.
func clipper(clip float32) func([]float32) {
	if clip == 0 {
		return func([]float32) {}
	}
	c := numeric.Clamp{On: true, Lo: -clip, Hi: clip}
	return func(v []float32) {
		for i := range v {
			v[i] = c.Apply(v[i])
		}
	}
}

// join makes pre the pre-activations: both chains, and clipped. pre may be longer than hid (a GRU's candidate comes
// later); only the first len(hid) are touched.
func join(pre, hid []float32, clip func([]float32)) {
	for i := range hid {
		pre[i] += hid[i]
	}
	clip(pre[:len(hid)])
}

// rnnStep: H = f(XW + HR + b).
func rnnStep(clip, f func([]float32)) func(pre, hid, h, c, extra []float32) {
	return func(pre, hid, h, _, _ []float32) {
		join(pre, hid, clip)
		f(pre)
		copy(h, pre)
	}
}

// gruGates computes update z and reset r, and r*H for the product that the candidate needs. extra is the sample's row
// of r*H.
func gruGates(n int, clip, f func([]float32)) func(pre, hid, h, c, extra []float32) {
	return func(pre, hid, h, _, extra []float32) {
		join(pre, hid, clip)
		f(pre[:2*n])
		for i := range extra {
			extra[i] = float32(pre[n+i] * h[i])
		}
	}
}

// gruState: H = (1-z)*g(XW + product) + z*H.
func gruState(n int, clip, g func([]float32)) func(pre, hid, h, product []float32) {
	return func(pre, _, h, product []float32) {
		candidate := pre[2*n:]
		join(candidate, product, clip)
		g(candidate)
		blend(h, pre[:n], candidate)
	}
}

// blend: h = (1-z)*candidate + z*h.
func blend(h, z, candidate []float32) {
	for i := range h {
		h[i] = float32((1-z[i])*candidate[i]) + float32(z[i]*h[i])
	}
}

// gruWhole is the form with linear_before_reset: the candidate is g(XW + r*(HR + b)).
func gruWhole(n int, clip, f, g func([]float32)) func(pre, hid, h, c, extra []float32) {
	return func(pre, hid, h, _, _ []float32) {
		join(pre, hid[:2*n], clip)
		f(pre[:2*n])
		candidate := pre[2*n:]
		for i := range candidate {
			candidate[i] += float32(pre[n+i] * hid[2*n+i])
		}
		clip(candidate)
		g(candidate)
		blend(h, pre[:n], candidate)
	}
}

// lstmStep has its gates in ONNX's order: input, output, forget, cell; peepholes p (nil: none) input, output, forget. With
// coupled gates forget is 1 - input. C = f*C + i*g, H = o*last(C), each product rounded before the sum. The output gate
// peeps at the new C, the other two at the old one. Peepholes are added behind both chains and in front of the clip.
func lstmStep(n int, clip func([]float32), p []float32, coupled bool, f, g, last func([]float32)) func(pre, hid, h, c, extra []float32) {
	peep := func(gate, p, c []float32) {
		for i := range gate {
			gate[i] += float32(p[i] * c[i])
		}
	}
	return func(pre, hid, h, c, _ []float32) {
		for i := range hid {
			pre[i] += hid[i]
		}
		in, out, forget, cell := pre[:n], pre[n:2*n], pre[2*n:3*n], pre[3*n:]
		if p != nil {
			peep(in, p[:n], c)
			peep(forget, p[2*n:], c)
		}
		clip(in)
		f(in)
		if coupled {
			for i := range forget {
				forget[i] = 1 - in[i]
			}
		} else {
			clip(forget)
			f(forget)
		}
		clip(cell)
		g(cell)
		for i := range c {
			c[i] = float32(forget[i]*c[i]) + float32(in[i]*cell[i])
		}
		if p != nil {
			peep(out, p[n:2*n], c)
		}
		clip(out)
		f(out)
		copy(h, c)
		last(h)
		for i := range h {
			h[i] = numeric.Canon(float32(out[i] * h[i]))
		}
	}
}
