package attention

import "assay/kernels/numeric"

// Linear is attention as a recurrence over a state S [Batch][KV][Depth][Values], ONNX's LinearAttention. A step with key k,
// value v and query q is, in this order:
//
//	S[d] = S[d] * exp(decay[d])          if Decays > 0
//	v = rate * (v - S^T k)               if Rates > 0
//	S = S + k v^T
//	output = Scale * S^T q
//
// Queries lie as [Batch][T][Heads][Depth], keys and values as [Batch][T][KV][...]. Heads is a multiple of KV, which is 1 or
// more; neighbouring query heads share a state. Sums are chains of fused multiply-adds from +0, or from the state, d ascending.
type Linear struct {
	Batch, T, Heads, KV, Depth, Values int
	Scale                              float32 // of the output
	Decays                             int     // numbers of decay per step and head of the state: 0, 1 for all of Depth, or Depth
	Rates                              int     // heads that have a rate of correction of their own: 0, 1 for all of KV, or KV
}

// Run writes the output [Batch][T][Heads][Values] and changes state in place. decay is [Batch][T][KV][Decays] logarithms, rate
// [Batch][T][Rates]; they may be nil where there are none. held is scratch of Values elements. NaN of the output is stored as
// 0x7fc00000; the state keeps the pattern that arithmetic gave it.
func (l *Linear) Run(dst, q, k, v, decay, rate, state, held []float32) {
	for n := range l.Batch {
		for t := range l.T {
			for h := range l.KV {
				at := (n*l.T+t)*l.KV + h
				s := state[(n*l.KV+h)*l.Depth*l.Values:][:l.Depth*l.Values]
				key := k[at*l.Depth:][:l.Depth]
				if l.Decays > 0 {
					l.fade(s, decay[at*l.Decays:][:l.Decays])
				}
				copy(held, v[at*l.Values:][:l.Values])
				if l.Rates > 0 {
					l.correct(held, s, key, rate[(n*l.T+t)*l.Rates+h%l.Rates])
				}
				for d, x := range key {
					row := s[d*l.Values:][:l.Values]
					for m := range row {
						row[m] = numeric.FMA32(x, held[m], row[m])
					}
				}
				for g := range l.Heads / l.KV {
					i := (n*l.T+t)*l.Heads + h*(l.Heads/l.KV) + g
					l.read(dst[i*l.Values:][:l.Values], s, q[i*l.Depth:][:l.Depth])
				}
			}
		}
	}
}

func (l *Linear) fade(s, decay []float32) {
	for d := range l.Depth {
		f := numeric.Exp(decay[d%len(decay)])
		row := s[d*l.Values:][:l.Values]
		for m := range row {
			row[m] = float32(row[m] * f)
		}
	}
}

// correct makes held rate * (held - what s holds under key).
func (l *Linear) correct(held, s, key []float32, rate float32) {
	for m := range held {
		sum := float32(0)
		for d, x := range key {
			sum = numeric.FMA32(s[d*l.Values+m], x, sum)
		}
		held[m] = float32(rate * (held[m] - sum))
	}
}

func (l *Linear) read(dst, s, q []float32) {
	for m := range dst {
		sum := float32(0)
		for d, x := range q {
			sum = numeric.FMA32(x, s[d*l.Values+m], sum)
		}
		dst[m] = numeric.Canon(float32(l.Scale * sum))
	}
}
