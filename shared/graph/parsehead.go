package graph

import (
	"fmt"
	"strings"

	"assay/shared/tensor"
)

// headers are the statements about the model; each reads what follows its keyword.
var headers map[string]func(*parser, *Model) error

func init() {
	headers = map[string]func(*parser, *Model) error{
		"opset":            small(func(m *Model) *int { return &m.Opset }),
		"file_opset":       small(func(m *Model) *int { return &m.FileOpset }),
		"ir":               small(func(m *Model) *int { return &m.IRVersion }),
		"producer":         word(func(m *Model) *string { return &m.Producer }),
		"producer_version": word(func(m *Model) *string { return &m.Version }),
		"domain":           word(func(m *Model) *string { return &m.Domain }),
		"model_doc":        word(func(m *Model) *string { return &m.Doc }),
		"version": func(p *parser, m *Model) (err error) {
			m.ModelVer, err = p.number("a number", 64)
			return err
		},
		"import": func(p *parser, m *Model) error { return p.opset(&m.Opsets) },
		"meta": func(p *parser, m *Model) error {
			key, err := p.name("a key")
			if err != nil {
				return err
			}
			value, err := p.name("a value")
			m.Metadata = append(m.Metadata, Pair{key, value})
			return err
		},
		"func": (*parser).function,
	}
}

func small(field func(*Model) *int) func(*parser, *Model) error {
	return func(p *parser, m *Model) error {
		n, err := p.number("a number", 32)
		*field(m) = int(n)
		return err
	}
}

func word(field func(*Model) *string) func(*parser, *Model) error {
	return func(p *parser, m *Model) (err error) {
		*field(m), err = p.name("a string")
		return err
	}
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

// function reads a model-local function after its keyword.
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

// typ reads float32[N,3], float32, ?[2] or ?.
func (p *parser) typ() (Type, error) {
	var t Type
	var err error
	if !p.accept("?") {
		if t.DType, err = p.dtype(); err != nil {
			return t, err
		}
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
		if err != nil || n < 0 || n > 255 {
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
