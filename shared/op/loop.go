package op

import (
	"context"
	"fmt"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// runLoop: inputs M, condition, carried values; the body gets the iteration, the condition and the carried values, and
// gives the next condition, the next carried values and what each iteration adds to the scan outputs. An omitted M is no
// bound and an omitted condition is true. Shapes of carried values may change between iterations, and a sequence may grow
// or follow an optional that held nothing; the Body sees the values themselves. The condition in front of the first iteration counts, so a Loop may run not once. Iterations that a graph
// collects without bound end at left.
func runLoop(ctx context.Context, n *graph.Node, in []*tensor.Tensor, body Body, left *Budget) ([]*tensor.Tensor, error) {
	g, carried, err := loopBody(n)
	if err != nil {
		return nil, err
	}
	trips, err := tripCount(in[0])
	if err != nil {
		return nil, err
	}
	goOn := true
	if in[1] != nil {
		if goOn, err = truthOf(in[1]); err != nil {
			return nil, err
		}
	}
	state := slices.Clone(in[2:])
	lists := make([]collected, len(g.Outputs)-1-carried)
	for i := int64(0); goOn && i < trips; i++ {
		if err := left.trip(ctx); err != nil {
			return nil, err
		}
		args := append([]*tensor.Tensor{counter(g.Inputs[0], i), boolean(true)}, state...)
		out, err := body(ctx, g, args)
		if err != nil {
			return nil, err
		}
		if goOn, err = truthOf(out[0]); err != nil {
			return nil, fmt.Errorf("its body: %w", err)
		}
		copy(state, out[1:]) // as many as are carried; the scan outputs stand behind them
		if err := left.carry(state); err != nil {
			return nil, err
		}
		for k := range lists {
			if err := lists[k].add(out[1+carried+k], left); err != nil {
				return nil, fmt.Errorf("scan output %d: %w", k, err)
			}
		}
	}
	return loopOutputs(n, g, state, lists)
}

// loopBody checks the numbers of values: the body has two inputs more than are carried, and one output more than the node.
func loopBody(n *graph.Node) (g *graph.Graph, carried int, err error) {
	if g, err = branchOf(n, "body"); err != nil {
		return nil, 0, err
	}
	carried = len(n.Inputs) - 2
	if carried < 0 || len(g.Inputs) != carried+2 || len(g.Outputs) != len(n.Outputs)+1 || len(n.Outputs) < carried {
		return nil, 0, fmt.Errorf("%d inputs, %d outputs and a body with %d and %d do not fit", len(n.Inputs), len(n.Outputs), len(g.Inputs), len(g.Outputs))
	}
	if slices.Contains(n.Inputs[2:], "") {
		return nil, 0, fmt.Errorf("a carried value is omitted")
	}
	return g, carried, nil
}

// counter is the iteration as the body declares it: a number, or an array of one. ONNX says a scalar, and exporters
// write bodies that declare [1].
func counter(p graph.Port, i int64) *tensor.Tensor {
	if p.Type.Ranked && len(p.Type.Shape) == 1 {
		return int64s(i)
	}
	return tensor.Of(tensor.Int64, nil, []int64{i})
}

// loopOutputs are the last carried values, then the joined scan outputs. An omitted output is not joined.
func loopOutputs(n *graph.Node, g *graph.Graph, state []*tensor.Tensor, lists []collected) ([]*tensor.Tensor, error) {
	out := make([]*tensor.Tensor, len(n.Outputs))
	copy(out, state)
	for k := range lists {
		i := len(state) + k
		if n.Outputs[i] == "" {
			continue
		}
		var err error
		if out[i], err = lists[k].stack(0, false, g.Outputs[1+i].Type); err != nil {
			return nil, fmt.Errorf("scan output %d: %w", k, err)
		}
	}
	return out, nil
}

// collected is what the iterations add to one scan output: tensors of one type and shape.
type collected []*tensor.Tensor

// add keeps t without a copy: bodies return tensors that nobody changes any more.
func (c *collected) add(t *tensor.Tensor, left *Budget) error {
	if t.DType.Container() {
		return fmt.Errorf("an iteration gives %s; only tensors are joined, sequences are carried", t.DType)
	}
	if len(*c) > 0 {
		if first := (*c)[0]; first.DType != t.DType || !slices.Equal(first.Shape, t.Shape) {
			return fmt.Errorf("an iteration gives %s%v after %s%v", t.DType, t.Shape, first.DType, first.Shape)
		}
	}
	*c = append(*c, t)
	return left.take(t.Bytes())
}

// stack joins the parts along a new axis, the last part first if reverse is set. Without parts it is empty, of the type
// that the body declares, with axes of 0 where that is open. axis counts in the result and may be negative. Parts are
// copied, so the memory charged to the Budget is what the result takes.
func (c collected) stack(axis int64, reverse bool, declared graph.Type) (*tensor.Tensor, error) {
	if len(c) == 0 {
		if declared.DType.Size() == 0 {
			return nil, fmt.Errorf("no iteration ran, and the body does not declare its type")
		}
		shape := make([]int, len(declared.Shape)+1)
		at, err := axisIn(axis, len(shape))
		if err != nil {
			return nil, err
		}
		for i, d := range declared.Shape {
			if i >= at {
				i++
			}
			shape[i] = max(0, d.N)
		}
		shape[at] = 0
		return tensor.New(declared.DType, shape...), nil
	}
	part := c[0].Shape
	at, err := axisIn(axis, len(part)+1)
	if err != nil {
		return nil, err
	}
	out := tensor.New(c[0].DType, slices.Insert(slices.Clone(part), at, len(c))...)
	strides := slices.Delete(rowMajor(out.Shape), at, at+1)
	inner := tensor.Count(part[at:])
	for i, t := range c {
		if reverse {
			i = len(c) - 1 - i
		}
		newStrided(part, strides, i*inner, rowMajor(part), 0, t.DType.Size()).run(out.Data, t.Data)
	}
	return out, nil
}
