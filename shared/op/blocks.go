package op

import (
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// blockOps move elements between channels and space, crop and pad around the centre. DepthToSpace has mode DCR by default,
// where the block is the outer part of the channels; CRD has it inside. CenterCropPad puts an odd element at the end and
// takes all axes unless axes names some; its sizes are known before the run. Refused: channels or sides that the block does
// not divide.
var blockOps = []*Op{
	{
		Name: "DepthToSpace", Opsets: []int{1, 11, 13}, Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"blocksize", "mode"},
		Infer: func(x *Infer) error {
			s, b, err := blockOf(x)
			if err != nil {
				return err
			}
			if s[1]%(b*b) != 0 {
				return fmt.Errorf("%d channels do not divide by the square of block size %d", s[1], b)
			}
			x.put(0, x.In[0].DType, s[0], s[1]/(b*b), s[2]*b, s[3]*b)
			return nil
		},
		Lower: lowerDepthToSpace,
	},
	{
		Name: "SpaceToDepth", Opsets: []int{1, 13}, Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"blocksize"},
		Infer: func(x *Infer) error {
			s, b, err := blockOf(x)
			if err != nil {
				return err
			}
			if s[2]%b != 0 || s[3]%b != 0 {
				return fmt.Errorf("image %v does not divide by block size %d", s, b)
			}
			x.put(0, x.In[0].DType, s[0], s[1]*b*b, s[2]/b, s[3]/b)
			return nil
		},
		Lower: lowerSpaceToDepth,
	},
	{
		Name: "CenterCropPad", Opsets: []int{18}, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Attrs: []string{"axes"},
		Infer: inferCenterCropPad, Lower: lowerCenterCropPad, RowWise: keepsRows,
	},
}

// blockOf returns the image and the block size of a node, both small enough to multiply. The bound of 2^15 keeps
// block*block and the products of sides with it inside an int on every platform; possible() then checks the whole
// shape.
func blockOf(x *Infer) (shape []int, block int, err error) {
	b := x.Node.Int("blocksize", 0)
	if shape = x.In[0].Shape; len(shape) != 4 || b < 1 || b > 1<<15 {
		return nil, 0, fmt.Errorf("shape %v and block size %d: an image and a positive size are required", shape, b)
	}
	return shape, int(b), nil
}

// permuted lowers a copy of input 0, seen as shape, with its axes in the order perm. perm names axes of shape, which
// may have more axes than the tensor (a block split off an axis); the bytes are those of Count(shape) elements. perm
// must be a permutation.
func (l *Lower) permuted(shape, perm []int) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	strides := rowMajor(shape)
	out, from := make([]int, len(perm)), make([]int, len(perm))
	for i, a := range perm {
		out[i], from[i] = shape[a], strides[a]
	}
	return newStrided(out, rowMajor(out), 0, from, 0, l.In[0].DType.Size()).kernel(src), nil
}

// lowerDepthToSpace: in mode DCR channels are [block][block][depth], in mode CRD [depth][block][block]. The output is
// [N][depth][H][block][W][block], which is [N][depth][H*block][W*block] in memory.
func lowerDepthToSpace(l *Lower) (Kernel, error) {
	s, b, err := blockOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	c := s[1] / (b * b)
	switch mode := l.Node.Str("mode", "DCR"); mode {
	case "DCR":
		return l.permuted([]int{s[0], b, b, c, s[2], s[3]}, []int{0, 3, 4, 1, 5, 2})
	case "CRD":
		return l.permuted([]int{s[0], c, b, b, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3})
	default:
		return Kernel{}, fmt.Errorf("attribute mode is %q, DCR and CRD are known", mode)
	}
}

// lowerSpaceToDepth is the inverse of mode DCR: the block's row and column become the outer part of the channels. ONNX
// has no mode attribute here.
func lowerSpaceToDepth(l *Lower) (Kernel, error) {
	s, b, err := blockOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	return l.permuted([]int{s[0], s[1], s[2] / b, b, s[3] / b, b}, []int{0, 3, 5, 1, 2, 4})
}

// inferCenterCropPad gives the axes that are named, or all, the sizes of input 1.
func inferCenterCropPad(x *Infer) error {
	out := slices.Clone(x.In[0].Shape)
	v, err := x.known(1, "shape")
	if err != nil {
		return err
	}
	want, err := toInts(v)
	if err != nil {
		return err
	}
	axes := Logical.axes(len(out))
	if a := x.Node.Ints("axes"); a != nil {
		if axes, err = axesIn(a, len(out)); err != nil {
			return err
		}
	}
	if len(axes) != len(want) {
		return fmt.Errorf("%d sizes are given for %d axes", len(want), len(axes))
	}
	for i, a := range axes {
		out[a] = want[i]
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// lowerCenterCropPad copies the part that input and output share: each axis starts at half the difference, rounded
// down. With a difference of 2d+1, d elements are cut or padded in front and d+1 behind, which is what ONNX's reference
// does for both directions. Padding is zero bytes; Go's clear is right for every type of the operator.
func lowerCenterCropPad(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	in, out := src.shape, l.Out[0].Shape
	from, to := rowMajor(in), rowMajor(out)
	shape := make([]int, len(in))
	srcOff, dstOff := 0, 0
	for i := range in {
		shape[i] = min(in[i], out[i])
		srcOff += (in[i] - shape[i]) / 2 * from[i]
		dstOff += (out[i] - shape[i]) / 2 * to[i]
	}
	plan, some := newStrided(shape, to, dstOff, from, srcOff, l.In[0].DType.Size()), tensor.Count(shape) > 0
	return Kernel{Alias: -1, Run: func(c *Call) {
		clear(c.Out[0])
		if some {
			plan.run(c.Out[0], src.bytes(c))
		}
	}}, nil
}
