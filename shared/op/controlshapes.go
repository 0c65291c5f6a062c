package op

import (
	"maps"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// bodyEnvironment is what is known of the values of a nested graph with the given formal inputs among the values around
// it. The map is a copy: names of the body may shadow those outside, as ONNX allows for inputs of nested graphs, and
// must not leak out of it. len(in) is len(g.Inputs).
func bodyEnvironment(g *graph.Graph, outer map[string]Info, in []Info) (map[string]Info, error) {
	env := maps.Clone(outer)
	if env == nil {
		env = map[string]Info{}
	}
	for i, p := range g.Inputs {
		env[p.Name] = in[i]
	}
	return env, inferNodes(env, g, true)
}

// inferBody is what is known of the outputs of a nested graph. Absent ones have type Invalid.
func inferBody(g *graph.Graph, outer map[string]Info, in []Info) ([]Info, error) {
	env, err := bodyEnvironment(g, outer, in)
	if err != nil {
		return nil, err
	}
	out := make([]Info, len(g.Outputs))
	for i, p := range g.Outputs {
		out[i] = env[p.Name]
	}
	return out, nil
}

// inferIf follows the branch that runs. With a condition from data it knows what both branches agree on. A branch that
// fails its shape rule for these inputs makes the outputs *Unknown and is no error, since the condition may keep it
// from ever running.
func inferIf(x *Infer) error {
	if c := x.In[0].Value; c != nil {
		g, err := Branch(x.Node, c)
		if err != nil {
			return err
		}
		out, err := inferBody(g, x.Outer, nil)
		x.results(out)
		return err
	}
	var sides [2][]Info
	for i := range sides {
		g, err := Branch(x.Node, boolean(i == 1))
		if err != nil {
			return err
		}
		if sides[i], err = inferBody(g, x.Outer, nil); err != nil {
			return &Unknown{Input: 0, What: "condition"} // the branch for other inputs than these
		}
	}
	for i := range sides[0] {
		sides[0][i] = common(sides[0][i], sides[1][i])
	}
	x.results(sides[0])
	return nil
}

// common is what two values have in common: type and shape, nothing where those differ; of sequences the element type and
// not the items.
func common(a, b Info) Info {
	if a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || a.Elem != b.Elem {
		return Info{}
	}
	return Info{DType: a.DType, Shape: a.Shape, Elem: a.Elem}
}

// results sets the outputs that the node names.
func (x *Infer) results(out []Info) {
	for i, o := range out {
		if i < len(x.Out) && x.Node.Outputs[i] != "" {
			x.Out[i] = o
		}
	}
}

// unvalued is v without its elements and items: they change from one iteration to the next. Shapes are kept on the assumption
// that a body keeps them; where an iteration changes one, common drops it afterwards and the engine infers again with
// real tensors.
func unvalued(v []Info) []Info {
	out := make([]Info, len(v))
	for i, x := range v {
		out[i] = Info{DType: x.DType, Shape: x.Shape, Elem: x.Elem}
	}
	return out
}

// inferLoop knows carried values whose type and shape an iteration keeps. How often the body runs is known to nobody here,
// so scan outputs are absent. One pass suffices: a carried value whose shape the body changes is absent after it, and
// nothing that was derived from it leaves the body but through common.
func inferLoop(x *Infer) error {
	g, in, err := x.loopInputs()
	if err != nil {
		return err
	}
	out, err := inferBody(g, x.Outer, in)
	if err != nil {
		return err
	}
	state := in[2:]
	for i := range state {
		state[i] = common(state[i], out[1+i])
	}
	x.results(state)
	return nil
}

// loopInputs is the body of a Loop and what is known of its inputs in every iteration: number, condition, carried values.
func (x *Infer) loopInputs() (*graph.Graph, []Info, error) {
	g, _, err := loopBody(x.Node)
	if err != nil {
		return nil, nil, err
	}
	number := counter(g.Inputs[0], 0)
	return g, append([]Info{{DType: tensor.Int64, Shape: number.Shape}, {DType: tensor.Bool}}, unvalued(x.In[2:])...), nil
}

// inferScan knows carried values as inferLoop does, and the shape of what is joined from the length of the inputs. The
// axis of a joined output counts in the output, which has one axis more than the part.
func inferScan(x *Infer) error {
	s, in, length, err := x.scanInputs()
	if err != nil {
		return err
	}
	out, err := inferBody(s.body, x.Outer, in)
	if err != nil {
		return err
	}
	for i := range s.states {
		out[i] = common(in[i], out[i])
	}
	for k, axis := range s.outAxes {
		v := &out[s.states+k]
		if v.DType == tensor.Invalid {
			continue
		}
		a, err := axisIn(axis, len(v.Shape)+1)
		if err != nil {
			return err
		}
		*v = Info{DType: v.DType, Shape: slices.Insert(slices.Clone(v.Shape), a, length)}
	}
	x.results(out)
	return nil
}

// scanInputs is a Scan with what is known of its body's inputs in every iteration, and how many there are.
func (x *Infer) scanInputs() (s scan, in []Info, length int, err error) {
	if s, err = scanOf(x.Node); err != nil {
		return s, nil, 0, err
	}
	if length, err = s.trips(func(i int) []int { return x.In[i].Shape }); err != nil {
		return s, nil, 0, err
	}
	in = unvalued(x.In)
	for k, axis := range s.inAxes {
		v := &in[s.states+k]
		a, _ := axisIn(axis, len(v.Shape)) // trips has checked it
		v.Shape = slices.Delete(slices.Clone(v.Shape), a, a+1)
	}
	return s, in, length, nil
}
