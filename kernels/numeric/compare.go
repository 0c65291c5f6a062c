package numeric

import "math"

// nanBits is the only NaN pattern that a kernel stores.
const nanBits = 0x7fc00000

// NaN returns the NaN that kernels store, 0x7fc00000.
func NaN() float32 { return math.Float32frombits(nanBits) }

// Canon returns v, or NaN() when v is any NaN. Every kernel stores floats through it (or through Clamp.Apply), because
// x86 makes negative NaNs and which payload survives an addition depends on the order of its operands.
func Canon(v float32) float32 {
	if v != v {
		return math.Float32frombits(nanBits)
	}
	return v
}

// CanonAll applies Canon to each element, in place. Kernels that make NaN rarely end with it.
func CanonAll(v []float32) {
	for i, x := range v {
		if x != x {
			v[i] = math.Float32frombits(nanBits)
		}
	}
}

// Max is the larger of a and b; a NaN wins, and +0 is larger than -0.
func Max(a, b float32) float32 { return Canon(max(a, b)) }

// Min is the smaller of a and b; a NaN wins, and -0 is smaller than +0.
func Min(a, b float32) float32 { return Canon(min(a, b)) }

// Clamp limits results to [Lo, Hi] when On is set: the Relu (Lo +0, Hi +Inf) or Clip that a kernel applies as it stores. The
// zero value limits nothing. Invariant for callers: Lo and Hi are no NaN. When Lo > Hi every number becomes Hi, as ONNX says. A
// limit of zero has a sign: Lo +0 makes +0 of -0, Hi -0 the reverse.
type Clamp struct {
	On     bool
	Lo, Hi float32
}

// Relu is the clamp of operator Relu.
func Relu() Clamp { return Clamp{On: true, Lo: 0, Hi: float32(math.Inf(1))} }

// Apply returns what is stored for v: Min(Max(v, Lo), Hi) if On, else v, and NaN as NaN().
func (c Clamp) Apply(v float32) float32 {
	if c.On {
		v = min(max(v, c.Lo), c.Hi)
	}
	return Canon(v)
}
