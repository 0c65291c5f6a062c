package op

import (
	"context"
	"errors"
	"fmt"
	"math"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// controlOps hold nested graphs. They run in float, whatever stands around them, and never inside a compiled stretch of
// nodes: the engine runs what is before, then the node, then what is behind.
var controlOps = []*Op{
	{
		Name: "If", Opsets: []int{1, 11, 13, 16, 19, 21}, Role: RoleFloat, Inputs: Arity{1, 1}, Outputs: Arity{1, -1},
		Attrs: []string{"else_branch", "then_branch"}, Infer: inferIf, Control: runIf, RowWise: never, MACs: ifMACs,
	},
	{
		Name: "Loop", Opsets: []int{1, 11, 13, 16, 19, 21}, Role: RoleFloat, Inputs: Arity{0, -1}, Outputs: Arity{1, -1},
		Attrs: []string{"body"}, Infer: inferLoop, Control: runLoop, RowWise: never, MACs: loopMACs,
	},
	{
		Name: "Scan", Opsets: []int{8, 9, 11, 16, 19, 21}, Role: RoleFloat, Inputs: Arity{1, -1}, Outputs: Arity{1, -1},
		Attrs: []string{
			"body", "num_scan_inputs", "scan_input_axes", "scan_input_directions", "scan_output_axes", "scan_output_directions",
		},
		Upgrade: upgradeScan, Infer: inferScan, Control: runScan, RowWise: never, MACs: scanMACs,
	},
}

// Control runs a node on whole values, tensors or containers, and returns its outputs in order; nil stands for what is
// omitted. body runs one of the node's graphs. An error of body is passed on. n is not changed. in holds one value for each
// input, nil for an omitted one; the outputs are new or aliases of inputs, read-only either way. It checks itself which
// inputs are containers, as no table says so.
type Control func(ctx context.Context, n *graph.Node, in []*tensor.Tensor, body Body, left *Budget) ([]*tensor.Tensor, error)

// Body runs a nested graph: in are its formal inputs in order, the result its outputs in order. Values that the graph
// captures are the business of whoever made the Body.
type Body func(ctx context.Context, g *graph.Graph, in []*tensor.Tensor) ([]*tensor.Tensor, error)

// Budget bounds what the loops of one run may do together, because a trip count is a number that a model or its data
// claims. A Budget belongs to one goroutine. Invariant: neither falls below 0 without the call that did it failing, so
// no caller needs to look at them.
type Budget struct {
	Trips int64 // iterations left, of nested loops too, and items of sequences to be moved
	Bytes int64 // bytes left for what loops collect
}

// maxTrips is far beyond what models do: an hour of speech in frames of 10 ms is 360,000.
const maxTrips = 1 << 22

// NewBudget allows maxTrips iterations and that many bytes.
func NewBudget(bytes int64) *Budget { return &Budget{Trips: maxTrips, Bytes: bytes} }

// trip takes one iteration, unless ctx is done. The context is asked at every iteration, since a Body need not look at
// it: a small one would run 2^22 times after a cancel.
func (b *Budget) trip(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.Trips--; b.Trips < 0 {
		return fmt.Errorf("its loops run more than %d times together; is the condition ever false?", maxTrips)
	}
	return nil
}

// within is body with what it collects given back when it ends: what it returns is charged where it is kept. Iterations
// are not given back.
func (b *Budget) within(body Body) Body {
	return func(ctx context.Context, g *graph.Graph, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		bytes := b.Bytes
		out, err := body(ctx, g, in)
		b.Bytes = bytes
		return out, err
	}
}

// move charges the moving of items within a list, so many of them as one iteration: a list that is changed in its middle
// again and again costs the square of its length.
func (b *Budget) move(items int) error {
	if b.Trips -= int64(items / movesPerTrip); b.Trips < 0 {
		return fmt.Errorf("its sequences are moved too often: a list of %d items is changed in front of its end", items)
	}
	return nil
}

// movesPerTrip is what one iteration of a small body takes in pointers copied.
const movesPerTrip = 256

// take charges bytes that stay in use until the run ends. Bytes are counted once for each iteration although parts may
// share memory: the joined tensor will not.
func (b *Budget) take(bytes int64) error {
	if bytes < 0 || bytes > b.Bytes {
		b.Bytes = 0
		return errTooMuch
	}
	b.Bytes -= bytes
	return nil
}

// errTooMuch is what a node may not keep.
var errTooMuch = errors.New("what it or its loops collect does not fit into memory; raise --memory or shorten the sequence")

// Keep charges the outputs of a node with nested graphs that has run, for a caller whose bodies return tensors of their own and who
// keeps them until the run ends. taken is what the node has taken itself, for what it collected; that is part of out. Sequences and
// optionals cost nothing: their items have been charged where they were made.
func (b *Budget) Keep(out []*tensor.Tensor, taken int64) error {
	sum := int64(0)
	for _, t := range out {
		if t != nil && !t.DType.Container() {
			sum += t.Bytes()
		}
	}
	return b.take(max(0, sum-taken))
}

// carry refuses carried values whose sequences hold more than is left. It takes nothing: an iteration drops what the one
// before carried.
func (b *Budget) carry(state []*tensor.Tensor) error {
	sum := int64(0)
	for _, t := range state {
		if t != nil && t.DType.Container() {
			if sum += t.Bytes(); sum > b.Bytes {
				return errTooMuch
			}
		}
	}
	return nil
}

// branchOf returns a nested graph of n.
func branchOf(n *graph.Node, name string) (*graph.Graph, error) {
	if a := n.Attr(name); a != nil && a.Kind == graph.KindGraph && a.Graph != nil {
		return a.Graph, nil
	}
	return nil, fmt.Errorf("attribute %s is no graph", name)
}

// Branch is the graph of an If that cond chooses: a tensor of one bool. Its outputs are as many as the node's. Nested
// graphs of an If have no formal inputs; everything they read is captured.
func Branch(n *graph.Node, cond *tensor.Tensor) (*graph.Graph, error) {
	yes, err := truthOf(cond)
	if err != nil {
		return nil, err
	}
	name := "else_branch"
	if yes {
		name = "then_branch"
	}
	g, err := branchOf(n, name)
	if err != nil {
		return nil, err
	}
	if len(g.Outputs) != len(n.Outputs) || len(g.Inputs) > 0 {
		return nil, fmt.Errorf("%s has %d inputs and %d outputs, 0 and %d are required", name, len(g.Inputs), len(g.Outputs), len(n.Outputs))
	}
	return g, nil
}

// truthOf reads a condition.
func truthOf(t *tensor.Tensor) (bool, error) {
	if t == nil || t.DType != tensor.Bool || len(t.Data) != 1 {
		return false, fmt.Errorf("the condition is no single bool")
	}
	return t.Data[0] != 0, nil
}

// runIf runs the branch that the condition chooses. The other one is not even checked: it may be wrong for these
// shapes, as in models that guard by shape.
func runIf(ctx context.Context, n *graph.Node, in []*tensor.Tensor, body Body, _ *Budget) ([]*tensor.Tensor, error) {
	g, err := Branch(n, in[0])
	if err != nil {
		return nil, err
	}
	return body(ctx, g, nil)
}

// bools and counts make the tensors that a Loop hands to its body.
func boolean(v bool) *tensor.Tensor {
	return &tensor.Tensor{DType: tensor.Bool, Data: []byte{truth(v)}}
}

// tripCount reads a Loop's bound, one integer of any shape; a negative one is 0, an absent one the largest there is.
func tripCount(t *tensor.Tensor) (int64, error) {
	if t == nil {
		return math.MaxInt64, nil
	}
	v, err := t.Ints()
	if err != nil || len(v) != 1 {
		return 0, fmt.Errorf("the trip count is no single integer")
	}
	return max(0, v[0]), nil
}
