// Package attention computes attention over heads of float32: scores, masks, softmax and their sum over values, the
// rotation of positions, and the recurrent forms with a state. Which operator of which domain asks, tensors and files may not
// enter.
//
// Products are those of package gemm: one chain of fused multiply-adds, k ascending. Keys and values are computed, so each
// call packs them; nothing else is allocated. The caller guarantees the sizes that the types give, and that outputs overlap
// neither inputs nor scratch. Functions are safe for concurrent use with distinct outputs and scratch.
package attention

import (
	"math"

	"assay/kernels/curve"
	"assay/kernels/gemm"
	"assay/kernels/numeric"
	"assay/kernels/reduce"
)

// Scores says which scores are written out.
type Scores uint8

// The scores that can be asked for.
const (
	Raw      Scores = iota // scaled products of queries and keys
	Capped                 // after the cap
	Biased                 // after the mask
	Softmaxd               // the weights of the values
)

// Shape is the geometry of an attention: queries [Batch][Heads][Q][Depth], keys [Batch][KV][T][Depth], values
// [Batch][KV][T][Values], and the output [Batch][Heads][Q][Values]. Heads is a multiple of KV, which is 1 or more: Heads/KV
// neighbouring query heads share a head of keys and values.
type Shape struct {
	Batch, Heads, KV, Q, T, Depth, Values int
}

// Attention is one computation.
type Attention struct {
	Shape
	Scale  float32 // of the scores, 0 or more: queries and keys are multiplied by its root each, as ONNX's Attention says
	Cap    float32 // scores become Cap*tanh(score/Cap), each step rounded, where it is above 0
	Causal bool    // query i sees keys up to i + Offset, or with a number of valid keys up to i + that number - Q
	Offset int     // keys before the first query
	Output Scores  // what Run writes as scores
	// Interleaved says that queries and the output lie with the heads inside positions: [Batch][Q][Heads][...].
	Interleaved bool
}

// Mask tells what is added to the scores of query q of a query head: it changes dst, T numbers that are +0. -Inf hides a
// key. It may not keep dst.
type Mask func(dst []float32, batch, head, q int)

// Scratch is the number of float32 that Run wants. Their content does not matter.
func (a *Attention) Scratch() int { return a.Q*a.Depth + a.T*a.Depth + 2*a.Q*a.T + a.T }

// Run computes dst, and scores [Batch][Heads][Q][T] as Output says unless that is nil. mask may be nil. valid, unless nil, is
// the number of keys of each sample that count, at most T and 0 where negative; with it the queries are the last of those. A query
// that sees no key has weights 0 and the output +0. Order of a score: product, cap, mask, softmax. NaN is stored as
// 0x7fc00000, but in scores of Capped with an infinite Cap.
func (a *Attention) Run(dst, scores, q, k, v []float32, mask Mask, valid []int64, scratch []float32) {
	qs, rest := scratch[:a.Q*a.Depth], scratch[a.Q*a.Depth:]
	ks, rest := rest[:a.T*a.Depth], rest[a.T*a.Depth:]
	s, rest := rest[:a.Q*a.T], rest[a.Q*a.T:]
	p, bias := rest[:a.Q*a.T], rest[a.Q*a.T:]
	root := float32(math.Sqrt(float64(a.Scale)))
	for i := range a.Batch * a.KV {
		for j, x := range k[i*a.T*a.Depth:][:a.T*a.Depth] {
			ks[j] = float32(x * root)
		}
		keys := gemm.PackF32(ks, a.Depth, a.T, true, nil)
		values := gemm.PackF32(v[i*a.T*a.Values:], a.T, a.Values, false, nil)
		for g := range a.Heads / a.KV {
			n, h := i/a.KV, i%a.KV*(a.Heads/a.KV)+g
			a.load(qs, q, n, h, root)
			keys.Run(s, a.T, qs, a.Depth, a.Q, numeric.Clamp{})
			a.weigh(p, s, bias, mask, valid, n, h)
			if scores != nil {
				copy(scores[(n*a.Heads+h)*a.Q*a.T:], s)
			}
			to, step := a.place(n, h, a.Values)
			values.Run(dst[to:], step, p, a.T, a.Q, numeric.Clamp{})
		}
	}
}

// place is where the rows of a head begin and how far apart they are.
func (a *Attention) place(n, h, depth int) (at, step int) {
	if a.Interleaved {
		return (n*a.Q*a.Heads + h) * depth, a.Heads * depth
	}
	return (n*a.Heads + h) * a.Q * depth, depth
}

// load copies the scaled queries of a head.
func (a *Attention) load(dst, q []float32, n, h int, root float32) {
	at, step := a.place(n, h, a.Depth)
	for r := range a.Q {
		for i, x := range q[at+r*step:][:a.Depth] {
			dst[r*a.Depth+i] = float32(x * root)
		}
	}
}

// capped turns x into most * tanh(x/most).
func capped(x []float32, most float32) {
	for i, v := range x {
		x[i] = v / most
	}
	curve.Tanh(x, x)
	for i, v := range x {
		x[i] = float32(v * most)
	}
}

// weigh turns the scores s into weights p, leaving in s what is to be written out. A query that sees no key has weights 0.
func (a *Attention) weigh(p, s, bias []float32, mask Mask, valid []int64, n, h int) {
	for r := range a.Q {
		row, weights := s[r*a.T:][:a.T], p[r*a.T:][:a.T]
		copy(weights, row)
		if a.Cap > 0 {
			capped(weights, a.Cap)
		}
		if a.Output == Capped {
			copy(row, weights)
		}
		blind := a.bias(bias, mask, valid, n, h, r)
		for i, b := range bias[:a.T] {
			weights[i] = numeric.Canon(weights[i] + b)
		}
		if a.Output == Biased {
			copy(row, weights)
		}
		if blind {
			clear(weights)
		} else {
			reduce.Softmax(weights, weights, 1, a.T, 1, true)
		}
		if a.Output == Softmaxd {
			copy(row, weights)
		}
	}
}

// bias writes what is added to the scores of query r and reports whether it hides every key.
func (a *Attention) bias(dst []float32, mask Mask, valid []int64, n, h, r int) (blind bool) {
	inf := float32(math.Inf(-1))
	dst = dst[:a.T]
	clear(dst)
	if mask != nil {
		mask(dst, n, h, r)
	}
	last, keys := r+a.Offset, a.T
	if valid != nil {
		keys = int(min(max(valid[n], 0), int64(a.T)))
		last = r + int(max(min(valid[n], 1<<40), -1<<40)) - a.Q
	}
	blind = true
	for i := range dst {
		if a.Causal && i > last || i >= keys {
			dst[i] = inf
		}
		blind = blind && dst[i] == inf
	}
	return blind
}
