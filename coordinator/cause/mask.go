package cause

import (
	"fmt"
	"math"

	"assay/shared/tensor"
)

// carriers are the operators through which a constant reaches a value without being summed over many elements.
var carriers = map[string]bool{
	"Add": true, "Sub": true, "Mul": true, "Div": true, "Where": true, "Min": true, "Max": true, "Clip": true, "Neg": true, "Reshape": true, "Expand": true,
	"Unsqueeze": true, "Squeeze": true, "Transpose": true, "Slice": true, "Concat": true, "Identity": true, "Pad": true, "Tile": true, "Cast": true,
}

// reach is how many operators lie between a constant and the value at most.
const reach = 12

// mask looks for a constant of a mask's size at the end of v's range.
func (m *Model) mask(v string, bottom, top float64, s seen) (Cause, bool) {
	for _, end := range []float64{bottom, top} {
		size := math.Abs(end)
		if size < maskSize/2 || s.magnitude(0.99, size/4) > size/maskGap {
			continue
		}
		if name, value, ok := m.constantBehind(v, size, reach, map[string]bool{}); ok {
			return Cause{MaskValue, v, value, fmt.Sprintf(
				"the range reaches to %v because of the constant %v in %q; 99 %% of the other values stay below %v", digits(end), digits(value), name, digits(s.magnitude(0.99, size/4)))}, true
		}
	}
	return Cause{}, false
}

// constantBehind finds a constant of magnitude size, within a factor of two, that reaches v.
func (m *Model) constantBehind(v string, size float64, left int, been map[string]bool) (string, float64, bool) {
	if t := m.Graph.Consts[v]; t != nil {
		value, ok := large(t, size)
		return v, value, ok
	}
	n := m.index.Producer[v]
	if n == nil || left == 0 || been[v] || !carriers[n.Op] {
		return "", 0, false
	}
	been[v] = true
	for _, in := range n.Inputs {
		if name, value, ok := m.constantBehind(in, size, left-1, been); ok {
			return name, value, true
		}
	}
	return "", 0, false
}

// large finds an element of t of magnitude 1,000 or more and within a factor of two of size.
func large(t *tensor.Tensor, size float64) (float64, bool) {
	if t.DType != tensor.Float32 {
		return 0, false
	}
	for _, x := range t.F32() {
		if v := math.Abs(float64(x)); v >= maskSize && v >= size/2 && v <= 2*size {
			return float64(x), true
		}
	}
	return 0, false
}
