package op

import (
	"fmt"
	"slices"

	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// scatterOps write updates into a copy of their data, in row-major order of the updates, so that of two updates of one place
// the later one stays or is combined last. Defaults: axis 0, reduction none; add and mul came with opset 16, max and min
// with 18. Scatter of opset 9 is ScatterElements. Refused: updates that do not fit their indices, a reduction that the type
// has not.
var scatterOps = []*Op{
	{
		Name: "ScatterElements", Opsets: []int{11, 13, 16, 18}, Inputs: Arity{3, 3}, Outputs: Arity{1, 1},
		Attrs: []string{"axis", "reduction"}, Infer: inferScatterElements, Lower: lowerScatterElements, RowWise: never,
	},
	{
		Name: "Scatter", Opsets: []int{9, 11}, Inputs: Arity{3, 3}, Outputs: Arity{1, 1}, Attrs: []string{"axis"},
		Upgrade: func(u *Upgrade) error { u.Node.Op = "ScatterElements"; return nil },
		Infer:   inferScatterElements, Lower: lowerScatterElements, RowWise: never,
	},
	{
		Name: "ScatterND", Opsets: []int{11, 13, 16, 18}, Inputs: Arity{3, 3}, Outputs: Arity{1, 1},
		Attrs: []string{"reduction"}, Infer: inferScatterND, Lower: lowerScatterND, RowWise: never,
	},
	{
		Name: "TensorScatter", Opsets: []int{24}, Inputs: Arity{2, 3}, Outputs: Arity{1, 1},
		Attrs: []string{"axis", "mode"}, Infer: inferTensorScatter, Lower: lowerTensorScatter, RowWise: never,
	},
}

// indexed refuses indices of another type than int32 and int64.
func (x *Infer) indexed(i int) error {
	if d := x.In[i].DType; !slices.Contains(indexTypes, d) {
		return fmt.Errorf("input %d (indices) is %s, int32 or int64 is required", i, d)
	}
	return nil
}

// inferScatterElements: the data's shape; indices and updates have one shape that fits inside it but along the axis.
func inferScatterElements(x *Infer) error {
	data, at := x.In[0].Shape, x.In[1].Shape
	axis, err := axisIn(x.Node.Int("axis", 0), len(data))
	if err == nil {
		err = x.indexed(1)
	}
	if err == nil {
		err = x.alike(2)
	}
	if err != nil {
		return err
	}
	if len(at) != len(data) || !slices.Equal(at, x.In[2].Shape) {
		return fmt.Errorf("data %v, indices %v and updates %v do not fit", data, at, x.In[2].Shape)
	}
	for i, n := range at {
		if i != axis && n > data[i] {
			return fmt.Errorf("indices %v reach past data %v beside axis %d", at, data, axis)
		}
	}
	if _, err := combine(x.In[0].DType, x.Node.Str("reduction", "none")); err != nil {
		return err
	}
	return same(x)
}

// combine returns how element from of updates goes to element to of data: in its place, or joined with it. none copies
// bytes and so takes every type; the others compute and take numbers only.
func combine(d tensor.DType, reduction string) (func(data, updates []byte, to, from int), error) {
	if reduction == "none" {
		size := d.Size()
		return func(data, updates []byte, to, from int) {
			copy(data[to*size:(to+1)*size], updates[from*size:])
		}, nil
	}
	f := map[tensor.DType]func(data, updates []byte, to, from int){
		tensor.Float32: joined(reduction, numeric.Canon), tensor.Float64: joined[float64](reduction, nil),
		tensor.Int8: joined[int8](reduction, nil), tensor.Uint8: joined[uint8](reduction, nil),
		tensor.Int16: joined[int16](reduction, nil), tensor.Uint16: joined[uint16](reduction, nil),
		tensor.Int32: joined[int32](reduction, nil), tensor.Uint32: joined[uint32](reduction, nil),
		tensor.Int64: joined[int64](reduction, nil), tensor.Uint64: joined[uint64](reduction, nil),
	}[d]
	if f == nil {
		return nil, fmt.Errorf("reduction %q over %s is not supported", reduction, d)
	}
	return f, nil
}

// joined is nil for a reduction that is not known, which combine turns into an error.
func joined[T element](reduction string, store func(T) T) func(data, updates []byte, to, from int) {
	f := map[string]func(a, b T) T{
		"add": func(a, b T) T { return a + b },
		"mul": func(a, b T) T { return T(a * b) },
		"max": func(a, b T) T { return max(a, b) },
		"min": func(a, b T) T { return min(a, b) },
	}[reduction]
	if f == nil {
		return nil
	}
	return func(data, updates []byte, to, from int) {
		v := f(view[T](data)[to], view[T](updates)[from])
		if store != nil {
			v = store(v)
		}
		view[T](data)[to] = v
	}
}

// scatter are the operands of a scattering node and how elements are joined.
type scatter struct {
	data, at, updates operand
	size              int // of an index
	join              func(data, updates []byte, to, from int)
}

// scatter binds data, indices and updates. The data is copied to the output first, so Alias stays -1.
func (l *Lower) scatter() (s scatter, err error) {
	if s.data, err = l.operand(0, Logical); err != nil {
		return s, err
	}
	if s.at, err = l.operand(1, Logical); err != nil {
		return s, err
	}
	if s.updates, err = l.operand(2, Logical); err != nil {
		return s, err
	}
	s.size = l.In[1].DType.Size()
	s.join, err = combine(l.In[0].DType, l.Node.Str("reduction", "none"))
	return s, err
}

// within refuses constant indices outside n; computed ones go to the nearest place, since a kernel cannot fail.
func (s *scatter) within(n int) error {
	return within(s.at, s.size, tensor.Count(s.at.shape), func(int) int { return n })
}

// within checks constant indices; limit gives the length of the axis that index i points into.
func within(at operand, size, count int, limit func(i int) int) error {
	if !at.fixed {
		return nil
	}
	for i := range count {
		if _, err := axisIn(index(at.data, size, i), limit(i)); err != nil {
			return fmt.Errorf("index %d is outside an axis of %d", index(at.data, size, i), limit(i))
		}
	}
	return nil
}

// lowerScatterElements writes update [i][j]... to data with the index in the place of its position along axis; later
// updates come after earlier ones in row-major order.
func lowerScatterElements(l *Lower) (Kernel, error) {
	s, err := l.scatter()
	if err != nil {
		return Kernel{}, err
	}
	axis, err := axisIn(l.Node.Int("axis", 0), len(s.data.shape))
	if err != nil {
		return Kernel{}, err
	}
	n := s.data.shape[axis]
	if err := s.within(n); err != nil {
		return Kernel{}, err
	}
	to, from, count := rowMajor(s.data.shape), rowMajor(s.at.shape), tensor.Count(s.at.shape)
	if n == 0 {
		count = 0
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		copy(c.Out[0], s.data.bytes(c))
		at, updates := s.at.bytes(c), s.updates.bytes(c)
		for i := range count {
			s.join(c.Out[0], updates, elementAt(i, from, to, axis, place(index(at, s.size, i), n)), i)
		}
	}}, nil
}

