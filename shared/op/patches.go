package op

import (
	"fmt"

	"assay/kernels/numeric"
	"assay/kernels/volume"
	"assay/shared/tensor"
)

// patchOps put patches together (Col2Im, the adjoint of unfolding) and convolve at moved positions (DeformConv: tap k
// of group g reads at p + offset[g][k], bilinearly, times mask[g][k]). Attributes are those of Conv, except that Col2Im
// takes its kernel from input 2, block_shape. They stay float.
var patchOps = []*Op{
	{
		Name: "Col2Im", Opsets: []int{18}, Types: float32Only, Attrs: []string{"dilations", "pads", "strides"},
		Inputs: Arity{3, 3}, Outputs: Arity{1, 1}, Infer: inferCol2Im, Lower: lowerCol2Im,
	},
	{
		Name: "DeformConv", Opsets: []int{19}, Types: float32Only, RowWise: bothKeepRowsButWeight,
		Attrs:  []string{"dilations", "group", "kernel_shape", "offset_group", "pads", "strides"},
		Inputs: Arity{3, 5}, Outputs: Arity{1, 1}, Infer: inferDeformConv, Lower: lowerDeformConv,
		MACs: func(x *Infer) int64 { return convMACs(x.In[1].Shape, x.Out[0].Shape) },
	},
}

// bothKeepRowsButWeight: offsets and mask have a batch of their own, which may not be constant.
func bothKeepRowsButWeight(l *Lower) bool {
	return l.In[2].Const == nil && (!l.present(4) || l.In[4].Const == nil)
}

// col2im returns the window whose patches a Col2Im adds up: it moves over the image that is made. windowOf runs on the
// image that is made, so its out is the number of places, which must be input 0's last axis.
func col2im(x *Infer) (w window, channels int, err error) {
	in := x.In[0].Shape
	var sizes [2][]int
	for i, what := range []string{"image_shape", "block_shape"} {
		v, err := x.known(1+i, what)
		if err != nil {
			return w, 0, err
		}
		if sizes[i], err = toInts(v); err != nil {
			return w, 0, err
		}
	}
	if len(sizes[0]) > volume.MaxAxes {
		return w, 0, fmt.Errorf("%d spatial axes are not supported, up to %d are", len(sizes[0]), volume.MaxAxes)
	}
	if w, err = windowOf(x.Node, sizes[0], sizes[1], false); err != nil {
		return w, 0, err
	}
	if err := possible(append([]int{1}, w.kernel...), 8); err != nil {
		return w, 0, err
	}
	if taps := tensor.Count(w.kernel); len(in) != 3 || in[1]%taps != 0 || in[2] != tensor.Count(w.out) {
		return w, 0, fmt.Errorf("patches %v do not fit blocks %v in %d places", in, w.kernel, tensor.Count(w.out))
	}
	return w, in[1] / tensor.Count(w.kernel), nil
}

// inferCol2Im: data [N, C*block, positions] gives images [N, C, sizes of input 1].
func inferCol2Im(x *Infer) error {
	w, c, err := col2im(x)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, append([]int{x.In[0].Shape[0], c}, w.in...)...)
	return nil
}

