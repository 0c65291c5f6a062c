package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// sumsOf are the hashes of the values of a graph in text.
func sumsOf(t *testing.T, text string) map[string][32]byte {
	t.Helper()
	m, err := graph.Parse(text)
	require.NoError(t, err)
	return newDigests().values(m.Graph, nil)
}

// TestHashesAreOfWhatAValueDependsOn: not of names, of nodes beside it, or of outputs that others leave out; of operator, attributes,
// constants, the order of inputs, which of them are left out and which outputs are named.
func TestHashesAreOfWhatAValueDependsOn(t *testing.T) {
	const head = "input x: float32[N,2,4,4]\nlo: float32[] = const [1]\nother: float32[] = const [2]\n"
	base := sumsOf(t, head+"y = Clip(x, lo) @clip\noutput y\n")["y"]
	for name, c := range map[string]struct {
		text  string
		equal bool
	}{
		"another name of the node":      {"y = Clip(x, lo) @else\noutput y\n", true},
		"a node beside it":              {"a = Relu(x)\ny = Clip(x, lo)\noutput a\noutput y\n", true},
		"a left out output in front":    {`a, "" = MaxPool(x) {kernel_shape=[2,2]}` + "\ny = Clip(x, lo)\noutput a\noutput y\n", true},
		"an equal constant":             {"same: float32[] = const [1]\ny = Clip(x, same)\noutput y\n", true},
		"another constant":              {"y = Clip(x, other)\noutput y\n", false},
		"another place of the constant": {`y = Clip(x, "", lo)` + "\noutput y\n", false},
		"a third input":                 {"y = Clip(x, lo, other)\noutput y\n", false},
		"another operator":              {"y = Max(x, lo)\noutput y\n", false},
		"inputs the other way round":    {"y = Clip(lo, x)\noutput y\n", false},
		"an attribute":                  {"y = Clip(x, lo) {a=1}\noutput y\n", false},
		"another output named":          {"y, z = Clip(x, lo)\noutput y\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.equal, base == sumsOf(t, head+c.text)["y"])
		})
	}
	for _, left := range []string{`a, "" = MaxPool(x) {kernel_shape=[2,2]}` + "\n", `a, "" = MaxPool(x) {kernel_shape=[3,3]}` + "\n", ""} {
		require.Equal(t, sumsOf(t, head+`y = Clip(x, "", lo)`+"\noutput y\n")["y"], sumsOf(t, head+left+`y = Clip(x, "", lo)`+"\noutput y\n")["y"],
			"an input left out is no output left out: %s", left)
	}
}
