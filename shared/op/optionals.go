package op

import (
	"context"
	"fmt"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// optionalOps wrap and unwrap a value that may be absent. Where ONNX takes an optional it takes the value itself too: a
// tensor or a sequence counts as an optional that holds it. The type that an empty Optional declares is read by nobody.
// Like sequences (sequences.go) optionals are values of the run only.
var optionalOps = []*Op{
	{
		Name: "Optional", Opsets: []int{15}, Inputs: Arity{0, 1}, Outputs: Arity{1, 1}, Attrs: []string{"type"},
		Infer: inferOptional, Control: runOptional, RowWise: never,
	},
	{
		Name: "OptionalHasElement", Opsets: []int{15, 18}, Inputs: Arity{0, 1}, Outputs: Arity{1, 1},
		Infer: inferHasElement, Control: runHasElement, RowWise: never,
	},
	{
		Name: "OptionalGetElement", Opsets: []int{15, 18}, Inputs: Arity{1, 1}, Outputs: Arity{1, 1},
		Infer: inferGetElement, Control: runGetElement, RowWise: never,
	},
}

func inferOptional(x *Infer) error {
	out := Info{DType: tensor.Optional, Items: []Info{}}
	if x.has(0) {
		if x.In[0].DType == tensor.Optional {
			return fmt.Errorf("input 0 is an optional already")
		}
		out.Items = []Info{x.In[0]}
	}
	x.results([]Info{out})
	return nil
}

func runOptional(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, _ *Budget) ([]*tensor.Tensor, error) {
	t := given(in, 0)
	if t != nil && t.DType == tensor.Optional {
		return nil, fmt.Errorf("input 0 is an optional already")
	}
	return alone(tensor.OptionalOf(t)), nil
}

// inferHasElement knows the answer for everything but an optional of which nothing is known.
func inferHasElement(x *Infer) error {
	x.put(0, tensor.Bool)
	if !x.has(0) || x.In[0].DType != tensor.Optional || x.In[0].Items != nil {
		has := x.has(0) && (x.In[0].DType != tensor.Optional || len(x.In[0].Items) > 0)
		x.results([]Info{infoOf(boolean(has))})
	}
	return nil
}

func runHasElement(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, _ *Budget) ([]*tensor.Tensor, error) {
	t := given(in, 0)
	return alone(boolean(t != nil && (t.DType != tensor.Optional || len(t.Items) > 0))), nil
}

// inferGetElement: an optional that is known to hold nothing is a fault only where the node runs, so it is left to the run.
func inferGetElement(x *Infer) error {
	switch in := x.In[0]; {
	case in.DType != tensor.Optional:
		x.results([]Info{in})
	case len(in.Items) > 0:
		x.results(in.Items)
	}
	return nil
}

func runGetElement(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, _ *Budget) ([]*tensor.Tensor, error) {
	t := in[0]
	if t.DType != tensor.Optional {
		return alone(t), nil
	}
	if len(t.Items) == 0 {
		return nil, fmt.Errorf("the optional holds nothing; ask OptionalHasElement first")
	}
	return alone(t.Items[0]), nil
}

// inferIdentity passes what is known on, of a container too.
func inferIdentity(x *Infer) error {
	if x.In[0].DType.Container() {
		x.results(x.In)
		return nil
	}
	return same(x)
}

// runIdentity passes a container on; tensors go through Identity's kernel.
func runIdentity(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, _ *Budget) ([]*tensor.Tensor, error) {
	return in, nil
}
