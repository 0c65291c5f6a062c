package op

import (
	"fmt"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// upgradeBroadcast gives operators of two operands today's broadcasting. Before opset 7 shapes were equal, or attribute
// broadcast let the second operand stand for the axes of the first from attribute axis on (by default the last ones).
// Without axis numpy's rule gives the same result: the second operand is matched from the last axis.
func upgradeBroadcast(u *Upgrade) error {
	n := u.Node
	if u.From >= 7 {
		return nil
	}
	given, at := n.Attr("axis") != nil, int(n.Int("axis", 0))
	n.Unset("axis")
	n.Unset("broadcast")
	n.Unset("consumed_inputs")
	if !given || len(n.Inputs) != 2 {
		return nil
	}
	left, known := u.Rank(n.Inputs[0])
	right, also := u.Rank(n.Inputs[1])
	if !known || !also {
		return fmt.Errorf("its operands' ranks do not follow from the model's inputs, and attribute axis depends on them")
	}
	axis := at
	if at < 0 {
		at += left
	}
	if at < 0 || at+right > left {
		return fmt.Errorf("axis %d does not fit operands of %d and %d axes", axis, left, right)
	}
	return trailing(u, 1, right, left-at-right)
}

// upgradePRelu: before opset 7 a slope of one axis belonged to axis 1, the channels. A slope of one element stretches
// either way.
func upgradePRelu(u *Upgrade) error {
	n := u.Node
	if u.From >= 7 || len(n.Inputs) != 2 {
		return nil
	}
	rank, known := u.Rank(n.Inputs[0])
	slope, also := u.Rank(n.Inputs[1])
	if !known || !also {
		return fmt.Errorf("its operands' ranks do not follow from the model's inputs, and the slope's axis depends on them")
	}
	if slope != 1 || rank <= 2 {
		return nil
	}
	if t := u.Const(n.Inputs[1]); t != nil && t.Len() == 1 {
		return nil
	}
	return trailing(u, 1, 1, rank-2)
}

// trailing appends axes of 1 to input i, which has rank axes: to the constant itself, or by a node in front. A constant
// is copied under another name, since other nodes may read it with its old shape; the bytes are shared.
func trailing(u *Upgrade, i, rank, more int) error {
	n := u.Node
	if more <= 0 {
		return nil
	}
	if t := u.Const(n.Inputs[i]); t != nil {
		w := &tensor.Tensor{DType: t.DType, Shape: append([]int{}, t.Shape...), Data: t.Data}
		for range more {
			w.Shape = append(w.Shape, 1)
		}
		n.Inputs[i] = u.AddConst("operand", w)
		return nil
	}
	axes := make([]int64, more)
	for k := range axes {
		axes[k] = int64(rank + k)
	}
	out := u.Fresh("operand")
	u.Before = append(u.Before, &graph.Node{
		Name: out, Op: "Unsqueeze", Inputs: []string{n.Inputs[i], u.AddConst("axes", int64s(axes...))}, Outputs: []string{out},
	})
	n.Inputs[i] = out
	return nil
}
