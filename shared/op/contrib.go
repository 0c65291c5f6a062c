package op

import (
	"fmt"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// contribOps are operators of com.microsoft, most of them written by ONNX Runtime's optimiser, that say what nodes of
// ai.onnx say too. They are respelled as those when a model is read and exist nowhere else: what quantizes, shares or fuses
// knows one spelling.
var contribOps = slices.Concat(
	[]*Op{
		respelled("Gelu", Arity{1, 1}, Arity{1, 1}, spellGelu("none")),
		respelled("BiasGelu", Arity{2, 2}, Arity{1, 1}, spellGelu("none")),
		respelled("FastGelu", Arity{1, 2}, Arity{1, 1}, spellGelu("tanh")),
		respelled("QuickGelu", Arity{1, 1}, Arity{1, 1}, spellQuickGelu, "alpha"),
		respelled("Trilu", Arity{1, 2}, Arity{1, 1}, spellAlias("Trilu", "upper"), "upper"),
		respelled("GatherND", Arity{2, 2}, Arity{1, 1}, spellAlias("GatherND")),
		respelled("Pad", Arity{2, 3}, Arity{1, 1}, spellAlias("Pad", "mode"), "mode"),
	},
	contribNormOps, contribProductOps, contribAttentionOps, contribIntegerOps,
)

// respelled is an operator that only Upgrade sees. Its Infer only ever answers with an error, because no such node is
// left once the model has been read; that error would name a node which a pass had put in by mistake.
func respelled(name string, inputs, outputs Arity, spell func(s *speller) error, attrs ...string) *Op {
	return respelledIn(microsoft, name, inputs, outputs, spell, attrs...)
}

// respelledIn is respelled in a domain. The checks that declared makes for other operators are made inside Upgrade,
// which runs before any shape is known: a file may name too few inputs, or an attribute whose meaning would be lost.
func respelledIn(domain, name string, inputs, outputs Arity, spell func(s *speller) error, attrs ...string) *Op {
	slices.Sort(attrs)
	return &Op{
		Domain: domain, Name: name, Opsets: []int{1}, Role: RoleFloat, Inputs: inputs, Outputs: outputs, Attrs: attrs,
		Infer: func(*Infer) error { return fmt.Errorf("it is spelled in other operators once a model is read") },
		Upgrade: func(u *Upgrade) error {
			if err := inputs.check("inputs", len(u.Node.Inputs)); err != nil {
				return err
			}
			if err := outputs.check("outputs", len(u.Node.Outputs)); err != nil {
				return err
			}
			if u.Node.Inputs[0] == "" {
				return fmt.Errorf("input 0 is omitted but required")
			}
			for _, a := range u.Node.Attrs {
				if !slices.Contains(attrs, a.Name) {
					return fmt.Errorf("attribute %s is not supported", a.Name)
				}
			}
			old := *u.Node
			return spell(&speller{Upgrade: u, old: &old})
		},
	}
}

// speller writes nodes of ai.onnx in the place of one node. old is the node as the file has it; the node itself becomes the
// last one that is written (end), so that its name stays with the operation that gives its result.
type speller struct {
	*Upgrade
	old *graph.Node
}

// in is input i of the file's node, "" when it is omitted.
func (s *speller) in(i int) string { return s.old.Input(i) }

// wants reports whether output i has a name.
func (s *speller) wants(i int) bool { return i < len(s.old.Outputs) && s.old.Outputs[i] != "" }

// add writes a node in front and returns the name of its result.
func (s *speller) add(op string, inputs []string, attrs ...graph.Attr) string {
	name := s.Fresh(op)
	s.addTo(name, op, inputs, attrs...)
	return name
}

// addTo is add with a result that has a name already.
func (s *speller) addTo(out, op string, inputs []string, attrs ...graph.Attr) {
	s.Before = append(s.Before, made(s.Fresh(op+"_node"), op, inputs, []string{out}, attrs))
}

// end makes the node itself the last one, whose results are the first outputs of the file's node.
func (s *speller) end(op string, inputs []string, attrs ...graph.Attr) {
	*s.Node = *made(s.old.Name, op, inputs, s.old.Outputs[:1], attrs)
	s.Node.Doc = s.old.Doc
}

// start makes the node itself the first one, followed by what then writes behind it: the operation that has the weights
// keeps the name. then gets the result and names the nodes that follow. Nodes that then appends to s.Before are moved
// behind the node; last, the value that then returns, takes over the name of the file's output everywhere it stands, so
// graph outputs and readers need no change.
func (s *speller) start(op string, inputs []string, attrs []graph.Attr, then func(v string) string) {
	v := s.Fresh(op)
	*s.Node = *made(s.old.Name, op, inputs, []string{v}, attrs)
	before := len(s.Before)
	last := then(v)
	s.After = append(s.After, s.Before[before:]...)
	s.Before = s.Before[:before]
	rename := func(names []string) {
		for i := range names {
			if names[i] == last {
				names[i] = s.old.Outputs[0]
			}
		}
	}
	rename(s.Node.Outputs)
	for _, n := range s.After {
		rename(n.Inputs)
		rename(n.Outputs)
	}
}

// made cuts omitted inputs from the end, since ONNX gives "" there the same meaning as their absence and arities are
// checked by count.
func made(name, op string, inputs, outputs []string, attrs []graph.Attr) *graph.Node {
	for len(inputs) > 0 && inputs[len(inputs)-1] == "" {
		inputs = inputs[:len(inputs)-1]
	}
	n := &graph.Node{Name: name, Op: op, Inputs: slices.Clone(inputs), Outputs: slices.Clone(outputs)}
	for _, a := range attrs {
		n.Set(a)
	}
	return n
}

// number adds a float constant without axes, ints an integer list.
func (s *speller) number(v float32) string { return s.AddConst("number", scalar(v)) }

func (s *speller) ints(v ...int64) string { return s.AddConst("ints", int64s(v...)) }

// Attributes of nodes that are written.
func intAttr(name string, v int64) graph.Attr {
	return graph.Attr{Name: name, Kind: graph.KindInt, Int: v}
}

func intsAttr(name string, v ...int64) graph.Attr {
	return graph.Attr{Name: name, Kind: graph.KindInts, Ints: v}
}

func floatAttr(name string, v float32) graph.Attr {
	return graph.Attr{Name: name, Kind: graph.KindFloat, Float: v}
}

func stringAttr(name, v string) graph.Attr {
	return graph.Attr{Name: name, Kind: graph.KindString, Str: []byte(v)}
}

// plus adds a value that may be omitted. A sum is its own Add node and not a bias: which side is constant decides later
// whether a layer absorbs it.
func (s *speller) plus(v, other string) string {
	if other == "" {
		return v
	}
	return s.add("Add", []string{v, other})
}

// spellGelu: Gelu of the input plus a bias where there is one. form is attribute approximate: none is x/2*(1+erf(x/sqrt
// 2)), tanh the cubic approximation.
func spellGelu(form string) func(s *speller) error {
	return func(s *speller) error {
		s.end("Gelu", []string{s.plus(s.in(0), s.in(1))}, stringAttr("approximate", form))
		return nil
	}
}

// spellQuickGelu: x * sigmoid(alpha*x). The product alpha*x is skipped for alpha 1, as ONNX Runtime's fusion writes
// SiLU that way and quantization knows x*sigmoid(x).
func spellQuickGelu(s *speller) error {
	gate := s.in(0)
	if alpha := s.old.Float("alpha", 1.702); alpha != 1 {
		gate = s.add("Mul", []string{gate, s.number(alpha)})
	}
	s.end("Mul", []string{s.in(0), s.add("Sigmoid", []string{gate})})
	return nil
}

// spellAlias is an operator that ai.onnx has under the same name, inputs and attributes.
func spellAlias(name string, attrs ...string) func(s *speller) error {
	return func(s *speller) error {
		var keep []graph.Attr
		for _, a := range s.old.Attrs {
			if slices.Contains(attrs, a.Name) {
				keep = append(keep, a)
			}
		}
		s.end(name, s.old.Inputs, keep...)
		return nil
	}
}

// kept returns the attributes of the file's node among names.
func (s *speller) kept(names []string) (out []graph.Attr) {
	for _, a := range s.old.Attrs {
		if slices.Contains(names, a.Name) {
			out = append(out, a)
		}
	}
	return out
}

// spellAct writes the activation of a fused operator behind v and returns its result; "" is none. Parameters come from
// activation_params, or one by one from activation_alpha and activation_beta; defaults are those of the operator of
// that name in ai.onnx.
func (s *speller) spellAct(v string) (string, error) {
	p := floatList(s.old, "activation_params")
	param := func(i int, def float32) float32 {
		if i < len(p) {
			return p[i]
		}
		return s.old.Float([]string{"activation_alpha", "activation_beta"}[i], def)
	}
	switch name := s.old.Str("activation", ""); name {
	case "":
		return v, nil
	case "Relu", "Tanh", "Sigmoid", "Softsign", "Softplus":
		return s.add(name, []string{v}), nil
	case "LeakyRelu":
		return s.add(name, []string{v}, floatAttr("alpha", param(0, 0.01))), nil
	case "HardSigmoid":
		return s.add(name, []string{v}, floatAttr("alpha", param(0, 0.2)), floatAttr("beta", param(1, 0.5))), nil
	case "Clip":
		if len(p) != 2 {
			return "", fmt.Errorf("activation Clip has %d parameters, 2 are required", len(p))
		}
		return s.add(name, []string{v, s.AddConst("min", scalar(p[0])), s.AddConst("max", scalar(p[1]))}), nil
	default:
		return "", fmt.Errorf("activation %q is not supported", name)
	}
}

// rank is the number of axes of a value; def where nothing says it, which later steps check. Ranks come from constants
// and from what the reader could infer of the file; a node whose spelling needs one that is unknown must refuse, not
// guess, unless def is safe.
func (s *speller) rank(name string, def int) int {
	if t := s.Const(name); t != nil {
		return len(t.Shape)
	}
	if r, ok := s.Rank(name); ok {
		return r
	}
	return def
}

// weight is a constant input.
func (s *speller) weight(i int, what string) (*tensor.Tensor, error) {
	t := s.Const(s.in(i))
	if t == nil {
		return nil, fmt.Errorf("input %d (%s) is no constant", i, what)
	}
	return t, nil
}

// ranked are the operators of com.microsoft whose spelling depends on numbers of axes.
var ranked = map[string]bool{
	"FusedMatMul": true, "TransposeMatMul": true, "FusedMatMulActivation": true, "Attention": true, "QAttention": true,
	"MultiHeadAttention": true, "SimplifiedLayerNormalization": true, "QLinearGlobalAveragePool": true,
}
