package fuse

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/op"
)

// TestAritiesAreTheOperators: the table allows what package op allows, but for outputs that no pattern looks at.
func TestAritiesAreTheOperators(t *testing.T) {
	for name, a := range arities {
		o := op.Lookup("", name)
		require.NotNil(t, o, name)
		require.Equal(t, o.Inputs.Least, a.least, name)
		require.Equal(t, o.Inputs.Most, a.most, name)
		require.Equal(t, o.Outputs.Most, a.outputs, name)
	}
}

// TestFormed: as many inputs and outputs as the operator has to have, the required ones among them named.
func TestFormed(t *testing.T) {
	for _, c := range []struct {
		op      string
		in, out []string
		want    bool
	}{
		{"Conv", []string{"x", "w"}, []string{"y"}, true},
		{"Conv", []string{"x", "w", ""}, []string{"y"}, true},
		{"Conv", []string{"x", "w", "b"}, []string{"y"}, true},
		{"Conv", []string{"x"}, []string{"y"}, false},
		{"Conv", []string{"x", ""}, []string{"y"}, false},
		{"Conv", []string{"x", "w", "b", "c"}, []string{"y"}, false},
		{"Conv", []string{"x", "w"}, nil, false},
		{"Conv", []string{"x", "w"}, []string{""}, false},
		{"Conv", []string{"x", "w"}, []string{"y", "z"}, false},
		{"MaxPool", []string{"x"}, []string{"y", "i"}, true},
		{"MaxPool", []string{"x"}, []string{"y", "i", "j"}, false},
		{"Concat", []string{"a"}, []string{"y"}, true},
		{"Concat", []string{"a", "b", "c", "d", "e", "f", "g"}, []string{"y"}, true},
		{"Concat", nil, []string{"y"}, false},
		{"Split", []string{"a"}, []string{"x", "y", "z"}, true},
		{"Nothing", []string{"a"}, []string{"y"}, false},
	} {
		n := &graph.Node{Op: c.op, Inputs: c.in, Outputs: c.out}
		require.Equal(t, c.want, formed(n), "%s %q %q", c.op, c.in, c.out)
		require.Equal(t, c.want, is(n, "Conv", "MaxPool", "Concat", "Split"), "%s %q %q", c.op, c.in, c.out)
		n.Domain = microsoft
		require.False(t, is(n, c.op), "another domain's operator of that name")
	}
	require.False(t, is(nil, "Conv"))
	require.False(t, is(&graph.Node{Op: "Conv", Inputs: []string{"x", "w"}, Outputs: []string{"y"}}, "Gemm"))
}
