package graph

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"assay/shared/tensor"
)

// Print writes the model in the form that Parse reads: header, then for the graph inputs, constants by name, nodes in
// order, outputs. Constants of more than 32 elements are written as `fill` when all elements are equal, else by digest;
// ParseWith(Print(m), Table(m)) equals m, for every valid m. Type hints of values that m does not define are left out.
func Print(m *Model) string {
	p := printer{digits: 16, file: true}
	p.model(m)
	return p.String()
}

// PrintGraph writes one graph without a header.
func PrintGraph(g *Graph) string {
	p := printer{digits: 16}
	p.graph(g)
	return p.String()
}

// Table returns the constants of m that Print writes by digest, nested graphs and attributes included, under the words
// it writes for them. Two constants of one content share a word.
func Table(m *Model) map[string]*tensor.Tensor {
	p := printer{digits: 16, table: map[string]*tensor.Tensor{}}
	p.model(m)
	return p.table
}

// printer writes the text form. digits is how much of a digest it writes; file adds what is about the file rather than
// the content (IR version, opset of the file). table is filled where it is not nil. Digest and Print differ in digits
// and file only.
type printer struct {
	strings.Builder
	digits int
	file   bool
	indent int
	table  map[string]*tensor.Tensor
}

func (p *printer) line(format string, args ...any) {
	p.WriteString(strings.Repeat("  ", p.indent))
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

// ident writes a name bare or quoted.
func ident(s string) string {
	if bare(s) {
		return s
	}
	return strconv.Quote(s)
}

func idents(names []string) string {
	out := make([]string, len(names))
	for i, s := range names {
		out[i] = ident(s)
	}
	return strings.Join(out, ", ")
}

func (p *printer) model(m *Model) {
	p.line("opset %d", m.Opset)
	if p.file && m.FileOpset != 0 {
		p.line("file_opset %d", m.FileOpset)
	}
	if p.file && m.IRVersion != 0 {
		p.line("ir %d", m.IRVersion)
	}
	p.imports(m.Opsets)
	for _, h := range []struct{ word, value string }{
		{"producer", m.Producer}, {"producer_version", m.Version}, {"domain", m.Domain}, {"model_doc", m.Doc},
	} {
		if h.value != "" {
			p.line("%s %q", h.word, h.value)
		}
	}
	if m.ModelVer != 0 {
		p.line("version %d", m.ModelVer)
	}
	for _, pair := range m.Metadata {
		p.line("meta %q %q", pair.Key, pair.Value)
	}
	for _, f := range m.Functions {
		p.function(f)
	}
	if m.Graph.Name != "" {
		p.line("graph %s", ident(m.Graph.Name))
	}
	p.graph(m.Graph)
}

func (p *printer) imports(opsets map[string]int) {
	for _, domain := range slices.Sorted(maps.Keys(opsets)) {
		p.line("import %q %d", domain, opsets[domain])
	}
}

func (p *printer) function(f Function) {
	p.line("func %s(%s) (%s) {", operatorName(f.Domain, f.Name), idents(f.Inputs), idents(f.Outputs))
	p.indent++
	p.imports(f.Opsets)
	for _, a := range f.Attrs {
		p.line("attr %s", ident(a))
	}
	for _, a := range f.Defaults {
		p.line("default %s", p.attr(a))
	}
	for _, n := range f.Nodes {
		p.node(n, nil)
	}
	p.indent--
	p.line("}")
}

func (p *printer) graph(g *Graph) {
	if g.Doc != "" {
		p.line("doc %q", g.Doc)
	}
	for _, port := range g.Inputs {
		p.line("input %s", typed(port.Name, port.Type))
	}
	for _, name := range slices.Sorted(maps.Keys(g.Consts)) {
		t := g.Consts[name]
		p.line("%s = const %s", typed(name, FixedType(t.DType, t.Shape...)), p.content(t))
	}
	types := maps.Clone(g.Types)
	for _, port := range slices.Concat(g.Inputs, g.Outputs) {
		delete(types, port.Name)
	}
	for _, n := range g.Nodes {
		p.node(n, types)
	}
	for _, port := range g.Outputs {
		p.line("output %s", typed(port.Name, port.Type))
	}
}

// types are the hints for outputs, nil in functions.
func (p *printer) node(n *Node, types map[string]Type) {
	var b strings.Builder
	for i, out := range n.Outputs {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(typed(out, types[out]))
	}
	fmt.Fprintf(&b, " = %s(%s)", operatorName(n.Domain, n.Op), idents(n.Inputs))
	if len(n.Attrs) > 0 {
		attrs := make([]string, len(n.Attrs))
		for i, a := range n.Attrs {
			attrs[i] = p.attr(a)
		}
		fmt.Fprintf(&b, " {%s}", strings.Join(attrs, ", "))
	}
	if n.Name != "" {
		b.WriteString(" @" + ident(n.Name))
	}
	if n.Doc != "" {
		b.WriteString(" !" + strconv.Quote(n.Doc))
	}
	p.line("%s", strings.TrimPrefix(b.String(), " "))
}

// operatorName writes an operator so that operator reads domain and name again: a point splits at the last one, so names
// with points are quoted.
func operatorName(domain, op string) string {
	word := op
	if domain != "" {
		word = domain + "." + op
	}
	if !bare(word) || op == "" || strings.Contains(op, ".") || word == "const" {
		return strconv.Quote(domain) + ":" + strconv.Quote(op)
	}
	return word
}

// typed writes name: type, or the name alone when nothing is known.
func typed(name string, t Type) string {
	if t.DType == tensor.Invalid && !t.Ranked {
		return ident(name)
	}
	return ident(name) + ": " + t.String()
}

// String writes the type as the text form has it: float32[N,3,?], float32 for unknown rank, ? for an unknown element type,
// optional(sequence(float32[N])).
func (t Type) String() string {
	s := t.DType.String()
	if t.Elem != nil {
		return s + "(" + t.Elem.String() + ")"
	}
	if t.DType == tensor.Invalid {
		s = "?"
	}
	if !t.Ranked {
		return s
	}
	dims := make([]string, len(t.Shape))
	for i, d := range t.Shape {
		switch {
		case d.N >= 0:
			dims[i] = strconv.Itoa(d.N)
		case d.Sym == "":
			dims[i] = "?"
		case symbol(d.Sym):
			dims[i] = d.Sym
		default:
			dims[i] = strconv.Quote(d.Sym)
		}
	}
	return s + "[" + strings.Join(dims, ",") + "]"
}

// nested writes a graph as an attribute's value.
func (p *printer) nested(g *Graph) string {
	sub := printer{digits: p.digits, indent: p.indent + 1, table: p.table}
	sub.graph(g)
	name := ""
	if g.Name != "" {
		name = " " + ident(g.Name)
	}
	return "graph" + name + " {\n" + sub.String() + strings.Repeat("  ", p.indent) + "}"
}
