package op

import (
	"fmt"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// upgradeScan spells the form of opset 8 as that of today. There every value has a batch in front, and a list of lengths,
// which may be omitted, stands first among the inputs:
//
//	y..., z... = Scan8(lengths, state..., x...) {body}
//
// becomes one Scan inside another: the outer one cuts everything along the batch and joins along it what it gets, the inner
// one is the old node for one sample.
//
//	y..., z... = Scan(state..., x...) {body=graph(s..., e...) { f..., o... = Scan(s..., e...) {body} }}
func upgradeScan(u *Upgrade) error {
	if u.From >= 9 {
		return nil
	}
	n := u.Node
	if len(n.Inputs) == 0 {
		return fmt.Errorf("it has no inputs")
	}
	inner := &graph.Node{Name: n.Name + "/sample", Op: n.Op, Inputs: slices.Clone(n.Inputs[1:]), Outputs: slices.Clone(n.Outputs), Attrs: slices.Clone(n.Attrs)}
	if d := n.Ints("directions"); d != nil {
		inner.SetInts("scan_input_directions", d)
	}
	inner.Unset("directions")
	s, err := scanOf(inner)
	if err != nil {
		return err
	}
	body := &graph.Graph{Name: "sample", Consts: map[string]*tensor.Tensor{}, Types: map[string]graph.Type{}, Nodes: []*graph.Node{inner}}
	body.Inputs, inner.Inputs = freshPorts(u, "in", len(inner.Inputs))
	body.Outputs, inner.Outputs = freshPorts(u, "out", len(inner.Outputs))
	lengths := n.Inputs[0]
	n.Inputs, n.Attrs = slices.Clone(n.Inputs[1:]), nil
	if lengths != "" {
		n.Inputs = append(n.Inputs, lengths)
		cutToLength(u, s, body, inner)
	}
	n.SetInt("num_scan_inputs", int64(len(n.Inputs)))
	n.Set(graph.Attr{Name: "body", Kind: graph.KindGraph, Graph: body})
	return nil
}

// freshPorts names k values that know no type.
func freshPorts(u *Upgrade, hint string, k int) (ports []graph.Port, names []string) {
	for range k {
		names = append(names, u.Fresh(hint))
		ports = append(ports, graph.Port{Name: names[len(names)-1]})
	}
	return ports, names
}

// cutToLength gives the body of one sample that sample's length as a last input. What the inner Scan reads ends there, and
// what it joins is filled with zeros to the whole length again: opset 8 leaves those elements undefined. A reverse direction
// therefore begins at the sample's own last element and not at the axis's, and its outputs are joined in the order of the
// steps, from position 0 on: "N = sequence_lengths[batch]" bounds the loop of Scan-8, and ONNX Runtime skips what lies
// behind it. A length outside of the axis counts as its nearer end.
func cutToLength(u *Upgrade, s scan, body *graph.Graph, inner *graph.Node) {
	zero := u.AddConst("first", int64s(0))
	length := u.Fresh("length")
	body.Inputs = append(body.Inputs, graph.Port{Name: length})
	var before, after []*graph.Node
	add := func(list *[]*graph.Node, op, out string, attr *graph.Attr, in ...string) string {
		n := &graph.Node{Name: inner.Name + "/" + op, Op: op, Inputs: in, Outputs: []string{out}}
		if attr != nil {
			n.Set(*attr)
		}
		*list = append(*list, n)
		return out
	}
	cut := inner.Inputs[s.states:]
	one := graph.Attr{Name: "end", Kind: graph.KindInt, Int: 1}
	axis := graph.Attr{Name: "axis", Kind: graph.KindInt}
	whole := add(&before, "Shape", u.Fresh("whole"), &one, cut[0])
	asked := add(&before, "Unsqueeze", u.Fresh("asked"), nil, length, zero)
	below := add(&before, "Min", u.Fresh("below"), nil, asked, whole)
	used := add(&before, "Max", u.Fresh("used"), nil, below, zero)
	for i, x := range cut {
		cut[i] = add(&before, "Slice", u.Fresh("cut"), nil, x, zero, used, zero)
	}
	rest := add(&after, "Sub", u.Fresh("rest"), nil, whole, used)
	pads := add(&after, "Concat", u.Fresh("pads"), &axis, zero, rest)
	for i := s.states; i < len(inner.Outputs); i++ {
		out := inner.Outputs[i]
		inner.Outputs[i] = u.Fresh("joined")
		add(&after, "Pad", out, nil, inner.Outputs[i], pads, "", zero)
	}
	body.Nodes = slices.Concat(before, body.Nodes, after)
}
