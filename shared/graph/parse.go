package graph

import (
	"fmt"
	"slices"
	"strconv"

	"assay/shared/tensor"
)

// textOpset is the opset of a text that names none; it is the one whose spelling nodes have after reading.
const textOpset = 21

// maxTextDepth bounds graphs within graphs in a text.
const maxTextDepth = 32

// Parse reads the text form, the inverse of Print. One statement a line is custom, not law:
//
//	opset 21                                   # also: ir, file_opset, version, producer, domain, model_doc, import, meta
//	graph name                                 # also: doc "text"
//	input x: float32[N,3,?]                    # float32[] is a scalar, float32 a tensor of unknown rank, ? an unknown type
//	input s: optional(sequence(float32[N]))    # sequence(T), optional(T); without (T) nothing is known of the items
//	w: float32[2,2] = const [1, 2, 3, 4]       # brackets may nest; they do not make the shape
//	b: float32[64] = const fill 0.5            # ramp START STEP, random SEED, bytes "hex", sha256:DIGEST (see ParseWith)
//	y: float32[N,8] = Conv(x, w, "") {strides=[1,1], alpha=0.1, mode="edge"} @name
//	a, b: int64[2] = com.microsoft.Split(y)    # "" is an omitted input or output
//	z = If(c) {then_branch=graph { ... }}      # nested graphs hold the same statements
//	output y: float32[N,8]
//
// Numbers in attributes are integers unless they have a point, an exponent or are inf or nan; lists that hold one float
// are floats, empty ones are written ints[], floats[], strings[]. Other values: tensor TYPE CONST, tensors[...],
// graphs[...], ref NAME KIND, raw "bytes". Names with characters beyond letters, digits and _./:+- are quoted as in Go.
// A model-local function is func domain.Name(in) (out) { attr a  default b=1  import "" 17  nodes }.
//
// Nodes without a name get one (NameNodes). Nothing else is checked but syntax: call Validate.
func Parse(text string) (*Model, error) { return ParseWith(text, nil) }

// ParseWith is Parse for texts with constants that are named by digest; Table makes such a table from a model. Tensors
// of the table are shared with the model.
func ParseWith(text string, table map[string]*tensor.Tensor) (*Model, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, fmt.Errorf("graph text: %w", err)
	}
	m := &Model{Opset: textOpset, Graph: newGraph()}
	p := &parser{tokens: tokens, table: table, model: m, budget: maxTextBytes}
	if err := p.statements(m.Graph, true); err != nil {
		return nil, fmt.Errorf("graph text: line %d: %w", p.peek().line, err)
	}
	NameNodes(m.Graph)
	return m, nil
}

func newGraph() *Graph { return &Graph{Consts: map[string]*tensor.Tensor{}, Types: map[string]Type{}} }

// parser walks the tokens. Its methods return errors without a position; the statement under way gives it. at never
// passes the last token, tokEnd; depth counts nested graphs.
type parser struct {
	tokens []token
	at     int
	depth  int
	budget int // bytes that constants may still take
	table  map[string]*tensor.Tensor
	model  *Model
}

func (p *parser) peek() token { return p.tokens[p.at] }

