package op

import (
	"fmt"
	"slices"

	"assay/shared/graph"
)

// contribIntegerOps are operators on integers in forms that ONNX Runtime's optimiser writes for its own kernels.
var contribIntegerOps = []*Op{
	respelled("NhwcMaxPool", Arity{1, 1}, Arity{1, 1}, spellNhwcMaxPool, poolAttrs...),
	respelled("DynamicQuantizeMatMul", Arity{2, 5}, Arity{1, 1}, spellDynamicQuantizeMatMul),
}

// poolAttrs are the attributes that NhwcMaxPool shares with MaxPool.
var poolAttrs = []string{"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "strides"}

// spellNhwcMaxPool: channels stand last in the file.
func spellNhwcMaxPool(s *speller) error {
	rank := len(s.old.Ints("kernel_shape")) + 2
	in := s.add("Transpose", []string{s.in(0)}, intsAttr("perm", channelsFirst(rank)...))
	pooled := s.add("MaxPool", []string{in}, s.kept(poolAttrs)...)
	s.end("Transpose", []string{pooled}, intsAttr("perm", channelsBehind(rank)...))
	return nil
}

// channelsFirst is the order of axes that brings channels from the end behind the batch, channelsBehind its inverse.
func channelsFirst(rank int) []int64 {
	p := []int64{0, int64(rank - 1)}
	for i := 1; i < rank-1; i++ {
		p = append(p, int64(i))
	}
	return p
}

func channelsBehind(rank int) []int64 {
	p := []int64{0}
	for i := 2; i < rank; i++ {
		p = append(p, int64(i))
	}
	return append(p, 1)
}

// channelsLast is the Upgrade of integer operators that may have their channels last: where attribute channels_last says
// so, data and result are turned. rankOf tells the number of axes. Rank below 3 is refused as unknown, because the
// operators that have the attribute always see [N][spatial...][C].
func channelsLast(rankOf func(s *speller) int) func(u *Upgrade) error {
	return func(u *Upgrade) error {
		last := u.Node.Int("channels_last", 0) != 0
		u.Node.Unset("channels_last")
		if !last {
			return nil
		}
		old := *u.Node
		s := &speller{Upgrade: u, old: &old}
		if len(old.Inputs) == 0 || len(old.Outputs) != 1 {
			return fmt.Errorf("it has %d inputs and %d outputs", len(old.Inputs), len(old.Outputs))
		}
		rank := rankOf(s)
		if rank < 3 {
			return fmt.Errorf("how many axes its data has does not follow from the model")
		}
		in := s.add("Transpose", []string{s.in(0)}, intsAttr("perm", channelsFirst(rank)...))
		out := s.Fresh("channels_first")
		u.Node.Inputs, u.Node.Outputs = slices.Clone(old.Inputs), []string{out}
		u.Node.Inputs[0] = in
		u.After = append(u.After, made(s.Fresh("back"), "Transpose", []string{out}, old.Outputs, []graph.Attr{intsAttr("perm", channelsBehind(rank)...)}))
		return nil
	}
}

// windowRank is the rank of data under a window.
func windowRank(s *speller) int { return len(s.old.Ints("kernel_shape")) + 2 }

// weightRank is the rank of data under a constant weight at input 3.
func weightRank(s *speller) int { return s.rank(s.in(3), 0) }

// imageRank is the rank of data, that of images where nothing says it. Global pooling says nothing about its rank in
// attributes.
func imageRank(s *speller) int { return s.rank(s.in(0), 4) }

// spellDynamicQuantizeMatMul: inputs are data, weights, their scale and zero point, bias. Data is quantized by its own
// range as DynamicQuantizeLinear does.
func spellDynamicQuantizeMatMul(s *speller) error {
	q, scale, zero := s.Fresh("quantized"), s.Fresh("scale"), s.Fresh("zero")
	s.Before = append(s.Before, made(s.Fresh("quantize"), "DynamicQuantizeLinear", []string{s.in(0)}, []string{q, scale, zero}, nil))
	s.end("MatMulIntegerToFloat", []string{q, s.in(1), scale, s.in(2), zero, s.in(3), s.in(4)})
	s.Node.Domain = microsoft
	return nil
}
