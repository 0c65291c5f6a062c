package op

import (
	"context"
	"fmt"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// scan is a Scan node with its attributes completed: states carried values first, then one input per axis of inAxes is cut
// along it, from the end where inReverse says so; likewise the outputs. Node and body have their values in one order:
// states first, then what is cut or joined.
type scan struct {
	body                  *graph.Graph
	states                int
	inAxes, outAxes       []int64
	inReverse, outReverse []bool
}

// scanOf completes absent lists: axis 0 and forwards. Axes are not normalised yet, since ranks are not known.
func scanOf(n *graph.Node) (s scan, err error) {
	if s.body, err = branchOf(n, "body"); err != nil {
		return s, err
	}
	cut := n.Int("num_scan_inputs", 0)
	if cut < 1 || cut > int64(len(n.Inputs)) {
		return s, fmt.Errorf("num_scan_inputs is %d with %d inputs", cut, len(n.Inputs))
	}
	s.states = len(n.Inputs) - int(cut)
	joined := len(n.Outputs) - s.states
	if joined < 0 || len(s.body.Inputs) != len(n.Inputs) || len(s.body.Outputs) != len(n.Outputs) || slices.Contains(n.Inputs, "") {
		return s, fmt.Errorf("%d inputs, %d outputs and a body with %d and %d do not fit", len(n.Inputs), len(n.Outputs), len(s.body.Inputs), len(s.body.Outputs))
	}
	for _, part := range []struct {
		name    string
		count   int
		axes    *[]int64
		reverse *[]bool
	}{{"scan_input", int(cut), &s.inAxes, &s.inReverse}, {"scan_output", joined, &s.outAxes, &s.outReverse}} {
		axes, directions := n.Ints(part.name+"_axes"), n.Ints(part.name+"_directions")
		if axes != nil && len(axes) != part.count || directions != nil && len(directions) != part.count {
			return s, fmt.Errorf("%s_axes %v and %s_directions %v do not fit %d values", part.name, axes, part.name, directions, part.count)
		}
		*part.axes, *part.reverse = make([]int64, part.count), make([]bool, part.count)
		copy(*part.axes, axes)
		for i, d := range directions {
			(*part.reverse)[i] = d != 0
		}
	}
	return s, nil
}

// trips is the length that the cut inputs share; shape gives the shape of node input i.
func (s *scan) trips(shape func(i int) []int) (int, error) {
	length := -1
	for k, axis := range s.inAxes {
		have := shape(s.states + k)
		a, err := axisIn(axis, len(have))
		if err != nil {
			return 0, fmt.Errorf("scan input %d: %w", k, err)
		}
		if length >= 0 && have[a] != length {
			return 0, fmt.Errorf("scan inputs are %d and %d long", length, have[a])
		}
		length = have[a]
	}
	return length, nil
}

// runScan has a length that follows from shapes, so only its memory and the context can end it early. Without
// iterations the states pass, and joined outputs are empty.
func runScan(ctx context.Context, n *graph.Node, in []*tensor.Tensor, body Body, left *Budget) ([]*tensor.Tensor, error) {
	s, err := scanOf(n)
	if err != nil {
		return nil, err
	}
	length, err := s.trips(func(i int) []int { return in[i].Shape })
	if err != nil {
		return nil, err
	}
	state := slices.Clone(in[:s.states])
	lists := make([]collected, len(s.outAxes))
	for i := range length {
		if err := left.trip(ctx); err != nil {
			return nil, err
		}
		args := slices.Clone(state)
		for k, axis := range s.inAxes {
			args = append(args, cutOut(in[s.states+k], axis, i, s.inReverse[k]))
		}
		out, err := body(ctx, s.body, args)
		if err != nil {
			return nil, err
		}
		copy(state, out)
		for k := range lists {
			if err := lists[k].add(out[s.states+k], left); err != nil {
				return nil, fmt.Errorf("scan output %d: %w", k, err)
			}
		}
	}
	out := make([]*tensor.Tensor, len(n.Outputs))
	copy(out, state)
	for k := range lists {
		if out[s.states+k], err = lists[k].stack(s.outAxes[k], s.outReverse[k], s.body.Outputs[s.states+k].Type); err != nil {
			return nil, fmt.Errorf("scan output %d: %w", k, err)
		}
	}
	return out, nil
}

// cutOut copies position i, counted from the end if reverse is set, along an axis, which disappears.
func cutOut(t *tensor.Tensor, axis int64, i int, reverse bool) *tensor.Tensor {
	a, _ := axisIn(axis, len(t.Shape)) // trips has checked it
	if reverse {
		i = t.Shape[a] - 1 - i
	}
	strides := rowMajor(t.Shape)
	shape := slices.Delete(slices.Clone(t.Shape), a, a+1)
	out := tensor.New(t.DType, shape...)
	copyStrided(out.Data, t.Data, shape, slices.Delete(slices.Clone(strides), a, a+1), i*strides[a], t.DType.Size())
	return out
}
