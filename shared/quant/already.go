package quant

import (
	"fmt"

	"assay/shared/graph"
	"assay/shared/op"
)

// CheckFloat refuses a model whose activations are quantized already, by Q/DQ pairs or by integer operators: a second
// rounding would be measured against a model that has lost what the first one took. Weights alone that are stored as
// integers are no hindrance; what reads them stays as it is. The error names the operations, layers first.
func CheckFloat(m *graph.Model) error {
	var integer, pairs []*graph.Node
	var visit func(g *graph.Graph)
	visit = func(g *graph.Graph) {
		for _, n := range g.Nodes {
			o := op.Lookup(n.Domain, n.Op)
			switch {
			case o == nil || o.Role != op.RoleQuantized || g.Consts[n.Input(0)] != nil:
			case n.Op == "QuantizeLinear" || n.Op == "DequantizeLinear":
				pairs = append(pairs, n)
			default:
				integer = append(integer, n)
			}
			for _, sub := range graph.Nested(n) {
				visit(sub)
			}
		}
	}
	visit(m.Graph)
	all := append(integer, pairs...)
	if len(all) == 0 {
		return nil
	}
	rest := ""
	if n := len(all) - 1; n > 0 {
		rest = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf("the model is already quantized: %s node %q%s; give the float model that it was made from", all[0].Op, all[0].Name, rest)
}
