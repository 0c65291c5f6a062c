package run

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/metric"
	"assay/shared/tensor"
)

// held says that four neighbouring columns of a value's last axis are a box. rank is the value's number of axes, 0 where it is
// not known; alone, that the box is the whole row.
type held struct {
	at     int // the first column; below 0 it counts from the end
	center bool
	rank   int
	alone  bool
}

// boxesOf finds, in the rows of outputs, the boxes that a NonMaxSuppression of g has compared: what it reads is boxes by the
// operator's definition, and so is what selection, joining and scaling make of them. Numbers tell nothing: four scores look like
// corners too. A box on a way that is not known here is not found, and its rows are compared as others are.
func boxesOf(g *graph.Graph, outputs []string) []metric.Box {
	found, width := map[string]held{}, map[string]int{}
	for i := len(g.Nodes) - 1; i >= 0; i-- { // what NonMaxSuppression reads, and what that is made of by moves alone
		n := g.Nodes[i]
		switch {
		case n.Domain == "" && n.Op == "NonMaxSuppression":
			found[n.Input(0)] = held{center: n.Int("center_point_box", 0) != 0, rank: 3, alone: true}
		case n.Domain == "" && (n.Op == "Identity" || n.Op == "Unsqueeze" || n.Op == "Squeeze" || n.Op == "Reshape" && lastIsFour(g, n.Input(1))):
			if b, ok := found[n.Outputs[0]]; ok && inFront(g, n, b.rank) {
				if _, known := found[n.Input(0)]; !known {
					b.rank = 0
					found[n.Input(0)] = b
				}
			}
		}
	}
	for _, n := range g.Nodes {
		if n.Domain != "" || len(n.Outputs) == 0 {
			continue
		}
		if n.Op == "Unsqueeze" && slices.Equal(constInts(g, n.Input(1)), []int64{-1}) {
			width[n.Outputs[0]] = 1
		}
		if _, known := found[n.Outputs[0]]; known {
			continue
		}
		if b, ok := passed(g, n, found, width); ok {
			found[n.Outputs[0]] = b
		}
	}
	var out []metric.Box
	for i, name := range outputs {
		if b, ok := found[name]; ok {
			out = append(out, metric.Box{Output: uint32(i), At: int32(b.at), Center: b.center})
		}
	}
	return out
}

// passed is the box in a node's output, from those in its inputs.
func passed(g *graph.Graph, n *graph.Node, found map[string]held, width map[string]int) (b held, ok bool) {
	var boxes []held
	for _, v := range n.Inputs {
		if h, ok := found[v]; ok {
			boxes = append(boxes, h)
		}
	}
	if len(boxes) == 0 {
		return b, false
	}
	b, ok = found[n.Input(0)]
	switch n.Op {
	case "Identity", "Cast":
		return b, ok
	case "Squeeze", "Unsqueeze":
		kept := ok && inFront(g, n, b.rank)
		b.rank = 0
		return b, kept
	case "Reshape":
		b.rank = 0
		return b, ok && b.alone && lastIsFour(g, n.Input(1))
	case "Gather":
		axis := n.Int("axis", 0)
		kept := ok && (axis == 0 || axis < -1 || b.rank > 0 && axis < int64(b.rank)-1) && axis != -1
		b.rank = 0
		return b, kept
	case "GatherND":
		b.rank = 0
		return b, ok // an element each, if indices reach the last axis: rows of one, which hold no box
	case "Slice":
		axes := constInts(g, n.Input(3))
		return b, ok && len(axes) > 0 && !slices.ContainsFunc(axes, func(a int64) bool { return a == -1 || a > 0 && (b.rank == 0 || a >= int64(b.rank)-1) })
	case "Concat":
		return joinedBox(n, found, width)
	case "Mul", "Div", "Add", "Sub", "Max", "Min", "Clip":
		// One unit for all rows or one for each side; a centre may only be scaled, since its width and height do not move with it.
		return boxes[0], len(boxes) == 1 && boxes[0].alone && (!boxes[0].center || n.Op == "Mul" || n.Op == "Div" && ok) && (ok || n.Op != "Div")
	}
	return b, false
}

// joinedBox is the box in a row that is joined of parts, by the columns before it or else behind it.
func joinedBox(n *graph.Node, found map[string]held, width map[string]int) (b held, ok bool) {
	axis := n.Int("axis", 0)
	if !slices.ContainsFunc(n.Inputs, func(v string) bool { _, is := found[v]; return !is }) && axis != -1 {
		b = found[n.Input(0)]
		for _, v := range n.Inputs {
			other := found[v]
			if other.at != b.at || other.center != b.center || b.rank > 0 && axis == int64(b.rank)-1 || b.rank == 0 && axis > 0 {
				return b, false
			}
		}
		return b, true // rows below each other
	}
	place := slices.IndexFunc(n.Inputs, func(v string) bool { h, is := found[v]; return is && h.alone })
	if place < 0 {
		return b, false
	}
	b = found[n.Inputs[place]]
	if axis != -1 && (b.rank == 0 || axis != int64(b.rank)-1) {
		return b, false
	}
	b.alone = false
	columns := func(parts []string) (sum int, known bool) {
		for _, v := range parts {
			w := width[v]
			if h, is := found[v]; is && h.alone {
				w = 4
			}
			if w == 0 {
				return 0, false
			}
			sum += w
		}
		return sum, true
	}
	if before, known := columns(n.Inputs[:place]); known {
		b.at = before
		return b, true
	}
	behind, known := columns(n.Inputs[place+1:])
	b.at = -4 - behind
	return b, known
}

// inFront says that the axes which a Squeeze or Unsqueeze names lie in front of the last axis; rank is that of the longer side,
// 0 where it is not known. Other operators name none.
func inFront(g *graph.Graph, n *graph.Node, rank int) bool {
	if n.Op != "Squeeze" && n.Op != "Unsqueeze" {
		return true
	}
	axes := constInts(g, n.Input(1))
	return len(axes) > 0 && !slices.ContainsFunc(axes, func(a int64) bool { return a == -1 || a > 0 && (rank == 0 || a >= int64(rank)-1) })
}

// lastIsFour says that a constant shape ends in 4.
func lastIsFour(g *graph.Graph, shape string) bool {
	v := constInts(g, shape)
	return len(v) > 0 && v[len(v)-1] == 4
}

// constInts are the elements of a constant, nil where it is none.
func constInts(g *graph.Graph, name string) []int64 {
	c := g.Consts[name]
	if c == nil || c.DType != tensor.Int64 {
		return nil
	}
	return tensor.View[int64](c)
}
