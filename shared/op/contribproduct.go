package op

import (
	"fmt"
	"slices"

	"assay/shared/graph"
)

// contribProductOps are products fused with what stands around them. FusedConv and FusedGemm exist as operators too, made
// by the engine; those of files are respelled.
var contribProductOps = []*Op{
	respelled("FusedMatMul", Arity{2, 2}, Arity{1, 1}, spellFusedMatMul, "alpha", "transA", "transB", "transBatchA", "transBatchB"),
	respelled("TransposeMatMul", Arity{2, 2}, Arity{1, 1}, spellFusedMatMul, "alpha", "transA", "transB"),
	respelled("FusedMatMulActivation", Arity{2, 2}, Arity{1, 1}, spellFusedMatMul, "activation", "activation_alpha", "activation_beta", "alpha",
		"transA", "transB", "transBatchA", "transBatchB"),
}

// spellFused respells a FusedConv or FusedGemm as the plain layer, the sum with input 3 where there is one, and the
// activation. The order layer, sum, activation is ONNX Runtime's: the activation is applied to the sum.
func spellFused(layer string) func(u *Upgrade) error {
	return func(u *Upgrade) error {
		old := *u.Node
		s := &speller{Upgrade: u, old: &old}
		if len(old.Inputs) < 2 || len(old.Inputs) > 4 || len(old.Outputs) != 1 {
			return fmt.Errorf("it has %d inputs and %d outputs", len(old.Inputs), len(old.Outputs))
		}
		attrs := slices.DeleteFunc(slices.Clone(old.Attrs), func(a graph.Attr) bool {
			return slices.Contains([]string{"activation", "activation_alpha", "activation_beta", "activation_params"}, a.Name)
		})
		var err error
		s.start(layer, old.Inputs[:min(3, len(old.Inputs))], attrs, func(v string) string {
			v, err = s.spellAct(s.plus(v, s.in(3)))
			return v
		})
		return err
	}
}

// spellFusedMatMul turns operands in front of a MatMul and scales its result by alpha. The node that keeps the file's
// name is the MatMul, because a plan names groups after layers.
func spellFusedMatMul(s *speller) error {
	var sides [2]string
	for i, side := range []string{"A", "B"} {
		v := s.in(i)
		turn, batch := s.old.Int("trans"+side, 0) != 0, s.old.Int("transBatch"+side, 0) != 0
		rank := s.rank(v, 0)
		if (turn || batch) && rank == 0 {
			return fmt.Errorf("how many axes input %d has does not follow from the model", i)
		}
		if perm := turned(rank, turn, batch); perm != nil {
			v = s.add("Transpose", []string{v}, intsAttr("perm", perm...))
		}
		sides[i] = v
	}
	var err error
	s.start("MatMul", sides[:], nil, func(v string) string {
		if alpha := s.old.Float("alpha", 1); alpha != 1 {
			v = s.add("Mul", []string{v, s.number(alpha)})
		}
		v, err = s.spellAct(v)
		return v
	})
	return err
}

// turned is the order of axes of an operand, nil when it stays: batch moves the axis in front of the last one to the
// front of all, turn then exchanges the last two.
func turned(rank int, turn, batch bool) []int64 {
	if rank < 2 || !turn && !batch {
		return nil
	}
	p := make([]int64, rank)
	for i := range p {
		p[i] = int64(i)
	}
	if batch {
		// The stored order is [rows, batch..., columns]; the product wants [batch..., rows, columns].
		p = append(append(slices.Clone(p[1:rank-1]), 0), int64(rank-1))
	}
	if turn {
		p[rank-2], p[rank-1] = p[rank-1], p[rank-2]
	}
	return p
}
