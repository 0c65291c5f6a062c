package op

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// TestKindsAreKnown: every attribute that an operator declares has a kind, but for the one that is a type.
func TestKindsAreKnown(t *testing.T) {
	for _, o := range registry {
		for _, name := range o.Attrs {
			if name != "type" {
				require.NotEmpty(t, kindsOf(&graph.Node{Op: o.Name, Domain: o.Domain}, name), "%s of %s", name, spelled(o.Domain, o.Name))
			}
		}
	}
}

// TestWrongKindsAreRefused: an attribute of another kind than its operator reads is named, at the opset where it was written, and is not
// taken for an absent one.
func TestWrongKindsAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"y = LeakyRelu(x) {alpha=1} @n", "attribute alpha of LeakyRelu as int (float is needed) (node \"n\")"},
		{"y = LeakyRelu(x) {alpha=1.0} @n", ""},
		{"y = Softmax(x) {axis=1.0} @n", "attribute axis of Softmax as float (int is needed) (node \"n\")"},
		{"y = Transpose(x) {perm=[1.0,0.0]} @n", "attribute perm of Transpose as floats (ints is needed) (node \"n\")"},
		{"y = Transpose(x) {perm=1} @n", "attribute perm of Transpose as int (ints is needed) (node \"n\")"},
		{"opset 9\ny = Clip(x) {min=0, max=6.0} @n", "attribute min of Clip as int (float is needed) (node \"n\")"},
		{"opset 9\ny = Pad(x) {pads=[0,0,0,0], value=0} @n", "attribute value of Pad as int (float is needed) (node \"n\")"},
		{"opset 9\ny = Pad(x) {pads=[0,0,0,0], value=0.0} @n", ""},
		{"s = Shape(x)\ny = ConstantOfShape(s) {value=1.0} @n", "attribute value of ConstantOfShape as float (tensor is needed) (node \"n\")"},
		{"s = Shape(x)\ny = ConstantOfShape(s) {value=tensor float32[1] [1]} @n", ""},
		{"y = DepthToSpace(x) {blocksize=1, mode=1} @n", "attribute mode of DepthToSpace as int (string is needed) (node \"n\")"},
		{"c: bool[] = const [1]\ny = If(c) {then_branch=graph { a = Elu(x) {alpha=\"1\"} @m output a }, else_branch=graph { output x }} @n",
			"attribute alpha of Elu as string (float is needed) (node \"m\")"},
	} {
		m, err := graph.Parse("input x: float32[2,2]\n" + c.text + "\noutput y\n")
		require.NoError(t, err)
		err = UpgradeModel(m)
		if c.want == "" {
			require.NoError(t, err, c.text)
			continue
		}
		require.EqualError(t, err, "model: 1 thing cannot be read: "+c.want)
	}
}
