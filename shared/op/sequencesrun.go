package op

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// sequenceIn is input i of a node that has to be a sequence.
func sequenceIn(in []*tensor.Tensor, i int) (*tensor.Tensor, error) {
	if in[i].DType != tensor.Sequence {
		return nil, fmt.Errorf("input %d is %s, a sequence is required", i, in[i].DType)
	}
	return in[i], nil
}

// given is input i, nil when it is omitted.
func given(in []*tensor.Tensor, i int) *tensor.Tensor {
	if i < len(in) {
		return in[i]
	}
	return nil
}

// alone is the result of a node with one output.
func alone(t *tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{t} }

func runSequenceEmpty(_ context.Context, n *graph.Node, _ []*tensor.Tensor, _ Body, _ *Budget) ([]*tensor.Tensor, error) {
	d, err := emptyElem(n.Int("dtype", int64(tensor.Float32)))
	return alone(tensor.SequenceOf(d)), err
}

func runSequenceConstruct(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, _ *Budget) ([]*tensor.Tensor, error) {
	for i, t := range in {
		if t == nil {
			return nil, fmt.Errorf("input %d is omitted", i)
		}
		if err := belongs(t.DType, in[0].DType); err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	return alone(tensor.SequenceOf(in[0].DType, slices.Clone(in)...)), nil
}

// runSequenceInsert puts a tensor in front of the position, at the end without one. An empty sequence that knows no type
// takes that of its first item.
func runSequenceInsert(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, left *Budget) ([]*tensor.Tensor, error) {
	s, err := sequenceIn(in, 0)
	if err != nil {
		return nil, err
	}
	if err := belongs(in[1].DType, s.Elem); err != nil {
		return nil, err
	}
	at, err := placeOf(given(in, 2), len(s.Items), 1)
	if err != nil {
		return nil, err
	}
	out, moved := s.Inserted(at, in[1])
	return alone(out), left.move(moved)
}

// runSequenceErase drops an item, the last one without a position.
func runSequenceErase(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, left *Budget) ([]*tensor.Tensor, error) {
	s, err := sequenceIn(in, 0)
	if err != nil {
		return nil, err
	}
	at, err := placeOf(given(in, 1), len(s.Items), 0)
	if err != nil {
		return nil, err
	}
	out, moved := s.Erased(at)
	return alone(out), left.move(moved)
}

func runSequenceAt(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, _ *Budget) ([]*tensor.Tensor, error) {
	s, err := sequenceIn(in, 0)
	if err != nil {
		return nil, err
	}
	at, err := placeOf(in[1], len(s.Items), 0)
	if err != nil {
		return nil, err
	}
	return alone(s.Items[at]), nil
}

func runSequenceLength(_ context.Context, _ *graph.Node, in []*tensor.Tensor, _ Body, _ *Budget) ([]*tensor.Tensor, error) {
	s, err := sequenceIn(in, 0)
	if err != nil {
		return nil, err
	}
	return alone(tensor.Of(tensor.Int64, nil, []int64{int64(len(s.Items))})), nil
}

// piecesOf is how long the pieces of a SplitToSequence are along its axis: as a list says; or all as one number says, the
// last one shorter where that does not divide; or one each, whose axis goes where keepdims is 0. The number of pieces is
// bounded by the axis, not by what is in it: an axis beside one of 0 may be 2^31 long, which runSplitToSequence charges.
func piecesOf(n *graph.Node, shape []int, sizes *tensor.Tensor) (axis int, pieces []int, squeeze bool, err error) {
	if axis, err = axisIn(n.Int("axis", 0), len(shape)); err != nil {
		return 0, nil, false, err
	}
	length := shape[axis]
	if sizes == nil {
		return axis, equalPieces(length, 1), n.Int("keepdims", 1) == 0, nil
	}
	if !slices.Contains(indexTypes, sizes.DType) || len(sizes.Shape) > 1 {
		return 0, nil, false, fmt.Errorf("split is %s%v, an integer or a list of integers is required", sizes.DType, sizes.Shape)
	}
	v, _ := sizes.Ints()
	if len(sizes.Shape) == 0 {
		if v[0] < 1 {
			return 0, nil, false, fmt.Errorf("pieces of %d are not possible", v[0])
		}
		return axis, equalPieces(length, int(min(v[0], math.MaxInt32))), false, nil
	}
	sum := int64(0)
	for _, size := range v {
		if size < 0 || size > int64(length)-sum {
			return 0, nil, false, fmt.Errorf("pieces of %v are not those of an axis of %d", v, length)
		}
		sum += size
		pieces = append(pieces, int(size))
	}
	if sum != int64(length) {
		return 0, nil, false, fmt.Errorf("pieces of %v are not those of an axis of %d", v, length)
	}
	return axis, pieces, false, nil
}

// maxPieces is far beyond what models split; it bounds a list that the length of an empty axis's neighbour alone claims.
const maxPieces = 1 << 22

// equalPieces cuts a length into pieces of one size, the last one as long as is left; nothing beyond maxPieces is made, and
// whoever sees more than that many refuses them.
func equalPieces(length, size int) (pieces []int) {
	for at := 0; at < length && len(pieces) <= maxPieces; at += size {
		pieces = append(pieces, min(size, length-at))
	}
	return pieces
}

// pieceShape is shape with n places along axis, or without the axis.
func pieceShape(shape []int, axis, n int, squeeze bool) []int {
	out := slices.Clone(shape)
	if squeeze {
		return slices.Delete(out, axis, axis+1)
	}
	out[axis] = n
	return out
}

// runSplitToSequence copies each piece, once what all of them take is paid for.
func runSplitToSequence(ctx context.Context, n *graph.Node, in []*tensor.Tensor, _ Body, left *Budget) ([]*tensor.Tensor, error) {
	t := in[0]
	if t.DType.Container() {
		return nil, fmt.Errorf("input 0 is %s, a tensor is required", t.DType)
	}
	axis, pieces, squeeze, err := piecesOf(n, t.Shape, given(in, 1))
	if err != nil {
		return nil, err
	}
	if len(pieces) > maxPieces {
		return nil, fmt.Errorf("an axis of %d makes more than %d items", t.Shape[axis], maxPieces)
	}
	if err := left.take(t.Bytes() + tensor.ItemBytes*int64(len(pieces))); err != nil {
		return nil, err
	}
	strides, at := rowMajor(t.Shape), 0
	items := make([]*tensor.Tensor, len(pieces))
	for i, size := range pieces {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := pieceShape(t.Shape, axis, size, false)
		items[i] = tensor.New(t.DType, part...)
		copyStrided(items[i].Data, t.Data, part, strides, at*strides[axis], t.DType.Size())
		items[i].Shape = pieceShape(t.Shape, axis, size, squeeze)
		at += size
	}
	return alone(tensor.SequenceOf(t.DType, items...)), nil
}

// joinOf is a Concat of a sequence's items along the axis of n; for new_axis each item gets that axis first, of length 1.
// shapes are what the items have then.
func joinOf(n *graph.Node, items []Info) (x *Infer, shapes [][]int, err error) {
	if len(items) == 0 {
		return nil, nil, fmt.Errorf("an empty sequence has nothing to join and no shape")
	}
	if n.Attr("axis") == nil {
		return nil, nil, fmt.Errorf("attribute axis is required")
	}
	x = &Infer{Node: &graph.Node{Name: n.Name, Op: "Concat", Outputs: []string{"joined"}}, Out: make([]Info, 1)}
	axis := n.Int("axis", 0)
	for i, item := range items {
		shape := item.Shape
		if n.Int("new_axis", 0) != 0 {
			at, err := axisIn(axis, len(shape)+1)
			if err != nil {
				return nil, nil, err
			}
			shape = slices.Insert(slices.Clone(shape), at, 1)
		}
		shapes = append(shapes, shape)
		x.Node.Inputs = append(x.Node.Inputs, strconv.Itoa(i))
		x.In = append(x.In, Info{DType: item.DType, Shape: shape})
	}
	x.Node.SetInt("axis", axis)
	return x, shapes, Apply(x)
}

// runConcatFromSequence joins the items with Concat's own kernel.
func runConcatFromSequence(_ context.Context, n *graph.Node, in []*tensor.Tensor, _ Body, left *Budget) ([]*tensor.Tensor, error) {
	s, err := sequenceIn(in, 0)
	if err != nil {
		return nil, err
	}
	infos := make([]Info, len(s.Items))
	for i, t := range s.Items {
		infos[i] = Info{DType: t.DType, Shape: t.Shape}
	}
	x, shapes, err := joinOf(n, infos)
	if err != nil {
		return nil, err
	}
	if err := left.take(int64(tensor.Count(x.Out[0].Shape)) * int64(x.Out[0].DType.Size())); err != nil {
		return nil, err
	}
	parts := make([]*tensor.Tensor, len(s.Items))
	for i, t := range s.Items {
		parts[i] = &tensor.Tensor{DType: t.DType, Shape: shapes[i], Data: t.Data}
	}
	return run(x, parts, Logical, math.MaxInt64) // paid for above
}

// mapBody is the graph of a SequenceMap, which takes as many values as the node and gives as many.
func mapBody(n *graph.Node) (*graph.Graph, error) {
	g, err := branchOf(n, "body")
	if err != nil {
		return nil, err
	}
	if len(g.Inputs) != len(n.Inputs) || len(g.Outputs) != len(n.Outputs) {
		return nil, fmt.Errorf("%d inputs, %d outputs and a body with %d and %d do not fit", len(n.Inputs), len(n.Outputs), len(g.Inputs), len(g.Outputs))
	}
	return g, nil
}

// runSequenceMap runs its body once for each item of the first sequence, with the item at the same place of other sequences
// and with the same tensors; what the body gives each time are the items of the outputs.
func runSequenceMap(ctx context.Context, n *graph.Node, in []*tensor.Tensor, body Body, left *Budget) ([]*tensor.Tensor, error) {
	g, err := mapBody(n)
	if err != nil {
		return nil, err
	}
	s, err := sequenceIn(in, 0)
	if err != nil {
		return nil, err
	}
	for i, t := range in {
		if t == nil || t.DType == tensor.Optional || t.DType == tensor.Sequence && len(t.Items) != len(s.Items) {
			return nil, fmt.Errorf("input %d is neither a tensor nor a sequence of %d items", i, len(s.Items))
		}
	}
	// An output without items has the type that the body declares; the first item settles it otherwise.
	elems, items := make([]tensor.DType, len(n.Outputs)), make([][]*tensor.Tensor, len(n.Outputs))
	for k, p := range g.Outputs {
		if p.Type.DType.Size() > 0 {
			elems[k] = p.Type.DType
		}
	}
	for i := range s.Items {
		if err := left.trip(ctx); err != nil {
			return nil, err
		}
		args := slices.Clone(in) // plain tensors go to every item as they are
		for k, t := range in {
			if t.DType == tensor.Sequence {
				args[k] = t.Items[i]
			}
		}
		made, err := body(ctx, g, args)
		if err != nil {
			return nil, err
		}
		for k, t := range made {
			if err := belongs(t.DType, elems[k]); err != nil {
				return nil, fmt.Errorf("output %d: %w", k, err)
			}
			if err := left.take(t.Bytes() + tensor.ItemBytes); err != nil {
				return nil, fmt.Errorf("output %d: %w", k, err)
			}
			elems[k], items[k] = t.DType, append(items[k], t)
		}
	}
	out := make([]*tensor.Tensor, len(n.Outputs))
	for k := range out {
		out[k] = tensor.SequenceOf(elems[k], items[k]...)
	}
	return out, nil
}
