package op

import (
	"assay/shared/graph"
	"assay/shared/tensor"
)

// Upgrade is one node on its way from an older opset to Newest. Node may be changed in place; Before and After collect
// nodes to insert around it; AddConst adds a constant to the graph under a fresh name and returns that name. From is
// the opset of the operator's own domain. Fresh names start with the node's, so a name says where it came from, and the
// same file gives the same names.
type Upgrade struct {
	Node     *graph.Node
	From     int
	Before   []*graph.Node
	After    []*graph.Node
	AddConst func(hint string, t *tensor.Tensor) string
	Const    func(name string) *tensor.Tensor // nil when the value is not a constant
	Fresh    func(hint string) string         // a value name that is not in use
	Read     func(name string) bool           // whether some node or output of the model uses a value
	Rank     func(name string) (int, bool)    // axes of a value, where that follows from the inputs' ranks
}