// after is the token behind the next one: what tells a keyword from a value of that name.
func (p *parser) after() token { return p.tokens[min(p.at+1, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.peek()
	p.at = min(p.at+1, len(p.tokens)-1)
	return t
}

func (p *parser) is(punct string) bool { t := p.peek(); return t.kind == tokPunct && t.text == punct }

func (p *parser) accept(punct string) bool {
	if p.is(punct) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(punct string) error {
	if !p.accept(punct) {
		return fmt.Errorf("%s where '%s' is expected", p.peek(), punct)
	}
	return nil
}

// name reads a word or a string.
func (p *parser) name(what string) (string, error) {
	if t := p.peek(); t.kind != tokWord && t.kind != tokString {
		return "", fmt.Errorf("%s where %s is expected", t, what)
	}
	return p.next().text, nil
}

// number reads an integer of at most bits bits.
func (p *parser) number(what string, bits int) (int64, error) {
	t := p.peek()
	n, err := strconv.ParseInt(t.text, 10, bits)
	if t.kind != tokWord || err != nil {
		return 0, fmt.Errorf("%s where %s is expected", t, what)
	}
	p.next()
	return n, nil
}

// list reads items separated by commas up to the closing sign.
func (p *parser) list(end string, item func() error) error {
	for !p.accept(end) {
		if err := item(); err != nil {
			return err
		}
		if !p.is(end) {
			if err := p.expect(","); err != nil {
				return err
			}
		}
	}
	return nil
}

// statements reads the body of a graph: to the end of the text at the top, to '}' elsewhere.
func (p *parser) statements(g *Graph, top bool) error {
	if p.depth++; p.depth > maxTextDepth {
		return fmt.Errorf("graphs are nested deeper than %d", maxTextDepth)
	}
	defer func() { p.depth-- }()
	for {
		t := p.peek()
		if t.kind == tokEnd && top || p.is("}") && !top {
			break
		}
		if t.kind == tokEnd {
			return fmt.Errorf("nested graph has no '}'")
		}
		if err := p.statement(g, top); err != nil {
			return err
		}
	}
	settleTypes(g)
	return nil
}

// statement reads a header line, a port or a definition. A keyword followed by ':', ',' or '=' is a value of that name.
func (p *parser) statement(g *Graph, top bool) error {
	next := p.after()
	if p.peek().kind == tokWord && (next.kind == tokWord || next.kind == tokString) {
		switch word := p.peek().text; word {
		case "input", "output":
			p.next()
			port, err := p.port()
			if word == "input" {
				g.Inputs = append(g.Inputs, port)
			} else {
				g.Outputs = append(g.Outputs, port)
			}
			return err
		case "graph":
			p.next()
			g.Name = p.next().text
			return nil
		case "doc":
			p.next()
			g.Doc = p.next().text
			return nil
		default:
			if top {
				if ok, err := p.header(p.model); ok {
					return err
				}
			}
		}
	}
	return p.definition(g)
}

// port reads a value name with or without a type.
func (p *parser) port() (Port, error) {
	name, err := p.name("a value name")
	if err != nil {
		return Port{}, err
	}
	port := Port{Name: name}
	if p.accept(":") {
		port.Type, err = p.typ()
	}
	return port, err
}

// definition reads `name: type, ... = const ...` or `name: type, ... = Op(...) {...} @name`. Whether it is a constant
// or a node is known behind the '=' only.
func (p *parser) definition(g *Graph) error {
	var ports []Port
	err := p.list("=", func() error {
		port, err := p.port()
		ports = append(ports, port)
		return err
	})
	if err != nil {
		return err
	}
	if next := p.peek(); next.kind == tokWord && next.text == "const" {
		p.next()
		return p.constant(g, ports)
	}
	n, err := p.node()
	if err != nil {
		return err
	}
	for _, port := range ports {
		n.Outputs = append(n.Outputs, port.Name)
		if port.Type.DType != tensor.Invalid || port.Type.Ranked {
			g.Types[port.Name] = port.Type
		}
	}
	g.Nodes = append(g.Nodes, n)
	return nil
}

// constant reads the content of the one value that ports name, whose type says how much there has to be.
func (p *parser) constant(g *Graph, ports []Port) error {
	if len(ports) != 1 {
		return fmt.Errorf("a constant has one name, this one %d", len(ports))
	}
	if ports[0].Name == "" {
		return fmt.Errorf("a constant has no name")
	}
	name := ports[0].Name
	if g.Consts[name] != nil {
		return fmt.Errorf("constant %q is defined twice", name)
	}
	t, err := p.tensor(ports[0].Type)
	if err != nil {
		return fmt.Errorf("constant %q: %w", name, err)
	}
	g.Consts[name] = t
	return nil
}

// node reads from the operator to the node's name.
func (p *parser) node() (*Node, error) {
	domain, op, err := p.operator()
	if err != nil {
		return nil, err
	}
	n := &Node{Domain: domain, Op: op}
	if n.Inputs, err = p.names(); err != nil {
		return nil, err
	}
	if p.accept("{") {
		err := p.list("}", func() error {
			a, err := p.attr()
			if err == nil && n.Attr(a.Name) != nil {
				err = fmt.Errorf("attribute %q stands twice", a.Name)
			}
			n.Set(a)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if p.accept("@") {
		if n.Name, err = p.name("a node name"); err != nil {
			return nil, err
		}
	}
	if p.accept("!") {
		n.Doc, err = p.name("a string")
	}
	return n, err
}

// names reads a list of value names in parentheses.
func (p *parser) names() (out []string, err error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	err = p.list(")", func() error {
		s, err := p.name("a value name")
		out = append(out, s)
		return err
	})
	return out, err
}

// settleTypes keeps Types to values that are neither inputs nor outputs: an output without a type takes what its
// definition says.
func settleTypes(g *Graph) {
	for i, o := range g.Outputs {
		if !o.Type.Ranked && o.Type.DType == tensor.Invalid {
			g.Outputs[i].Type = g.Types[o.Name]
		}
	}
	for _, o := range slices.Concat(g.Inputs, g.Outputs) {
		delete(g.Types, o.Name)
	}
	delete(g.Types, "")
}
