package graph

import (
	"fmt"
	"strings"

	"assay/shared/tensor"
)

// CheckFinite reports constants and tensors of attributes that hold NaN, with how many and where the first is; nested graphs count.
// Up to eight are named, the others counted. No calibration can say anything about such a model. Infinities pass: attention masks
// are made of them; so do floats of 8 bits or less.
func CheckFinite(m *Model) error {
	var found []string
	visit := func(what string, t *tensor.Tensor) {
		if n, first := countNaN(t); n > 0 {
			found = append(found, fmt.Sprintf("%s: %d of %d elements, the first at %d", what, n, t.Len(), first))
		}
	}
	checkGraph(m.Graph, visit)
	if len(found) == 0 {
		return nil
	}
	more := ""
	if len(found) > 8 {
		more = fmt.Sprintf("; and %d more", len(found)-8)
		found = found[:8]
	}
	return fmt.Errorf("model has NaN in its constants (damaged file or diverged training?): %s%s", strings.Join(found, "; "), more)
}

// checkGraph visits constants by name, then tensors in attributes, node by node, nested graphs behind their node.
func checkGraph(g *Graph, visit func(string, *tensor.Tensor)) {
	for _, name := range sortedConsts(g) {
		visit(fmt.Sprintf("constant %q", name), g.Consts[name])
	}
	for _, n := range g.Nodes {
		for _, a := range n.Attrs {
			what := fmt.Sprintf("%s: attribute %q", n.label(), a.Name)
			if a.Tensor != nil {
				visit(what, a.Tensor)
			}
			for _, t := range a.Tensors {
				visit(what, t)
			}
		}
		for _, sub := range Nested(n) {
			checkGraph(sub, visit)
		}
	}
}

// countNaN counts NaNs and returns the position of the first, in row-major order; complex numbers count by parts.
func countNaN(t *tensor.Tensor) (n, first int) {
	count := func(i int, nan bool) {
		if nan {
			if n == 0 {
				first = i
			}
			n++
		}
	}
	switch t.DType {
	case tensor.Float32, tensor.Complex64:
		parts := tensor.Tensor{DType: tensor.Float32, Data: t.Data}
		for i, v := range parts.F32() {
			count(i, v != v)
		}
	case tensor.Float64, tensor.Complex128:
		parts := tensor.Tensor{DType: tensor.Float64, Data: t.Data}
		for i, v := range tensor.View[float64](&parts) {
			count(i, v != v)
		}
	case tensor.Float16:
		for i, v := range tensor.View[uint16](t) {
			count(i, v&0x7fff > 0x7c00)
		}
	case tensor.BFloat16:
		for i, v := range tensor.View[uint16](t) {
			count(i, v&0x7fff > 0x7f80)
		}
	}
	return n, first
}
