package op

import (
	"fmt"
	"slices"
)

// moveOps copy elements of any type to other places. Defaults: perm reverses the axes, axis is 0. Split's parts are
// attribute split before opset 13, then input 1; without either there are equal parts, with num_outputs (opset 18) the last
// one may be shorter. Expand stretches both ways as numpy does. Sizes that are inputs have to be known before the run.
// Refused: perm that is no permutation, parts that do not add up, inputs of Concat that differ beside the axis or in type.
// Integers pass at the scale of their input; the inputs of a Concat share one scale or are requantized to it
// (QLinearConcat).
var moveOps = []*Op{
	{
		Name: "Transpose", Opsets: []int{1, 13, 21}, Role: RolePassThrough,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"perm"},
		Infer: inferTranspose, Lower: lowerTranspose,
		RowWise: func(l *Lower) bool {
			p, err := permutation(l.Node.Ints("perm"), len(l.In[0].Shape))
			return err == nil && len(p) > 0 && p[0] == 0
		},
	},
	{
		Name: "Concat", Opsets: []int{4, 11, 13}, Role: RoleConcat, Memory: MemoryAny,
		Inputs: Arity{1, -1}, Outputs: Arity{1, 1}, Attrs: []string{"axis"},
		Infer: inferConcat, Lower: lowerConcat,
		RowWise: func(l *Lower) bool { return axisKeepsRows(0)(l) && !anyConst(l.In) },
	},
	{
		Name: "Split", Opsets: []int{2, 11, 13, 18}, Role: RolePassThrough, Memory: MemoryAny, Upgrade: upgradeSplit,
		Inputs: Arity{1, 2}, Outputs: Arity{1, -1}, Attrs: []string{"axis", "num_outputs"},
		Infer: inferSplit, Lower: lowerSplit, RowWise: axisKeepsRows(0),
	},
	{
		Name: "Expand", Opsets: []int{8, 13}, Role: RolePassThrough,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1},
		Infer: inferExpand, Lower: lowerExpand, RowWise: keepsRows,
	},
	{
		Name: "Tile", Opsets: []int{6, 13}, Role: RolePassThrough,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1},
		Infer: inferTile, Lower: lowerTile, RowWise: keepsRows,
	},
}

// axisKeepsRows says that an operator along attribute axis treats rows alike unless that axis is the first. def is the
// operator's default for the attribute; an axis outside is no promise either way, since its shape rule refuses it.
func axisKeepsRows(def int64) func(*Lower) bool {
	return func(l *Lower) bool {
		a, err := axisIn(l.Node.Int("axis", def), len(l.In[0].Shape))
		return err == nil && a != 0
	}
}

// anyConst reports whether some part of a Concat is a constant, which has rows of its own.
func anyConst(parts []Arg) bool {
	return slices.ContainsFunc(parts, func(a Arg) bool { return a.Const != nil })
}

// permutation returns perm as ints, reversed axes when it is absent. Each axis has to be named once; negative ones are
// counted from the end although ONNX does not promise it.
func permutation(perm []int64, rank int) ([]int, error) {
	if perm == nil {
		p := Logical.axes(rank)
		slices.Reverse(p)
		return p, nil
	}
	p, err := axesIn(perm, rank)
	if err == nil && len(p) != rank {
		err = fmt.Errorf("perm %v does not name the %d axes of the input", perm, rank)
	}
	return p, err
}

