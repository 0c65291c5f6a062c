package op

import (
	"cmp"
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// selectOps give outputs whose length follows from the elements of their inputs. They are evaluated by the shape rule, so
// they work on constants and on what follows from shapes, as Range does. Compress and Unique without axis see the elements
// in a row; Unique is sorted by default, else in order of first appearance. Refused: a condition that is no row of bools, an
// axis outside.
var selectOps = []*Op{
	{
		Name: "NonZero", Opsets: []int{9, 13}, Role: RoleShape, Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Infer: inferNonZero, RowWise: never,
	},
	{
		Name: "Compress", Opsets: []int{9, 11}, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Attrs: []string{"axis"},
		Infer: inferCompress, RowWise: never,
	},
	{
		Name: "Unique", Opsets: []int{11}, Types: numericTypes, Inputs: Arity{1, 1}, Outputs: Arity{1, 4}, Attrs: []string{"axis", "sorted"},
		Infer: inferUnique, RowWise: never,
	},
}

// elements returns the tensor of an input whose elements a shape depends on. Its bytes are aligned for view.
func (x *Infer) elements(i int) (*tensor.Tensor, error) {
	t := x.In[i].Value
	if t == nil {
		return nil, &Unknown{Input: i, What: "decides the output's shape"}
	}
	if uintptr(len(t.Data))%uintptr(t.DType.Size()) != 0 {
		return nil, fmt.Errorf("input %d is broken", i)
	}
	return &tensor.Tensor{DType: t.DType, Shape: t.Shape, Data: aligned(t)}, nil
}

// give sets an output with its elements.
func (x *Infer) give(i int, t *tensor.Tensor) {
	x.put(i, t.DType, t.Shape...)
	x.value(i, t)
}

// inferNonZero lists the positions of elements that are not zero, one row of the output for each axis. Positions are in
// row-major order of the elements; NaN is not zero. A scalar has no axes and gives 0 rows.
func inferNonZero(x *Infer) error {
	t, err := x.elements(0)
	if err != nil {
		return err
	}
	truths, err := convert(t, tensor.Bool)
	if err != nil {
		return err
	}
	strides := rowMajor(t.Shape)
	var at []int
	for i, v := range truths.Data {
		if v != 0 {
			at = append(at, i)
		}
	}
	out := tensor.New(tensor.Int64, len(t.Shape), len(at))
	v := tensor.View[int64](out)
	for k, i := range at {
		for a, s := range strides {
			v[a*len(at)+k] = int64(i / s)
			i %= s
		}
	}
	x.give(0, out)
	return nil
}

// inferCompress keeps the slices along axis (without it, the elements in a row) whose condition is true; what the
// condition does not reach is dropped.
func inferCompress(x *Infer) error {
	data, err := x.elements(0)
	if err != nil {
		return err
	}
	keep, err := x.elements(1)
	if err != nil {
		return err
	}
	if keep.DType != tensor.Bool || len(keep.Shape) != 1 {
		return fmt.Errorf("input 1 (condition) is %s%v, bools along one axis are required", keep.DType, keep.Shape)
	}
	shape, axis := []int{data.Len()}, 0
	if a := x.Node.Attr("axis"); a != nil {
		shape = slices.Clone(data.Shape)
		if axis, err = axisIn(a.Int, len(shape)); err != nil {
			return err
		}
	}
	var kept []int
	for i, v := range keep.Data {
		if v != 0 && i < shape[axis] {
			kept = append(kept, i)
		}
	}
	x.give(0, takeAlong(data, shape, axis, kept))
	return nil
}

// takeAlong picks positions along an axis of data, seen as shape. Positions may repeat and come in any order.
func takeAlong(data *tensor.Tensor, shape []int, axis int, kept []int) *tensor.Tensor {
	out := slices.Clone(shape)
	out[axis] = len(kept)
	t := tensor.New(data.DType, out...)
	n, run := shape[axis], tensor.Count(shape[axis+1:])*data.DType.Size()
	for o := range tensor.Count(shape[:axis]) {
		for i, k := range kept {
			copy(t.Data[(o*len(kept)+i)*run:][:run], data.Data[(o*n+k)*run:])
		}
	}
	return t
}

// inferUnique finds the different elements, or with axis the different slices along it, with the place of the first of
// each, which of them each one is, and how many there are. Outputs 1 to 3 are int64 lists. Slices are compared
// lexicographically and NaN equals itself, so order and groups are a function of the elements alone.
func inferUnique(x *Infer) error {
	data, err := x.elements(0)
	if err != nil {
		return err
	}
	shape, axis := []int{data.Len()}, 0
	if a := x.Node.Attr("axis"); a != nil {
		shape = slices.Clone(data.Shape)
		if axis, err = axisIn(a.Int, len(shape)); err != nil {
			return err
		}
	}
	compare := map[tensor.DType]func(*tensor.Tensor, []int, int) func(a, b int) int{
		tensor.Float32: slicesAlong[float32], tensor.Float64: slicesAlong[float64], tensor.Int8: slicesAlong[int8],
		tensor.Uint8: slicesAlong[uint8], tensor.Int16: slicesAlong[int16], tensor.Uint16: slicesAlong[uint16],
		tensor.Int32: slicesAlong[int32], tensor.Uint32: slicesAlong[uint32], tensor.Int64: slicesAlong[int64],
		tensor.Uint64: slicesAlong[uint64],
	}[data.DType](data, shape, axis)
	n := shape[axis]
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if d := compare(a, b); d != 0 {
			return d
		}
		return cmp.Compare(a, b)
	})
	var groups [][]int // equal slices, ascending places
	for i, k := range order {
		if i > 0 && compare(order[i-1], k) == 0 {
			last := len(groups) - 1
			groups[last] = append(groups[last], k)
			continue
		}
		groups = append(groups, []int{k})
	}
	if x.Node.Int("sorted", 1) == 0 {
		slices.SortFunc(groups, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	}
	first, inverse, counts := make([]int, len(groups)), make([]int64, n), make([]int64, len(groups))
	places := make([]int64, len(groups))
	for g, members := range groups {
		first[g], places[g], counts[g] = members[0], int64(members[0]), int64(len(members))
		for _, k := range members {
			inverse[k] = int64(g)
		}
	}
	x.give(0, takeAlong(data, shape, axis, first))
	x.give(1, int64s(places...))
	x.give(2, int64s(inverse...))
	x.give(3, int64s(counts...))
	return nil
}

// slicesAlong compares slices of data, seen as shape, at two positions along axis, element by element in row-major order.
func slicesAlong[T element](data *tensor.Tensor, shape []int, axis int) func(a, b int) int {
	v := view[T](data.Data)
	outer, n, inner := tensor.Count(shape[:axis]), shape[axis], tensor.Count(shape[axis+1:])
	return func(a, b int) int {
		for o := range outer {
			for i := range inner {
				if d := ordered(v[(o*n+a)*inner+i], v[(o*n+b)*inner+i]); d != 0 {
					return d
				}
			}
		}
		return 0
	}
}
