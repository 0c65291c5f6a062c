package graph

import (
	"fmt"
	"strings"

	"assay/shared/tensor"
)

// header reads a statement about the model, whose keyword is the next token; ok is false when it is none.
func (p *parser) header(m *Model) (ok bool, err error) {
	word := p.peek().text
	if field := map[string]*int{"opset": &m.Opset, "file_opset": &m.FileOpset, "ir": &m.IRVersion}[word]; field != nil {
		p.next()
		n, err := p.number("a number", 32)
		*field = int(n)
		return true, err
	}
	if field := map[string]*string{
		"producer": &m.Producer, "producer_version": &m.Version, "domain": &m.Domain, "model_doc": &m.Doc,
	}[word]; field != nil {
		p.next()
		*field, err = p.name("a string")
		return true, err
	}
	switch word {
	case "version":
		p.next()
		m.ModelVer, err = p.number("a number", 64)
	case "import":
		p.next()
		err = p.opset(&m.Opsets)
	case "meta":
		p.next()
		err = p.pair(m)
	case "func":
		p.next()
		err = p.function(m)
	default:
		return false, nil
	}
	return true, err
}

// pair reads a metadata entry.
func (p *parser) pair(m *Model) error {
	key, err := p.name("a key")
	if err != nil {
		return err
	}
	value, err := p.name("a value")
	m.Metadata = append(m.Metadata, Pair{key, value})
	return err
}

// opset reads a domain and a version into the map.
func (p *parser) opset(into *map[string]int) error {
	domain, err := p.name("a domain")
	if err != nil {
		return err
	}
	n, err := p.number("an opset version", 32)
	if *into == nil {
		*into = map[string]int{}
	}
	(*into)[domain] = int(n)
	return err
}

// operator reads Op, domain.Op or "domain":"Op".
func (p *parser) operator() (domain, op string, err error) {
	t := p.peek()
	if t.kind == tokString {
		p.next()
		if err := p.expect(":"); err != nil {
			return "", "", err
		}
		op, err = p.name("an operator")
		return t.text, op, err
	}
	if op, err = p.name("an operator"); err != nil {
		return "", "", err
	}
	if i := strings.LastIndexByte(op, '.'); i >= 0 {
		return op[:i], op[i+1:], nil
	}
	return "", op, nil
}

// function reads a model-local function after its keyword. Functions hold no constants, since ONNX's have none.
func (p *parser) function(m *Model) error {
	var f Function
	var err error
	if f.Domain, f.Name, err = p.operator(); err != nil {
		return err
	}
	if f.Inputs, err = p.names(); err != nil {
		return err
	}
	if f.Outputs, err = p.names(); err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	body := newGraph()
	for !p.accept("}") {
		if err := p.functionLine(&f, body); err != nil {
			return err
		}
	}
	if len(body.Consts) > 0 {
		return fmt.Errorf("function %q holds constants; write Constant nodes", f.Name)
	}
	f.Nodes = body.Nodes
	m.Functions = append(m.Functions, f)
	return nil
}

// functionLine reads attr, default, import or a definition. A keyword is one only where a word follows.
func (p *parser) functionLine(f *Function, body *Graph) error {
	next := p.after()
	if p.peek().kind == tokWord && (next.kind == tokWord || next.kind == tokString) {
		switch p.next().text {
		case "attr":
			f.Attrs = append(f.Attrs, p.next().text)
			return nil
		case "default":
			a, err := p.attr()
			f.Defaults = append(f.Defaults, a)
			return err
		case "import":
			return p.opset(&f.Opsets)
		}
		return fmt.Errorf("%s where attr, default, import or a definition is expected", next)
	}
	return p.definition(body)
}

// typ reads float32[N,3], float32, ?[2], ? or a container: sequence(float32[N]), optional. What stands in a container is
// checked at every step, so no text nests deeply.
func (p *parser) typ() (Type, error) {
	var t Type
	var err error
	if !p.accept("?") {
		if t.DType, err = p.dtype(); err != nil {
			return t, err
		}
	}
	if t.DType.Container() && p.accept("(") {
		if next := p.peek().text; next == "optional" || next == "sequence" && t.DType == tensor.Sequence {
			return t, fmt.Errorf("%s where the item type of %s is expected", p.peek(), t.DType)
		}
		elem, err := p.typ()
		if err != nil {
			return t, err
		}
		t = Of(t.DType, elem)
		return t, p.expect(")")
	}
	if t.DType.Container() {
		return t, nil
	}
	if !p.accept("[") {
		return t, nil
	}
	t.Ranked, t.Shape = true, []Dim{}
	err = p.list("]", func() error {
		d, err := p.dim()
		t.Shape = append(t.Shape, d)
		return err
	})
	return t, err
}

// dtype reads an element type; types without a name of their own are written dtype(22).
func (p *parser) dtype() (tensor.DType, error) {
	s, err := p.name("an element type")
	if err != nil {
		return 0, err
	}
	if s == "dtype" && p.accept("(") {
		n, err := p.number("a type number", 16)
		if err != nil {
			return 0, err
		}
		if n < 0 || n > 255 || tensor.DType(n).Container() {
			return 0, fmt.Errorf("element type dtype(%d) is out of range", n)
		}
		return tensor.DType(n), p.expect(")")
	}
	return tensor.ParseDType(s)
}

// dim reads a size, a symbol or ?. What begins like a number is one; symbols that do are quoted.
func (p *parser) dim() (Dim, error) {
	if p.accept("?") {
		return Dim{N: -1}, nil
	}
	t := p.peek()
	if t.kind == tokWord && !symbol(t.text) {
		n, err := p.number("a size", 64)
		if err == nil && (n < 0 || int64(int(n)) != n) {
			err = fmt.Errorf("size %d is impossible", n)
		}
		return Dim{N: int(n)}, err
	}
	s, err := p.name("a size")
	return Dim{N: -1, Sym: s}, err
}

// symbol reports whether a bare word in a shape is a symbol rather than a number.
func symbol(s string) bool {
	return bare(s) && (s[0] < '0' || s[0] > '9') && s[0] != '-' && s[0] != '+'
}