// inferTranspose permutes the axes: axis i of the output is axis perm[i] of the data.
func inferTranspose(x *Infer) error {
	in := x.In[0].Shape
	p, err := permutation(x.Node.Ints("perm"), len(in))
	if err != nil {
		return err
	}
	out := make([]int, len(p))
	for i, a := range p {
		out[i] = in[a]
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// lowerTranspose is one strided copy. It reads and writes Logical memory on purpose: a Transpose of a channels-last
// tensor would otherwise mean another permutation for each layout.
func lowerTranspose(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	p, err := permutation(l.Node.Ints("perm"), len(src.shape))
	if err != nil {
		return Kernel{}, err
	}
	strides := rowMajor(src.shape)
	from := make([]int, len(p))
	for i, a := range p {
		from[i] = strides[a]
	}
	out := l.Out[0]
	plan := newStrided(out.Shape, rowMajor(out.Shape), 0, from, 0, out.DType.Size())
	return plan.kernel(src), nil
}

// kernel is the lowered form of one copy; an empty output needs none.
func (s *strided) kernel(src operand) Kernel {
	return Kernel{Alias: -1, Run: func(c *Call) {
		if len(c.Out[0]) > 0 {
			s.run(c.Out[0], src.bytes(c))
		}
	}}
}

// inferConcat adds up the sizes along the axis; all inputs agree in type and in every other axis.
func inferConcat(x *Infer) error {
	first := x.In[0].Shape
	axis, err := axisIn(x.Node.Int("axis", 0), len(first))
	if err != nil {
		return err
	}
	out := slices.Clone(first)
	out[axis] = 0
	for i, in := range x.In {
		if !x.has(i) {
			return fmt.Errorf("input %d is omitted but required", i)
		}
		if err := x.alike(i); err != nil {
			return err
		}
		if len(in.Shape) != len(out) {
			return fmt.Errorf("input %d has shape %v, input 0 %v", i, in.Shape, first)
		}
		for k, n := range in.Shape {
			if k != axis && n != first[k] {
				return fmt.Errorf("input %d has shape %v, input 0 %v; only axis %d may differ", i, in.Shape, first, axis)
			}
		}
		out[axis] += in.Shape[axis]
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// lowerConcat copies each part to its columns. Columns is set when the axis is innermost in memory (channels of NHWC):
// then a row of the output is a row of each part, and a producer may write its columns itself (Kernel.WriteColumns).
func lowerConcat(l *Lower) (Kernel, error) {
	out, y := l.Out[0], l.layout()
	axis, err := axisIn(l.Node.Int("axis", 0), len(out.Shape))
	if err != nil {
		return Kernel{}, err
	}
	strides := rowMajor(physical(y, out.Shape))
	plans, srcs := make([]*strided, len(l.In)), make([]operand, len(l.In))
	at := 0
	columns := []int{0}
	for i, in := range l.In {
		if srcs[i], err = l.operand(i, y); err != nil {
			return Kernel{}, err
		}
		shape := physical(y, in.Shape)
		plans[i] = newStrided(shape, strides, at*strides[y.axis(axis, len(strides))], rowMajor(shape), 0, out.DType.Size())
		at += in.Shape[axis]
		columns = append(columns, at)
	}
	if strides[y.axis(axis, len(strides))] != 1 {
		columns = nil
	}
	return Kernel{Alias: -1, Columns: columns, Run: func(c *Call) {
		for i, p := range plans {
			if in := srcs[i].bytes(c); len(in) > 0 {
				p.run(c.Out[0], in)
			}
		}
	}}, nil
}

// upgradeSplit makes attribute split an input; without it the parts are equal, which num_outputs now has to say. Opset
// 2 to 17 wanted equal parts when split was missing; num_outputs says so since 18, with a shorter last part allowed.
func upgradeSplit(u *Upgrade) error {
	n := u.Node
	if u.From < 13 {
		if s := n.Ints("split"); s != nil {
			n.Inputs = append(n.Inputs[:min(len(n.Inputs), 1)], u.AddConst("split", int64s(s...)))
			n.Unset("split")
		}
	}
	if u.From < 18 && n.Input(1) == "" {
		n.SetInt("num_outputs", int64(len(n.Outputs)))
	}
	return nil
}

// splitSizes are the lengths of the outputs along axis. The sizes sum to the axis. Equal parts are ceil(n/outputs)
// long; trailing ones may be shorter or empty.
func splitSizes(x *Infer) (axis int, sizes []int, err error) {
	in := x.In[0].Shape
	if axis, err = axisIn(x.Node.Int("axis", 0), len(in)); err != nil {
		return 0, nil, err
	}
	n := len(x.Node.Outputs)
	if x.has(1) {
		v, err := x.known(1, "split")
		if err == nil {
			sizes, err = toInts(v)
		}
		if err != nil {
			return 0, nil, err
		}
	} else {
		if k := x.Node.Int("num_outputs", int64(n)); k != int64(n) {
			return 0, nil, fmt.Errorf("num_outputs is %d but it has %d outputs", k, n)
		}
		each := (in[axis] + n - 1) / n
		for i := range n {
			sizes = append(sizes, max(0, min(each, in[axis]-i*each)))
		}
	}
	total := 0
	for _, s := range sizes {
		if s < 0 {
			return 0, nil, fmt.Errorf("split %v has a negative part", sizes)
		}
		total += s
	}
	if len(sizes) != n || total != in[axis] {
		return 0, nil, fmt.Errorf("split %v does not divide axis %d of shape %v among %d outputs", sizes, axis, in, n)
	}
	return axis, sizes, nil
}

// inferSplit: sizes from input 1, else equal parts, of which only with num_outputs the last may be shorter.
func inferSplit(x *Infer) error {
	axis, sizes, err := splitSizes(x)
	if err != nil {
		return err
	}
	for i, s := range sizes {
		out := slices.Clone(x.In[0].Shape)
		out[axis] = s
		x.put(i, x.In[0].DType, out...)
	}
	return nil
}

// argsInfer is what a shape rule saw, rebuilt for Lower. Value is set for constants only, so a rule that needs elements
// answers *Unknown here exactly when it did before.
func (l *Lower) argsInfer() *Infer {
	x := &Infer{Node: l.Node, In: make([]Info, len(l.In)), Out: make([]Info, len(l.Out))}
	for i, a := range l.In {
		x.In[i] = Info{DType: a.DType, Shape: a.Shape, Value: a.Const}
	}
	for i, a := range l.Out {
		x.Out[i] = Info{DType: a.DType, Shape: a.Shape}
	}
	return x
}

// The layout is that of an output that is read: with MemoryAny all named outputs agree.
func lowerSplit(l *Lower) (Kernel, error) {
	y := l.In[0].Layout
	for _, o := range l.Out {
		if o.Name != "" {
			y = o.Layout
		}
	}
	src, err := l.operand(0, y)
	if err != nil {
		return Kernel{}, err
	}
	axis, sizes, err := splitSizes(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	strides := rowMajor(physical(y, src.shape))
	plans := make([]*strided, len(sizes))
	at := 0
	for i, s := range sizes {
		shape := slices.Clone(src.shape)
		shape[axis] = s
		shape = physical(y, shape)
		plans[i] = newStrided(shape, rowMajor(shape), 0, strides, at*strides[y.axis(axis, len(strides))], l.In[0].DType.Size())
		at += s
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		in := src.bytes(c)
		for i, p := range plans {
			if len(c.Out[i]) > 0 {
				p.run(c.Out[i], in)
			}
		}
	}}, nil
}

// inferExpand stretches data and shape to each other, so that a 1 in the shape keeps the data's axis.
func inferExpand(x *Infer) error {
	v, err := x.known(1, "shape")
	if err != nil {
		return err
	}
	want, err := toInts(v)
	if err != nil {
		return err
	}
	out, err := broadcast(x.In[0].Shape, want)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// lowerExpand reads with stride 0 along stretched axes.
func lowerExpand(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	out := l.Out[0]
	p := newStrided(out.Shape, rowMajor(out.Shape), 0, stretch(src.shape, out.Shape, Logical), 0, out.DType.Size())
	return p.kernel(src), nil
}

// inferTile multiplies each axis by its number of repeats, 0 included.
func inferTile(x *Infer) error {
	in := x.In[0].Shape
	v, err := x.known(1, "repeats")
	if err != nil {
		return err
	}
	if len(v) != len(in) {
		return fmt.Errorf("%d repeats are given for %d axes", len(v), len(in))
	}
	out, err := toInts(v)
	if err != nil {
		return err
	}
	for i, n := range in {
		out[i] *= n
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// lowerTile reads the input with every axis twice: the repeats, along which it does not move, and the axis itself.
// Element i of an axis tiled t times lies at (i/n, i%n) of the pair [t][n], strides 0 and the axis's own.
func lowerTile(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	strides, out := rowMajor(src.shape), l.Out[0]
	var shape, from []int
	for i, n := range src.shape {
		times := 0
		if n > 0 {
			times = out.Shape[i] / n
		}
		shape = append(shape, times, n)
		from = append(from, 0, strides[i])
	}
	return newStrided(shape, rowMajor(shape), 0, from, 0, out.DType.Size()).kernel(src), nil
}