// lowerCol2Im adds every element of a patch to the image, taps ascending, then places. Each pixel is one chain of plain
// additions from +0 in that order, so that overlaps give the same bits in every layout.
func lowerCol2Im(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	w, channels, err := col2im(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	v, err := w.volume(1, 1)
	if err != nil {
		return Kernel{}, err
	}
	pixels, places := tensor.Count(w.in), tensor.Count(w.out)
	planes := l.In[0].Shape[0] * channels
	return Kernel{Alias: -1, Run: func(c *Call) {
		in, dst := view[float32](src.bytes(c)), view[float32](c.Out[0])
		clear(dst)
		for p := range planes {
			v.AddPatches(dst[p*pixels:(p+1)*pixels], in[p*v.Taps()*places:])
		}
		numeric.CanonAll(dst)
	}}, nil
}

// deformation checks data [N][C][H][W] against offsets [N][2*groups*KH*KW][OH][OW], whose pairs are (row, column), and
// the mask.
func deformation(x *Infer) (w window, group, offsets int, err error) {
	data, weight := x.In[0].Shape, x.In[1].Shape
	if len(data) != 4 {
		return w, 0, 0, fmt.Errorf("data shape %v is no image", data)
	}
	if w, group, err = convShape(x.Node, data, weight); err != nil {
		return w, 0, 0, err
	}
	if offsets, err = toInt(x.Node.Int("offset_group", 1)); err != nil {
		return w, 0, 0, err
	}
	at := x.In[2].Shape
	if offsets < 1 || data[1]%offsets != 0 || len(at) != 4 || at[0] != data[0] || at[1] != 2*offsets*tensor.Count(w.kernel) || at[2] != w.out[0] || at[3] != w.out[1] {
		return w, 0, 0, fmt.Errorf("offsets %v do not fit %d groups of kernel %v and output %v", at, offsets, w.kernel, w.out)
	}
	if x.has(4) {
		if m := x.In[4].Shape; len(m) != 4 || m[0] != at[0] || 2*m[1] != at[1] || m[2] != at[2] || m[3] != at[3] {
			return w, 0, 0, fmt.Errorf("mask %v does not fit offsets %v", m, at)
		}
	}
	if x.has(3) && (len(x.In[3].Shape) != 1 || x.In[3].Shape[0] != weight[0]) {
		return w, 0, 0, fmt.Errorf("bias shape %v does not fit weight shape %v", x.In[3].Shape, weight)
	}
	return w, group, offsets, x.alike(1, 2, 3, 4)
}

// inferDeformConv: a convolution whose offsets are [N, 2*groups*kernel, out...] and mask [N, groups*kernel, out...].
func inferDeformConv(x *Infer) error {
	w, _, _, err := deformation(x)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, x.In[0].Shape[0], x.In[1].Shape[0], w.out[0], w.out[1])
	return nil
}

// lowerDeformConv works on channels-last copies of data and output in scratch. The engine hands Logical memory: offsets
// and mask have channel axes that a channels-last layout would scatter. Scratch is [data][output][kernel's room].
func lowerDeformConv(l *Lower) (Kernel, error) {
	w, group, offsets, err := deformation(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	weight, err := l.constant(1, "weight")
	if err != nil {
		return Kernel{}, err
	}
	bias, err := l.constant(3, "bias")
	if err != nil {
		return Kernel{}, err
	}
	var in [5]operand
	for _, i := range []int{0, 2, 4} {
		if l.present(i) {
			if in[i], err = l.operand(i, Logical); err != nil {
				return Kernel{}, err
			}
		}
	}
	data, out := l.In[0].Shape, l.Out[0].Shape
	v, err := w.volume(data[0], data[1])
	if err != nil {
		return Kernel{}, err
	}
	packed, err := pack(l.Packs, packKey(l.Packs, "conv.volume", []int{group}, weight, bias), func() (*volume.Conv, error) {
		return volume.PackConv(weight.F32(), floatsOf(bias), out[1], data[1], group, v.Taps())
	})
	if err != nil {
		return Kernel{}, err
	}
	// from takes [n,c,h,w] to [n,h,w,c], to takes the result back; what the kernel sees lies channels last on both sides.
	last := ChannelsLast.axes(4)
	first := []int{0, 3, 1, 2}
	src, dst := 4*tensor.Count(data), 4*tensor.Count(out)
	from, to := permutation4(data, last), permutation4(physical(ChannelsLast, out), first)
	return Kernel{Alias: -1, Scratch: spaced(src) + spaced(dst) + 4*packed.Scratch(), Run: func(c *Call) {
		pixels, rest := c.Scratch[:src], c.Scratch[spaced(src):]
		result, room := rest[:dst], view[float32](rest[spaced(dst):])
		from.run(pixels, in[0].bytes(c))
		var mask []float32
		if in[4].shape != nil {
			mask = view[float32](in[4].bytes(c))
		}
		packed.Deform(view[float32](result), view[float32](pixels), view[float32](in[2].bytes(c)), mask, offsets, &v, room)
		to.run(c.Out[0], result)
	}}, nil
}

// permutation4 plans a copy of float32 of shape with its axes in the order perm.
func permutation4(shape, perm []int) *strided {
	strides := rowMajor(shape)
	out, from := make([]int, len(perm)), make([]int, len(perm))
	for i, a := range perm {
		out[i], from[i] = shape[a], strides[a]
	}
	return newStrided(out, rowMajor(out), 0, from, 0, 4)
}
