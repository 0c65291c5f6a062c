package op

import (
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// upgradePad makes attributes pads and value inputs (opset 11). A value of 0 is left out, since it is the input's
// default.
func upgradePad(u *Upgrade) error {
	n := u.Node
	if u.From >= 11 {
		return nil
	}
	pads := n.Ints("pads")
	if pads == nil {
		return fmt.Errorf("attribute pads is required at opset %d", u.From)
	}
	n.Inputs = append(n.Inputs[:min(len(n.Inputs), 1)], u.AddConst("pads", int64s(pads...)))
	if v := n.Float("value", 0); v != 0 {
		n.Inputs = append(n.Inputs, u.AddConst("pad_value", scalar(v)))
	}
	n.Unset("pads")
	n.Unset("value")
	return nil
}

// padsOf returns what is added (or, negative, cut) before and after every axis. Axes that input 3 does not name get 0
// at both ends.
func padsOf(x *Infer) (before, after []int, err error) {
	rank := len(x.In[0].Shape)
	v, err := x.known(1, "pads")
	if err != nil {
		return nil, nil, err
	}
	pads, err := toInts(v)
	if err != nil {
		return nil, nil, err
	}
	axes, given, err := x.axesInput(3, rank)
	if err != nil {
		return nil, nil, err
	}
	if !given {
		axes = Logical.axes(rank)
	}
	if len(pads) != 2*len(axes) {
		return nil, nil, fmt.Errorf("%d pads are given for %d axes", len(pads), len(axes))
	}
	before, after = make([]int, rank), make([]int, rank)
	for i, a := range axes {
		before[a], after[a] = pads[i], pads[len(axes)+i]
	}
	return before, after, nil
}

// inferPad adds the amounts at both ends of each axis; what is left after cutting may not be negative. A reflection can
// reach n-1 elements on each side, edge and wrap any number unless nothing is left to repeat. The limits hold after
// cutting.
func inferPad(x *Infer) error {
	before, after, err := padsOf(x)
	if err != nil {
		return err
	}
	out := slices.Clone(x.In[0].Shape)
	mode := x.Node.Str("mode", "constant")
	for i, n := range out {
		out[i] += before[i] + after[i]
		n += min(before[i], 0) + min(after[i], 0) // what is cut is cut before anything is repeated
		limit := n - 1                            // a reflection repeats no border element
		switch mode {
		case "constant":
			continue
		case "edge", "wrap":
			limit = max(before[i], after[i])
			if n <= 0 {
				limit = 0
			}
		case "reflect":
		default:
			return fmt.Errorf("mode %q is unknown", mode)
		}
		if out[i] < 0 || max(before[i], after[i]) > max(limit, 0) {
			return fmt.Errorf("pads %v, %v do not fit shape %v in mode %s", before, after, x.In[0].Shape, mode)
		}
	}
	x.put(0, x.In[0].DType, out...)
	if x.has(2) && (tensor.Count(x.In[2].Shape) != 1 || x.In[2].DType != x.In[0].DType) {
		return fmt.Errorf("input 2 (constant_value) is %s%v, a single %s is required", x.In[2].DType, x.In[2].Shape, x.In[0].DType)
	}
	return nil
}

// lowerPad fills the output, then copies what input and output share into its place: one copy for any rank. The fill
// value may be computed.
func lowerPad(l *Lower) (Kernel, error) {
	before, after, err := padsOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	y := l.layout()
	src, err := l.operand(0, y)
	if err != nil {
		return Kernel{}, err
	}
	if mode := l.Node.Str("mode", "constant"); mode != "constant" {
		return lowerPadFrom(l, src, physical(y, before), physical(y, after), mode)
	}
	size := l.In[0].DType.Size()
	fill := operand{fixed: true, data: make([]byte, size)}
	if l.present(2) {
		if fill, err = l.operand(2, Logical); err != nil {
			return Kernel{}, err
		}
	}
	in, out := physical(y, src.shape), physical(y, l.Out[0].Shape)
	from, to := rowMajor(in), rowMajor(out)
	b := physical(y, before)
	shape := make([]int, len(in))
	srcOff, dstOff := 0, 0
	for i := range in {
		first := max(0, -b[i])
		shape[i] = max(0, min(in[i], out[i]-b[i])-first)
		srcOff += first * from[i]
		dstOff += (first + b[i]) * to[i]
	}
	plan, some := newStrided(shape, to, dstOff, from, srcOff, size), tensor.Count(shape) > 0
	return Kernel{Alias: -1, Run: func(c *Call) {
		repeat(c.Out[0], fill.bytes(c))
		if some {
			plan.run(c.Out[0], src.bytes(c))
		}
	}}, nil
}

// lowerPadFrom copies axis by axis through a table of source positions: modes edge, reflect and wrap. The tables hold
// offsets in elements of the source, so the walk adds and never multiplies along the way.
func lowerPadFrom(l *Lower, src operand, before, after []int, mode string) (Kernel, error) {
	if tensor.Count(l.Out[0].Shape) == 0 { // beside an empty axis another may have any length: no table for it
		return Kernel{Alias: -1, Run: func(*Call) {}}, nil
	}
	y := l.layout()
	in, out := physical(y, src.shape), physical(y, l.Out[0].Shape)
	from, to := rowMajor(in), rowMajor(out)
	at := make([][]int, len(in))
	for a := range in {
		at[a] = make([]int, out[a])
		first, n := max(0, -before[a]), in[a]+min(before[a], 0)+min(after[a], 0)
		for i := range at[a] {
			at[a][i] = (first + padSource(i-max(before[a], 0), n, mode)) * from[a]
		}
	}
	size := l.In[0].DType.Size()
	var walk func(axis int, dst, src []byte, d, s int)
	walk = func(axis int, dst, src []byte, d, s int) {
		if axis == len(at) {
			copy(dst[d*size:(d+1)*size], src[s*size:])
			return
		}
		for i, o := range at[axis] {
			walk(axis+1, dst, src, d+i*to[axis], s+o)
		}
	}
	return Kernel{Alias: -1, Run: func(c *Call) { walk(0, c.Out[0], src.bytes(c), 0, 0) }}, nil
}

// padSource maps a position that may lie outside [0, n) to one inside. n is at least 1. reflect has the period 2(n-1)
// and shows no border twice.
func padSource(i, n int, mode string) int {
	switch mode {
	case "edge":
		return min(max(i, 0), n-1)
	case "wrap":
		return ((i % n) + n) % n
	}
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}
