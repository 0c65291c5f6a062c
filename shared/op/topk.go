package op

import (
	"cmp"
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// topkOps rank elements along axis (default -1). k was an attribute before opset 10; it has to be known before the run,
// since it is a size of the output, and lie in 0 to the length of the axis. largest is 1 by default; sorted does not matter,
// the result always is. Ties go to the lowest index, NaN counts as the largest. Indices are int64. It stays float.
var topkOps = []*Op{{
	Name: "TopK", Opsets: []int{1, 10, 11}, Types: numericTypes, Attrs: []string{"axis", "largest", "sorted"},
	Upgrade: upgradeTopK, Inputs: Arity{2, 2}, Outputs: Arity{1, 2}, Infer: inferTopK, Lower: lowerTopK, RowWise: axisKeepsRows(-1),
}}

// upgradeTopK makes attribute k an input (opset 10).
func upgradeTopK(u *Upgrade) error {
	n := u.Node
	if u.From >= 10 {
		return nil
	}
	if n.Attr("k") == nil {
		return fmt.Errorf("attribute k is required at opset %d", u.From)
	}
	n.Inputs = append(n.Inputs[:min(len(n.Inputs), 1)], u.AddConst("k", int64s(n.Int("k", 0))))
	n.Unset("k")
	return nil
}

// inferTopK: the axis becomes k long, in values of the data's type and int64 places.
func inferTopK(x *Infer) error {
	shape := slices.Clone(x.In[0].Shape)
	axis, err := axisIn(x.Node.Int("axis", -1), len(shape))
	if err != nil {
		return err
	}
	v, err := x.known(1, "k")
	if err != nil {
		return err
	}
	if len(v) != 1 || v[0] < 0 || v[0] > int64(shape[axis]) {
		return fmt.Errorf("k is %v, one number from 0 to the %d elements along axis %d is required", v, shape[axis], axis)
	}
	shape[axis] = int(v[0])
	x.put(0, x.In[0].DType, shape...)
	x.put(1, tensor.Int64, shape...)
	return nil
}

// lowerTopK ranks places by element, ties by place, so that what comes out does not depend on attribute sorted, and equals
// come in the same order for every k. NaN is larger than every number.
func lowerTopK(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	axis, err := axisIn(l.Node.Int("axis", -1), len(shape))
	if err != nil {
		return Kernel{}, err
	}
	r := ranking{
		outer: tensor.Count(shape[:axis]), n: shape[axis], inner: tensor.Count(shape[axis+1:]),
		descending: l.Node.Int("largest", 1) != 0,
	}
	for i := range l.Out {
		if l.wants(i) {
			r.k = l.Out[i].Shape[axis]
		}
	}
	loop := map[tensor.DType]func(r ranking, values, places, src, scratch []byte){
		tensor.Float32: rank[float32], tensor.Float64: rank[float64], tensor.Int8: rank[int8], tensor.Uint8: rank[uint8],
		tensor.Int16: rank[int16], tensor.Uint16: rank[uint16], tensor.Int32: rank[int32], tensor.Uint32: rank[uint32],
		tensor.Int64: rank[int64], tensor.Uint64: rank[uint64],
	}[l.In[0].DType]
	return Kernel{Alias: -1, Scratch: 8 * r.n, Run: func(c *Call) {
		var places []byte
		if len(c.Out) > 1 {
			places = c.Out[1]
		}
		loop(r, c.Out[0], places, src.bytes(c), c.Scratch[:8*r.n])
	}}, nil
}

// ranking takes the first k of the middle axis of [outer][n][inner]. k <= n.
type ranking struct {
	outer, n, inner, k int
	descending         bool
}

// rank keeps the first k places seen so far in scratch (n int64), line by line, as a heap whose root is the last of them: n log k
// at most, and a comparison for each element that is behind the root. values and places may each be nil.
func rank[T element](r ranking, values, places, src, scratch []byte) {
	in, order := view[T](src), view[int64](scratch)[:r.k]
	top, at := view[T](values), view[int64](places)
	if r.k == 0 {
		return
	}
	for o := range r.outer * r.inner {
		line := in[o/r.inner*r.n*r.inner+o%r.inner:]
		compare := func(a, b int64) int {
			d := ordered(line[int(a)*r.inner], line[int(b)*r.inner])
			if r.descending {
				d = -d
			}
			if d == 0 {
				return cmp.Compare(a, b)
			}
			return d
		}
		for i := range order {
			order[i] = int64(i)
		}
		if r.k < r.n {
			for i := r.k/2 - 1; i >= 0; i-- {
				sink(order, i, compare)
			}
			for i := int64(r.k); i < int64(r.n); i++ {
				if compare(i, order[0]) < 0 {
					order[0] = i
					sink(order, 0, compare)
				}
			}
		}
		slices.SortFunc(order, compare)
		to := o/r.inner*r.k*r.inner + o%r.inner
		for i, place := range order {
			if top != nil {
				top[to+i*r.inner] = line[int(place)*r.inner]
			}
			if at != nil {
				at[to+i*r.inner] = place
			}
		}
	}
}

// sink moves entry i of a heap down to where no child is behind it.
func sink(heap []int64, i int, compare func(a, b int64) int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && compare(heap[child+1], heap[child]) > 0 {
			child++
		}
		if compare(heap[child], heap[i]) <= 0 {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

// ordered compares with NaN above every number, and equal to itself.
func ordered[T element](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case a != a && b != b:
		return 0
	case a != a:
		return 1
	}
	return -1
}
