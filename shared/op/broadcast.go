package op

import "fmt"

// broadcast returns the shape that numpy's rule gives for shapes: axes are matched from the last, and 1 stretches. 0 is
// a size like any other: it stretches a 1 and fits no 2. No shapes give the empty shape.
func broadcast(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		for i, n := range s {
			o := &out[rank-len(s)+i]
			switch {
			case *o == n || n == 1:
			case *o == 1:
				*o = n
			default:
				return nil, fmt.Errorf("shapes %v cannot be broadcast together", shapes)
			}
		}
	}
	return out, nil
}

// stretch returns the strides, in elements and per logical axis of out, with which an operand of shape that lies in
// layout y is read: 0 along axes where it is stretched. shape must be broadcastable to out. An operand of lower rank
// than out is always read as Logical: a layout of channels has no meaning for axes that it does not have.
func stretch(shape, out []int, y Layout) []int {
	strides := make([]int, len(out))
	order := Logical.axes(len(shape))
	if len(shape) == len(out) {
		order = y.axes(len(shape))
	}
	n := 1
	for i := len(order) - 1; i >= 0; i-- {
		a := order[i]
		if shape[a] != 1 {
			strides[len(out)-len(shape)+a] = n
		}
		n *= shape[a]
	}
	return strides
}

// broadcastOperand is input i of a node whose output 0 has shape out in layout y, with its strides in memory order.
// Inputs of lower rank than the output lie in Logical order whatever y is.
func (l *Lower) broadcastOperand(i int, out []int, y Layout) (operand, []int, error) {
	own := y
	if len(l.In[i].Shape) != len(out) {
		own = Logical
	}
	o, err := l.operand(i, own)
	if err != nil {
		return operand{}, nil, err
	}
	return o, physical(y, stretch(o.shape, out, own)), nil
}

// axisIn normalises an axis that may count from the end; rank 0 allows 0 and -1 where scalar says so. Callers that
// accept a scalar's axis 0 handle it before.
func axisIn(axis int64, rank int) (int, error) {
	if axis < int64(-rank) || axis >= int64(rank) {
		return 0, fmt.Errorf("axis %d is outside a tensor of %d axes", axis, rank)
	}
	if axis < 0 {
		axis += int64(rank)
	}
	return int(axis), nil
}

// axesIn normalises a list of axes and refuses one that is named twice.
func axesIn(axes []int64, rank int) ([]int, error) {
	out := make([]int, len(axes))
	seen := make([]bool, rank)
	for i, a := range axes {
		k, err := axisIn(a, rank)
		if err != nil {
			return nil, err
		}
		if seen[k] {
			return nil, fmt.Errorf("axis %d is named twice", a)
		}
		seen[k], out[i] = true, k
	}
	return out, nil
}