// elementAt is where element i of an array with strides from lies in one with strides to when its position along axis
// is k. Both arrays have as many axes. i counts row-major by from.
func elementAt(i int, from, to []int, axis int, k int64) int {
	off := int(k) * to[axis]
	for a, s := range from {
		if a != axis {
			off += i / s * to[a]
		}
		i %= s
	}
	return off
}

// tuples describes input 1 of GatherND and ScatterND: its last axis holds positions along the first axes of the data that
// follow batch. depth is at least 1 and batch + depth at most the data's rank.
func tuples(data, at []int, batch int) (depth int, err error) {
	if len(data) == 0 || len(at) == 0 {
		return 0, fmt.Errorf("data %v and indices %v need axes", data, at)
	}
	depth = at[len(at)-1]
	if batch < 0 || batch >= len(at) || depth < 1 || batch+depth > len(data) || !slices.Equal(data[:batch], at[:batch]) {
		return 0, fmt.Errorf("data %v and indices %v do not fit with %d batch axes", data, at, batch)
	}
	return depth, nil
}

// inferScatterND: the data's shape; updates are the axes of the indices but the last, then what a tuple leaves of the data.
func inferScatterND(x *Infer) error {
	data, at := x.In[0].Shape, x.In[1].Shape
	depth, err := tuples(data, at, 0)
	if err == nil {
		err = x.indexed(1)
	}
	if err == nil {
		err = x.alike(2)
	}
	if err != nil {
		return err
	}
	if want := slices.Concat(at[:len(at)-1], data[depth:]); !slices.Equal(want, x.In[2].Shape) {
		return fmt.Errorf("updates have shape %v, %v is required", x.In[2].Shape, want)
	}
	if _, err := combine(x.In[0].DType, x.Node.Str("reduction", "none")); err != nil {
		return err
	}
	return same(x)
}

