package graph

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"assay/shared/tensor"
)

// kindNames are the words for attribute kinds in `ref NAME KIND`; those of lists also open a typed list.
var kindNames = map[string]Kind{
	"float": KindFloat, "int": KindInt, "string": KindString, "tensor": KindTensor, "graph": KindGraph,
	"floats": KindFloats, "ints": KindInts, "strings": KindStrings, "tensors": KindTensors, "graphs": KindGraphs,
	"other": KindOther,
}

func (k Kind) String() string {
	for name, kind := range kindNames {
		if kind == k {
			return name
		}
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// attr reads name=value.
func (p *parser) attr() (Attr, error) {
	var a Attr
	var err error
	if a.Name, err = p.name("an attribute name"); err != nil {
		return a, err
	}
	if err := p.expect("="); err != nil {
		return a, err
	}
	if err := p.value(&a); err != nil {
		return a, fmt.Errorf("attribute %q: %w", a.Name, err)
	}
	return a, nil
}

// value reads what stands behind the sign of equality; its first token says which kind it is. Words decide: a kind in
// front of '[' is a typed list, tensor, graph, ref and raw open their forms, everything else is a number.
func (p *parser) value(a *Attr) (err error) {
	t := p.peek()
	switch {
	case t.kind == tokString:
		p.next()
		a.Kind, a.Str = KindString, []byte(t.text)
		return nil
	case p.accept("["):
		return p.anyList(a)
	case t.kind != tokWord:
		return fmt.Errorf("%s where a value is expected", t)
	}
	next := p.after()
	list := next.kind == tokPunct && next.text == "["
	switch kind := kindNames[t.text]; {
	case list && kind >= KindFloats && kind <= KindGraphs:
		p.next()
		p.next()
		a.Kind = kind
		return p.typedList(a)
	case t.text == "tensor":
		p.next()
		a.Kind = KindTensor
		a.Tensor, err = p.typedTensor()
		return err
	case t.text == "graph":
		p.next()
		a.Kind = KindGraph
		a.Graph, err = p.nested()
		return err
	case t.text == "ref":
		p.next()
		return p.ref(a)
	case t.text == "raw" && next.kind == tokString:
		p.next()
		a.Kind, a.Raw = KindOther, []byte(p.next().text)
		return nil
	}
	p.next()
	return scalar(a, t.text)
}

// ref reads the name of a function's attribute and the kind that it has.
func (p *parser) ref(a *Attr) (err error) {
	if a.Ref, err = p.name("an attribute of the function"); err != nil {
		return err
	}
	kind, err := p.name("a kind")
	if err != nil {
		return err
	}
	if a.Kind = kindNames[kind]; a.Kind == 0 {
		return fmt.Errorf("kind %q is unknown", kind)
	}
	return nil
}

// scalar takes a word as an integer if it is one, else as a float. inf and nan are floats; 1 is an integer and 1.0 a
// float, which is why formatFloat32 adds a point.
func scalar(a *Attr, s string) error {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		a.Kind, a.Int = KindInt, n
		return nil
	}
	f, err := parseFloat32(s)
	a.Kind, a.Float = KindFloat, f
	return err
}

// parseFloat32 reads a float; nan:7fc00001 is a NaN with that pattern, nan the canonical one.
func parseFloat32(s string) (float32, error) {
	if hex, ok := strings.CutPrefix(s, "nan:"); ok {
		bits, err := strconv.ParseUint(hex, 16, 32)
		if f := math.Float32frombits(uint32(bits)); err == nil && f != f {
			return f, nil
		}
		return 0, fmt.Errorf("%q is no NaN", s)
	}
	if s == "nan" {
		return math.Float32frombits(canonicalNaN), nil
	}
	f, err := strconv.ParseFloat(s, 32)
	if err != nil || f != f {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return float32(f), nil
}

const canonicalNaN = 0x7fc00000

// anyList reads a list whose items say what it is, after '['.
func (p *parser) anyList(a *Attr) error {
	var words []string
	strs := false
	err := p.list("]", func() error {
		t := p.next()
		if t.kind != tokWord && t.kind != tokString || len(words) > 0 && strs != (t.kind == tokString) {
			return fmt.Errorf("%s in a list of %d items", t, len(words))
		}
		strs = t.kind == tokString
		words = append(words, t.text)
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(words) == 0:
		return fmt.Errorf("an empty list is written ints[], floats[] or strings[]")
	case strs:
		a.Kind = KindStrings
	default:
		a.Kind = KindInts
	}
	for _, w := range words {
		if _, err := strconv.ParseInt(w, 10, 64); err != nil && a.Kind == KindInts {
			a.Kind = KindFloats
		}
	}
	for _, w := range words {
		if err := appendWord(a, w); err != nil {
			return err
		}
	}
	return nil
}

// appendWord adds one item to the list that a.Kind names.
func appendWord(a *Attr, w string) error {
	switch a.Kind {
	case KindInts:
		n, err := strconv.ParseInt(w, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no integer of 64 bits", w)
		}
		a.Ints = append(a.Ints, n)
		return nil
	case KindFloats:
		f, err := parseFloat32(w)
		a.Floats = append(a.Floats, f)
		return err
	}
	a.Strs = append(a.Strs, []byte(w))
	return nil
}

// typedList reads the items of a list of known kind, after '['.
func (p *parser) typedList(a *Attr) error {
	return p.list("]", func() error {
		switch a.Kind {
		case KindTensors:
			if w := p.next(); w.text != "tensor" {
				return fmt.Errorf("%s where 'tensor' is expected", w)
			}
			t, err := p.typedTensor()
			a.Tensors = append(a.Tensors, t)
			return err
		case KindGraphs:
			if w := p.next(); w.text != "graph" {
				return fmt.Errorf("%s where 'graph' is expected", w)
			}
			g, err := p.nested()
			a.Graphs = append(a.Graphs, g)
			return err
		}
		w, err := p.name("an item")
		if err != nil {
			return err
		}
		return appendWord(a, w)
	})
}

// nested reads a graph after its keyword: an optional name, then statements in braces.
func (p *parser) nested() (*Graph, error) {
	g := newGraph()
	if !p.is("{") {
		name, err := p.name("a graph name")
		if err != nil {
			return nil, err
		}
		g.Name = name
	}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	if err := p.statements(g, false); err != nil {
		return nil, err
	}
	return g, p.expect("}")
}

func (p *parser) typedTensor() (*tensor.Tensor, error) {
	t, err := p.typ()
	if err != nil {
		return nil, err
	}
	return p.tensor(t)
}
