package quant

import (
	"fmt"
	"math"
)

// apart finds the points of this sketch that would lose what one scale cannot hold. The result names nodes and is given
// to sketchWithout, which places everything anew: what leaves may take neighbours with it. A map with no entry is the
// usual case.
func (b *builder) apart() (without, error) {
	out := without{map[string]string{}, map[string]bool{}}
	if err := b.splitApart(out); err != nil {
		return out, err
	}
	return out, b.unequalResults(out)
}

// splitApart finds each Split of an integer region one of whose parts is so much narrower than the whole that one scale
// for all would leave it fewer than four bits. The Split then stays float and each part gets its own scale, below the Split. A
// layer that feeds it keeps its INT8 weights and data, without a point on its result: ONNX Runtime computes a Conv in float
// then. What else feeds it stays float. The criterion is maxUnequal (unify.go): 16 times narrower is four bits of
// eight. ort-semantics 6.5 has the case: parts of a Split that differ by orders of magnitude.
func (b *builder) splitApart(apart without) error {
	sited := map[string]bool{}
	for _, t := range b.sites {
		sited[t.value] = true
	}
	for _, n := range b.g.Nodes {
		if !b.integer[n] || n.Op != "Split" {
			continue
		}
		whole, part := span{}, ""
		var parts []span
		for _, o := range n.Outputs {
			if !sited[o] {
				continue
			}
			s, err := b.rangeOf(o)
			if err != nil {
				return err
			}
			parts, whole = append(parts, s), whole.union(s)
		}
		if v, _ := b.root(n, 0); sited[v] {
			s, err := b.rangeOf(v)
			if err != nil {
				return err
			}
			whole = whole.union(s)
		}
		for i, s := range parts { // of several narrow parts the last is named
			if whole.width() > maxUnequal*s.width() {
				part = fmt.Sprintf("part %d of what Split %q makes of it is %.3g times narrower than the whole", i, n.Name, whole.width()/s.width())
			}
		}
		if part == "" {
			continue
		}
		apart.float[n.Name] = part
		switch src := b.source(n.Inputs[0]); {
		case src == nil:
		case b.layers[src] != nil:
			apart.point[src.Name] = true
		default:
			apart.float[src.Name] = part
		}
	}
	return nil
}

// unequalResults finds the last layers that own a point which nothing in integers reads, while a channel of their result is
// so much narrower than the widest that it would keep fewer than four bits: a head that computes scores beside coordinates.
// They lose the point, and ONNX Runtime computes them in float on their INT8 weights and data. Between layers a search finds
// out what such channels are worth. A channel's width is taken from its weights and bias, since few samples say little.
func (b *builder) unequalResults(apart without) error {
	for _, n := range b.g.Nodes {
		l := b.layers[n]
		if l == nil || !l.ownsOut || b.reaches(l.out) || b.leadsToLayer(l.out, map[string]bool{}) {
			continue
		}
		v, _ := b.root(n, l.data)
		s, err := b.rangeOf(v)
		if err != nil {
			return err
		}
		low, high := math.Inf(1), 0.0
		for _, w := range b.resultWidths(l, max(-s.lo, s.hi)) {
			high = max(high, w)
			if w > 0 {
				low = min(low, w)
			}
		}
		if high > maxUnequal*low {
			apart.point[n.Name] = true
		}
	}
	return nil
}

// leadsToLayer: some layer computes with what follows from v.
func (b *builder) leadsToLayer(v string, seen map[string]bool) bool {
	if seen[v] {
		return false
	}
	seen[v] = true
	for _, u := range b.x.Uses[v] {
		if b.layers[u.Node] != nil {
			return true
		}
		for _, o := range u.Node.Outputs {
			if b.leadsToLayer(o, seen) {
				return true
			}
		}
	}
	return false
}

// resultWidths bounds the magnitude of each channel of l's result for data of magnitude x. It is the bound |y| <= x *
// sum|w| + |bias| (Hoelder), with the clamp behind the layer left out. It is loose by the same factor for all channels
// more or less, and only their ratio is used.
func (b *builder) resultWidths(l *layer, x float64) []float64 {
	w, bias := b.g.Consts[l.weight].F32(), b.biasValues(l)
	out := make([]float64, l.channels)
	for c := range out {
		for k := range l.depth {
			out[c] += math.Abs(float64(w[l.weightAt(c, k)]))
		}
		out[c] = float64(out[c]*x) + math.Abs(float64(bias[c]))
	}
	return out
}
