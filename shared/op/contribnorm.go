package op

import (
	"fmt"

	"assay/shared/tensor"
)

// contribNormOps are normalisations fused with what stands in front of them. SimplifiedLayerNormalization is registered
// in ai.onnx too, because files have it there although no opset defines it. "Simplified" means RMS: no mean is
// subtracted and no bias added.
var contribNormOps = []*Op{
	respelledIn("", "SimplifiedLayerNormalization", Arity{2, 2}, Arity{1, 2}, spellSimplified, "axis", "epsilon", "stash_type"),
	respelled("SimplifiedLayerNormalization", Arity{2, 2}, Arity{1, 2}, spellSimplified, "axis", "epsilon", "stash_type"),
	respelled("LayerNormalization", Arity{2, 3}, Arity{1, 3}, spellLayerNorm, "axis", "epsilon", "stash_type"),
	respelled("SkipLayerNormalization", Arity{3, 5}, Arity{1, 4}, spellSkipLayerNorm, "epsilon"),
	respelled("SkipSimplifiedLayerNormalization", Arity{3, 4}, Arity{1, 4}, spellSkipSimplified, "epsilon"),
	respelled("EmbedLayerNormalization", Arity{7, 9}, Arity{1, 3}, spellEmbedding, "epsilon", "mask_index_type"),
}

// spellLayerNorm refuses mean and deviation as outputs; it is ai.onnx's LayerNormalization else.
func spellLayerNorm(s *speller) error {
	if s.wants(1) || s.wants(2) {
		return fmt.Errorf("its statistics are not supported")
	}
	s.end("LayerNormalization", s.old.Inputs, s.kept([]string{"axis", "epsilon", "stash_type"})...)
	return nil
}

// rms writes v / sqrt(mean(v^2) + epsilon) * scale over the last axis, as the end. It is spelled in steps, since
// RMSNormalization is younger (opset 23) than Newest. The mean is numeric's lane sum divided by n, like every reduction
// over the last axis.
func (s *speller) rms(v, scale string, epsilon float32) {
	mean := s.add("ReduceMean", []string{s.add("Mul", []string{v, v}), s.ints(-1)})
	root := s.add("Sqrt", []string{s.add("Add", []string{mean, s.number(epsilon)})})
	s.end("Mul", []string{s.add("Div", []string{v, root}), scale})
}

func spellSimplified(s *speller) error {
	if s.wants(1) {
		return fmt.Errorf("its statistic is not supported")
	}
	if axis, rank := s.old.Int("axis", -1), s.rank(s.in(0), 0); axis != -1 && axis != int64(rank)-1 {
		return fmt.Errorf("axis %d of %d is not the last one", axis, rank)
	}
	s.rms(s.in(0), s.in(1), s.old.Float("epsilon", 1e-5))
	return nil
}

// skipped writes input + skip + bias, which is output 3 as well.
func (s *speller) skipped(bias string) (string, error) {
	if s.wants(1) || s.wants(2) {
		return "", fmt.Errorf("its statistics are not supported")
	}
	sum := s.plus(s.add("Add", []string{s.in(0), s.in(1)}), bias)
	if s.wants(3) {
		s.addTo(s.old.Outputs[3], "Identity", []string{sum})
	}
	return sum, nil
}

// spellSkipLayerNorm: the default epsilon is 1e-12 here, not 1e-5 as in ai.onnx.
func spellSkipLayerNorm(s *speller) error {
	sum, err := s.skipped(s.in(4))
	if err == nil {
		s.end("LayerNormalization", []string{sum, s.in(2), s.in(3)}, floatAttr("epsilon", s.old.Float("epsilon", 1e-12)))
	}
	return err
}

func spellSkipSimplified(s *speller) error {
	sum, err := s.skipped(s.in(3))
	if err == nil {
		s.rms(sum, s.in(2), s.old.Float("epsilon", 1e-12))
	}
	return err
}

// spellEmbedding: inputs are ids, segments, the tables of words, positions and segments, scale, bias, mask, positions. The
// sum of three rows is normalised; output 1 counts each sample's mask, output 2 is the sum. Without position ids the
// first steps rows of the position table are taken by a Slice, so the sequence length may stay symbolic.
func spellEmbedding(s *speller) error {
	words := s.add("Gather", []string{s.in(2), s.in(0)})
	sum := ""
	if p := s.in(8); p != "" {
		sum = s.add("Add", []string{words, s.add("Gather", []string{s.in(3), p})})
	} else {
		steps := s.add("Shape", []string{s.in(0)}, intAttr("start", 1), intAttr("end", 2))
		rows := s.add("Slice", []string{s.in(3), s.ints(0), steps, s.ints(0)})
		sum = s.add("Add", []string{words, rows})
	}
	if s.in(1) != "" && s.in(4) != "" {
		sum = s.add("Add", []string{sum, s.add("Gather", []string{s.in(4), s.in(1)})})
	}
	if s.wants(1) {
		if s.in(7) != "" {
			count := s.add("ReduceSum", []string{s.in(7), s.ints(1)}, intAttr("keepdims", 0))
			s.addTo(s.old.Outputs[1], "Cast", []string{count}, intAttr("to", int64(tensor.Int32)))
		} else {
			batch := s.add("Shape", []string{s.in(0)}, intAttr("start", 0), intAttr("end", 1))
			s.addTo(s.old.Outputs[1], "Expand", []string{s.AddConst("zero", tensor.Of(tensor.Int32, []int{1}, []int32{0})), batch})
		}
	}
	if s.wants(2) {
		s.addTo(s.old.Outputs[2], "Identity", []string{sum})
	}
	s.end("LayerNormalization", []string{sum, s.in(5), s.in(6)}, floatAttr("epsilon", s.old.Float("epsilon", 1e-12)))
	return nil
}
