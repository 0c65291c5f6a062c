package op

import (
	"fmt"
	"math"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// contribAttentionOps are attention with its projections and masks, as ONNX Runtime's transformer optimiser fuses it.
// They are spelled as the MatMul, Softmax and Transpose nodes that they stand for: only so can a plan place points
// inside them (MatMul of two computed tensors is a layer of its own), and only so does a BERT from the optimiser
// quantize like one from the exporter.
var contribAttentionOps = []*Op{
	respelled("Attention", Arity{3, 7}, Arity{1, 2}, spellAttention,
		"do_rotary", "mask_filter_value", "num_heads", "past_present_share_buffer", "qkv_hidden_sizes", "rotary_embedding_dim", "scale", "unidirectional"),
	respelled("QAttention", Arity{5, 9}, Arity{1, 2}, spellQAttention,
		"do_rotary", "mask_filter_value", "num_heads", "past_present_share_buffer", "scale", "unidirectional"),
	respelled("MultiHeadAttention", Arity{1, 10}, Arity{1, 4}, spellMultiHead, "mask_filter_value", "num_heads", "scale", "unidirectional"),
}

// fusedHeads is what the forms share: queries, keys and values [batch][steps][hidden]. q, k and v are names of values;
// heads divides hidden. mask and bias are "" when there is none.
type fusedHeads struct {
	q, k, v    string
	heads      int64
	head       int    // elements of a head of the queries, for the default scale
	mask, bias string // see speller.masked; bias is added to the scores
}

// refuse names what is not supported of an attention node, "" for nothing. past are the indices of inputs that would
// carry state between calls. State is refused, not ignored: a model with a past gives other numbers than one without.
func refuseAttention(s *speller, past ...int) error {
	switch {
	case s.old.Int("num_heads", 0) < 1:
		return fmt.Errorf("num_heads is %d", s.old.Int("num_heads", 0))
	case s.old.Int("do_rotary", 0) != 0:
		return fmt.Errorf("do_rotary is not supported")
	case s.wants(1) || s.wants(2) || s.wants(3):
		return fmt.Errorf("its outputs of keys and values are not supported")
	}
	for _, i := range past {
		if s.in(i) != "" {
			return fmt.Errorf("input %d (past) is not supported", i)
		}
	}
	return nil
}

// spellAttention: inputs are data, weights [in][q+k+v], bias, mask, past, score bias. The weights are one matrix for
// all three projections, so the MatMul in front is one layer with per-column scales.
func spellAttention(s *speller) error {
	if err := refuseAttention(s, 4, 6); err != nil {
		return err
	}
	w, err := s.weight(1, "weights")
	if err != nil || len(w.Shape) != 2 {
		return fmt.Errorf("weights are no constant matrix")
	}
	joined := s.plus(s.add("MatMul", []string{s.in(0), s.in(1)}), s.in(2))
	return s.attendJoined(joined, w.Shape[1], s.in(3), s.in(5))
}

// spellQAttention: inputs are data, weights, bias, their scales, mask, their zero points, past. The integer projection
// stays integer: MatMulIntegerToFloat in the inputs' order [a, b, a_scale, b_scale, a_zero, b_zero, bias].
func spellQAttention(s *speller) error {
	if err := refuseAttention(s, 8); err != nil {
		return err
	}
	w, err := s.weight(1, "weights")
	if err != nil || len(w.Shape) != 2 {
		return fmt.Errorf("weights are no constant matrix")
	}
	joined := s.Fresh("joined")
	n := made(s.Fresh("joined_node"), "MatMulIntegerToFloat", []string{s.in(0), s.in(1), s.in(3), s.in(4), s.in(6), s.in(7), s.in(2)}, []string{joined}, nil)
	n.Domain = microsoft
	s.Before = append(s.Before, n)
	return s.attendJoined(joined, w.Shape[1], s.in(5), "")
}

// attendJoined splits queries, keys and values, which stand side by side. sizes default to a third each. head, the
// elements of one query head, is where the default scale 1/sqrt(head) comes from.
func (s *speller) attendJoined(joined string, columns int, mask, bias string) error {
	sizes := s.old.Ints("qkv_hidden_sizes")
	if sizes == nil {
		sizes = []int64{int64(columns / 3), int64(columns / 3), int64(columns / 3)}
	}
	if len(sizes) != 3 || slices.Min(sizes) < 1 || sizes[0]+sizes[1]+sizes[2] != int64(columns) {
		return fmt.Errorf("%d columns do not fit sizes %v of queries, keys and values", columns, sizes)
	}
	a := fusedHeads{heads: s.old.Int("num_heads", 1), mask: mask, bias: bias}
	a.head = int(sizes[0] / a.heads)
	parts := [3]string{s.Fresh("queries"), s.Fresh("keys"), s.Fresh("values")}
	n := made(s.Fresh("split"), "Split", []string{joined, s.ints(sizes...)}, parts[:], []graph.Attr{intAttr("axis", -1)})
	s.Before = append(s.Before, n)
	a.q, a.k, a.v = parts[0], parts[1], parts[2]
	return s.attend(a)
}

// spellMultiHead: inputs are queries, keys, values, their biases side by side, padding mask, score bias, past.
func spellMultiHead(s *speller) error {
	if err := refuseAttention(s, 6, 7, 8, 9); err != nil {
		return err
	}
	a := fusedHeads{q: s.in(0), k: s.in(1), v: s.in(2), heads: s.old.Int("num_heads", 1), mask: s.in(4), bias: s.in(5)}
	if a.k == "" || a.v == "" || s.rank(a.k, 3) != 3 || s.rank(a.q, 3) != 3 {
		return fmt.Errorf("packed queries, keys and values are not supported")
	}
	if s.in(3) != "" {
		b, err := s.weight(3, "bias")
		if err != nil {
			return err
		}
		if b.DType != tensor.Float32 || b.Len()%3 != 0 || b.Len() == 0 {
			return fmt.Errorf("bias is %s%v", b.DType, b.Shape)
		}
		n := b.Len() / 3
		for i, v := range []*string{&a.q, &a.k, &a.v} {
			*v = s.add("Add", []string{*v, s.AddConst("bias", tensor.Of(tensor.Float32, []int{n}, b.F32()[i*n:(i+1)*n]))})
		}
		a.head = n / int(a.heads)
	} else if s.old.Float("scale", 0) == 0 {
		return fmt.Errorf("neither scale nor bias says how large a head is")
	}
	return s.attend(a)
}

// attend writes softmax(q*k^T*scale + masks) * v by heads, and joins the heads. Reshape to [0, 0, heads, -1] keeps
// batch and steps symbolic. Keys are transposed to [B][H][D][T] at once, which saves a Transpose in front of the
// product.
func (s *speller) attend(a fusedHeads) error {
	split := s.ints(0, 0, a.heads, -1)
	byHead := func(v string, perm ...int64) string {
		return s.add("Transpose", []string{s.add("Reshape", []string{v, split})}, intsAttr("perm", perm...))
	}
	q, k, v := byHead(a.q, 0, 2, 1, 3), byHead(a.k, 0, 2, 3, 1), byHead(a.v, 0, 2, 1, 3)
	scale := s.old.Float("scale", 0)
	if scale == 0 {
		scale = float32(1 / math.Sqrt(float64(a.head)))
	}
	scores := s.add("Mul", []string{s.add("MatMul", []string{q, k}), s.number(scale)})
	scores = s.plus(scores, a.bias)
	if a.mask != "" {
		var err error
		if scores, err = s.masked(scores, a.mask); err != nil {
			return err
		}
	}
	if s.old.Int("unidirectional", 0) != 0 {
		scores = s.causal(scores)
	}
	joined := s.add("MatMul", []string{s.add("Softmax", []string{scores}, intAttr("axis", -1)), v})
	back := s.add("Transpose", []string{joined}, intsAttr("perm", 0, 2, 1, 3))
	s.end("Reshape", []string{back, s.ints(0, 0, -1)})
	return nil
}

// masked adds the filter value where the mask hides a key. Integer masks are [batch] (how many keys count),
// [batch][keys] or [batch][queries][keys] (0 hides). The value -10000 is the default of mask_filter_value; the sum and
// not a selection is what ONNX Runtime computes, so a score of more than 10000 would shine through there as well.
func (s *speller) masked(scores, mask string) (string, error) {
	filter := s.number(s.old.Float("mask_filter_value", -10000))
	rank := s.rank(mask, 2)
	seen := ""
	if rank == 1 {
		keys := s.add("Shape", []string{scores}, intAttr("start", 3), intAttr("end", 4))
		n := s.add("Squeeze", []string{keys})
		at := s.add("Range", []string{s.AddConst("zero", tensor.Of(tensor.Int64, nil, []int64{0})), n, s.AddConst("one", tensor.Of(tensor.Int64, nil, []int64{1}))})
		count := s.add("Unsqueeze", []string{s.add("Cast", []string{mask}, intAttr("to", int64(tensor.Int64))), s.ints(1)})
		seen = s.add("Less", []string{at, count})
		rank = 2
	} else {
		seen = s.add("Cast", []string{mask}, intAttr("to", int64(tensor.Bool)))
	}
	var axes []int64
	switch rank {
	case 2:
		axes = []int64{1, 2}
	case 3:
		axes = []int64{1}
	default:
		return "", fmt.Errorf("a mask of %d axes is not supported", rank)
	}
	hidden := s.add("Where", []string{seen, s.number(0), filter})
	return s.add("Add", []string{scores, s.add("Unsqueeze", []string{hidden, s.ints(axes...)})}), nil
}

// causal hides keys behind the query. It takes the lowest float where masked adds: Where has no arithmetic, so
// infinities cannot arise. Query i sees keys 0 to i.
func (s *speller) causal(scores string) string {
	ends := [2]string{}
	for i := range ends {
		n := s.add("Squeeze", []string{s.add("Shape", []string{scores}, intAttr("start", int64(2+i)), intAttr("end", int64(3+i)))})
		ends[i] = s.add("Range", []string{s.AddConst("zero", tensor.Of(tensor.Int64, nil, []int64{0})), n, s.AddConst("one", tensor.Of(tensor.Int64, nil, []int64{1}))})
	}
	rows := s.add("Unsqueeze", []string{ends[0], s.ints(1)})
	seen := s.add("GreaterOrEqual", []string{rows, ends[1]})
	return s.add("Where", []string{seen, scores, s.number(-math.MaxFloat32)})
}
