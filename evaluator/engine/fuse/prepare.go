package fuse

import (
	"math"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// microsoft is the domain of the runtime's own operators.
const microsoft = "com.microsoft"

// dropIdentities lets the readers of an Identity read its input.
func dropIdentities(e *editor) (changed bool) {
	for _, n := range e.order() {
		if is(n, "Identity") && e.redirect(n.Outputs[0], n.Inputs[0]) {
			e.remove(n)
			changed = true
		}
	}
	return changed
}

// splitDequantizers gives each reader of a DQ its own copy; the first keeps the original, and so does a graph output.
//
//	q -> DQ -+-> a                q -> DQ  -> a
//	         +-> b     becomes    q -> DQ' -> b
func splitDequantizers(e *editor) (changed bool) {
	for _, n := range e.order() {
		dq, ok := e.dequantizer(n)
		if !ok {
			continue
		}
		keep := 1
		if e.out[dq.out()] {
			keep = 0
		}
		for i, u := range slices.Clone(e.uses[dq.out()]) {
			if i < keep || u.Sub {
				continue
			}
			c := *n
			c.Inputs, c.Outputs = slices.Clone(n.Inputs), []string{e.fresh(dq.out())}
			e.add(&c)
			e.setInput(u.Node, u.Input, c.Outputs[0])
			changed = true
		}
	}
	return changed
}

// shareDequantizers undoes splitDequantizers where both copies are left. Copies share attributes by construction.
func shareDequantizers(e *editor) (changed bool) {
	e.sweep()
	first := map[[4]string]*graph.Node{}
	for _, n := range e.order() {
		if _, ok := e.dequantizer(n); !ok {
			continue
		}
		k := [4]string{n.Name, n.Inputs[0], n.Inputs[1], n.Input(2)}
		if f := first[k]; f == nil {
			first[k] = n
		} else if e.redirect(n.Outputs[0], f.Outputs[0]) {
			e.remove(n)
			changed = true
		} else if e.redirect(f.Outputs[0], n.Outputs[0]) {
			e.remove(f)
			first[k] = n
			changed = true
		}
	}
	return changed
}

// mergeQuantizers joins Q nodes that read one value with one zero point constant and equal scales. The runtime shares
// equal constants only of some types, and the zero point's is not among them, so its name has to be the same.
func mergeQuantizers(e *editor) (changed bool) {
	type key struct {
		data, zero string
		scale      uint32
		axis, out  int64
	}
	first := map[key]*graph.Node{}
	for _, n := range e.order() {
		l, ok := e.quantizer(n)
		if !ok || !l.single() {
			continue
		}
		k := key{l.data(), n.Input(2), math.Float32bits(l.s.F32()[0]), n.Int("axis", 1), n.Int("output_dtype", 0)}
		if f := first[k]; f == nil {
			first[k] = n
		} else if e.redirect(n.Outputs[0], f.Outputs[0]) {
			e.remove(n)
			changed = true
		}
	}
	return changed
}

// mergePairs turns Q1, DQ1, Q2, DQ2 with no other reader between into Q, DQ. Different parameters are replaced by
// those of the intersection of the two ranges, in the runtime's arithmetic. The name of the first Q's output must
// change with its integers, because a caller may ask for that value by name.
func mergePairs(e *editor) (changed bool) {
	for _, n := range e.order() {
		dq, ok := e.dequantizer(n)
		if !e.alive[n] || !ok || !e.feeds(dq.out()) || !e.feeds(dq.data()) {
			continue
		}
		first, ok1 := e.quantizer(e.prod[dq.data()])
		second, ok2 := e.quantizer(e.only(dq.out()).Node)
		if !ok1 || !ok2 || !e.feeds(second.out()) {
			continue
		}
		last, ok := e.dequantizer(e.only(second.out()).Node)
		if !ok || !equal(first, dq) || !equal(second, last) || dq.dtype != second.dtype ||
			dq.dtype != tensor.Uint8 && dq.dtype != tensor.Int8 {
			continue
		}
		if !equal(dq, second) {
			s, z := intersect(dq, second)
			for _, l := range []linear{first, last} {
				e.setInput(l.node, 1, e.constant(l.node.Name+"/scale", s))
				e.setInput(l.node, 2, e.constant(l.node.Name+"/zero", z))
			}
			e.setOutput(first.node, 0, e.fresh(first.out())) // other integers than the name promises
		}
		e.setInput(last.node, 0, first.out())
		e.remove(second.node)
		e.remove(n)
		changed = true
	}
	return changed
}

// intersect returns scale and zero point of the range that both a and b represent. In float32 throughout, with the zero
// point rounded half away from zero: the runtime's own arithmetic, which is not numeric's rule.
func intersect(a, b linear) (scale, zero *tensor.Tensor) {
	lo, hi, _ := a.limits()
	ends := func(l linear) (float32, float32) {
		s := l.s.F32()[0]
		return float32(float32(lo-l.zero()) * s), float32(float32(hi-l.zero()) * s)
	}
	alo, ahi := ends(a)
	blo, bhi := ends(b)
	low, high := max(alo, blo), min(ahi, bhi)
	s := float32(high-low) / float32(hi-lo)
	z := math.Round(float64(float32(lo) - float32(low/s)))
	zero = tensor.New(a.dtype)
	zero.Data[0] = byte(int(z))
	return tensor.Of(tensor.Float32, nil, []float32{s}), zero
}

// foldPads adds the pads of a constant zero Pad to the only Conv or AveragePool that reads it.
func foldPads(e *editor) (changed bool) {
	for _, n := range e.order() {
		if !is(n, "Pad") || n.Str("mode", "constant") != "constant" || n.Input(3) != "" {
			continue
		}
		use := e.only(n.Outputs[0])
		if use == nil || use.Input != 0 || !is(use.Node, "Conv", "AveragePool") || use.Node.Str("auto_pad", "NOTSET") != "NOTSET" {
			continue
		}
		pads, ok := e.spatialPads(n)
		if ok && addPads(use.Node, pads) {
			e.setInput(use.Node, 0, n.Inputs[0])
			e.remove(n)
			changed = true
		}
	}
	return changed
}

// addPads makes n, a Conv or AveragePool, pad by that much more. The elements of a Pad count in an average, so a pool
// must count its own as well. A pool whose pads would reach the kernel's size is left alone.
func addPads(n *graph.Node, pads []int64) bool {
	sum := slices.Clone(n.Ints("pads"))
	if sum == nil {
		sum = make([]int64, len(pads))
	}
	if len(sum) != len(pads) {
		return false
	}
	own := slices.Max(sum) > 0
	for i := range sum {
		sum[i] += pads[i]
	}
	if n.Op == "AveragePool" {
		kernel := n.Ints("kernel_shape")
		if own && n.Int("count_include_pad", 0) == 0 || 2*len(kernel) != len(sum) {
			return false
		}
		for i, p := range sum {
			if p >= kernel[i%len(kernel)] {
				return false
			}
		}
		n.SetInt("count_include_pad", 1)
	}
	n.SetInts("pads", sum)
	return true
}

// spatialPads returns the pads of a Pad as a Conv wants them: begins then ends of axes 2 and up; ok only when they are
// constant, not negative, zero on axes 0 and 1, and the padding value is +0.
func (e *editor) spatialPads(n *graph.Node) (pads []int64, ok bool) {
	t := e.g.Consts[n.Input(1)]
	if v := n.Input(2); v != "" {
		c := e.g.Consts[v]
		if c == nil || slices.ContainsFunc(c.Data, func(b byte) bool { return b != 0 }) {
			return nil, false
		}
	}
	if t == nil {
		return nil, false
	}
	all, err := t.Ints()
	if r := len(all) / 2; err != nil || r < 3 || len(all) != 2*r || all[0] != 0 || all[1] != 0 || all[r] != 0 || all[r+1] != 0 || slices.Min(all) < 0 {
		return nil, false
	}
	r := len(all) / 2
	return append(slices.Clone(all[2:r]), all[r+2:]...), true
}
