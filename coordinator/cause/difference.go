package cause

import (
	"fmt"
	"math"

	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/quant"
)

// sums are the operations of a group that add or subtract.
func (m *Model) sums(group int) []*graph.Node {
	var out []*graph.Node
	for _, name := range m.ops[group] {
		if n := m.nodes[name]; n != nil && (n.Op == "Add" || n.Op == "Sub") {
			out = append(out, n)
		}
	}
	return out
}

// differences looks for sums whose results are small beside the levels of what is added.
func (m *Model) differences(group int, st *quant.Stats) ([]Cause, error) {
	var out []Cause
	for _, n := range m.sums(group) {
		level := m.coarsest(group, n)
		if level == 0 {
			continue
		}
		var s seen
		if err := s.counted(n.Outputs[0], st); err != nil {
			return nil, err
		}
		if share := s.below(level); share >= zeroShare {
			out = append(out, Cause{SmallDifference, n.Outputs[0], share, fmt.Sprintf(
				"%.0f %% of the results of this %s are smaller than one level (%v) of its coarser operand", math.Floor(100*share), n.Op, digits(level))})
		}
	}
	return out, nil
}

// coarsest is the widest level with which the group quantizes an operand of n; 0 when it quantizes none.
func (m *Model) coarsest(group int, n *graph.Node) (level float64) {
	for _, i := range m.Params.Groups[group] {
		p := m.Params.Points[i]
		for _, u := range p.Uses {
			if u.Node == n.Name && p.Kind == plan.Activation {
				level = max(level, float64(p.Scale[0]))
			}
		}
	}
	return level
}