// lowerScatterND writes whole blocks behind the axes that the index tuples name. depth is the length of a tuple; run,
// in elements, is what lies behind.
func lowerScatterND(l *Lower) (Kernel, error) {
	s, err := l.scatter()
	if err != nil {
		return Kernel{}, err
	}
	shape := s.data.shape
	depth, err := tuples(shape, s.at.shape, 0)
	if err != nil {
		return Kernel{}, err
	}
	if err := within(s.at, s.size, tensor.Count(s.at.shape), func(i int) int { return shape[i%depth] }); err != nil {
		return Kernel{}, err
	}
	strides, run, blocks := rowMajor(shape), tensor.Count(shape[depth:]), tensor.Count(s.at.shape)/depth
	if tensor.Count(shape) == 0 {
		blocks = 0
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		copy(c.Out[0], s.data.bytes(c))
		at, updates := s.at.bytes(c), s.updates.bytes(c)
		for b := range blocks {
			to := tupleAt(at, s.size, b*depth, shape[:depth], strides)
			for i := range run {
				s.join(c.Out[0], updates, to+i, b*run+i)
			}
		}
	}}, nil
}

// tupleAt is the offset that the index tuple starting at element i of at names.
func tupleAt(at []byte, size, i int, shape, strides []int) int {
	off := 0
	for a, n := range shape {
		off += int(place(index(at, size, i+a), n)) * strides[a]
	}
	return off
}

// inferTensorScatter: the cache's shape. The update fits along axis (default -2) and is equal on all others; write
// indices, one for each sample, are 0 when omitted.
func inferTensorScatter(x *Infer) error {
	cache, update := x.In[0].Shape, x.In[1].Shape
	axis, err := axisIn(x.Node.Int("axis", -2), len(cache))
	if err == nil {
		err = x.alike(1)
	}
	if err == nil && x.has(2) {
		err = x.indexed(2)
	}
	if err != nil {
		return err
	}
	if mode := x.Node.Str("mode", "linear"); mode != "linear" && mode != "circular" {
		return fmt.Errorf("attribute mode is %q, linear and circular are known", mode)
	}
	if axis == 0 || len(update) != len(cache) || update[axis] > cache[axis] || cache[axis] == 0 ||
		!slices.Equal(without(cache, []int{axis}, true), without(update, []int{axis}, true)) ||
		x.has(2) && !slices.Equal(x.In[2].Shape, cache[:1]) {
		return fmt.Errorf("cache %v and update %v do not fit along axis %d", cache, update, axis)
	}
	return same(x)
}

// lowerTensorScatter writes the update of each sample behind its write index along axis, wrapping in mode circular; in
// mode linear a position past the end goes to the last.
func lowerTensorScatter(l *Lower) (Kernel, error) {
	data, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	update, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	axis, err := axisIn(l.Node.Int("axis", -2), len(data.shape))
	if err != nil {
		return Kernel{}, err
	}
	var at operand
	size := 0
	if l.present(2) {
		if at, err = l.operand(2, Logical); err != nil {
			return Kernel{}, err
		}
		size = l.In[2].DType.Size()
	}
	n, k, samples := data.shape[axis], update.shape[axis], data.shape[0]
	prefix, run := tensor.Count(data.shape[:axis]), tensor.Count(data.shape[axis+1:])*l.In[0].DType.Size()
	circular := l.Node.Str("mode", "linear") == "circular"
	return Kernel{Alias: -1, Run: func(c *Call) {
		copy(c.Out[0], data.bytes(c))
		src := update.bytes(c)
		for p := range prefix {
			first := int64(0)
			if size > 0 {
				first = index(at.bytes(c), size, p/(prefix/samples))
			}
			for i := range k {
				to := min(max(first, -int64(n)), int64(n)) + int64(i)
				if circular {
					to = ((first%int64(n)+int64(i))%int64(n) + int64(n)) % int64(n)
				}
				copy(c.Out[0][(p*n+int(place(to, n)))*run:][:run], src[(p*k+i)*run:])
			}
		}
	}}, nil
}
