package pass

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// dropIdentities removes nodes that pass their input on.
func dropIdentities(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		if e.passes(n) && e.bypass(n, n.Inputs[0]) {
			changed = true
		}
		return nil
	})
	return changed, err
}

// whole are the integer types. Of floats even a Max of one value is no identity: it stores the canonical NaN.
var whole = []tensor.DType{
	tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64,
}

// passes reports whether output 0 of n is its input 0 and no other output is read.
func (e *editor) passes(n *graph.Node) bool {
	switch {
	case is(n, "Identity"):
		return true
	case is(n, "Dropout"):
		if mode := n.Input(2); mode != "" {
			t := e.constant(mode)
			if t == nil || len(t.Data) != 1 || t.Data[0] != 0 {
				return false
			}
		}
		return len(n.Outputs) < 2 || n.Outputs[1] == "" || len(e.index.Uses[n.Outputs[1]]) == 0 && !e.index.Output[n.Outputs[1]]
	case is(n, "Transpose"):
		p := n.Ints("perm")
		return p != nil && slices.IsSorted(p)
	case is(n, "Concat", "Sum", "Max", "Min", "Mean"):
		return len(n.Inputs) == 1 && (n.Op == "Concat" || slices.Contains(whole, e.dtype(n.Inputs[0])))
	}
	return false
}

// dropDoubleCasts removes Cast(double) followed by Cast(float32) of a float32 value. The first Cast may have other
// readers. float32 to double is exact and back rounds to the same number; of other types nothing is known, so dtype has
// to say float32.
func dropDoubleCasts(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		up := e.producer(n.Input(0))
		if !is(n, "Cast") || !is(up, "Cast") || n.Int("to", 0) != int64(tensor.Float32) || up.Int("to", 0) != int64(tensor.Float64) {
			return nil
		}
		if e.dtype(up.Inputs[0]) == tensor.Float32 && e.bypass(n, up.Inputs[0]) {
			changed = true
		}
		return nil
	})
	return changed, err
}

// joinTransposes makes one Transpose of two; where they undo each other, the identity pass removes the rest. y =
// second(first(x)) has axis i of y = axis second[i] of first(x) = axis first[second[i]] of x.
func joinTransposes(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		up := e.producer(n.Input(0))
		if !is(n, "Transpose") || !is(up, "Transpose") {
			return nil
		}
		first, second := up.Ints("perm"), n.Ints("perm")
		if first == nil || len(first) != len(second) {
			return nil
		}
		both := make([]int64, len(second))
		for i, p := range second {
			if p < 0 || p >= int64(len(first)) {
				return nil
			}
			both[i] = first[p]
		}
		if e.sole(up.Outputs[0]) == nil && !slices.IsSorted(both) {
			return nil // two copies of the data instead of one after the other: nothing won
		}
		n.SetInts("perm", both)
		e.setInput(n, 0, up.Inputs[0])
		changed = true
		return nil
	})
	return changed, err
}

// joinReshapes lets a Reshape read the input of the Reshape, Flatten, Squeeze or Unsqueeze before it. Its shape has to name
// every axis itself: a 0 would copy an axis of the value in between. -1 may stay: the number of elements is the same on
// either side.
func joinReshapes(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		up := e.producer(n.Input(0))
		if !is(n, "Reshape") || !is(up, "Reshape", "Flatten", "Squeeze", "Unsqueeze") {
			return nil
		}
		t := e.constant(n.Input(1))
		if t == nil {
			return nil
		}
		if v, err := t.Ints(); err != nil || slices.Contains(v, 0) {
			return nil
		}
		e.setInput(n, 0, up.Inputs[0])
		changed = true
		return nil
	})
	return changed, err
}

// dropDead removes what no output needs. It goes backwards once, which suffices as readers stand behind their
// producers.
func dropDead(e *editor) (changed bool, err error) {
	for i := len(e.g.Nodes) - 1; i >= 0; i-- {
		n := e.g.Nodes[i]
		read := slices.ContainsFunc(n.Outputs, func(out string) bool {
			return out != "" && (e.index.Output[out] || len(e.index.Uses[out]) > 0)
		})
		if !read {
			e.remove(n)
			changed = true
		}
	}
	for name := range e.g.Consts {
		if len(e.index.Uses[name]) == 0 && !e.index.Output[name] {
			delete(e.g.Consts, name)
			changed = true
		}
	}
	return changed, nil
}
