package op

import (
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// sequenceOps make, change and read sequences of tensors. A sequence is a value of the run and never one of a compiled
// stretch: it has no place in an arena, no layout, no row and no integer form, so each of them runs on whole values
// (Op.Control) and in float. A change gives a new list that shares its tensors with the old one. Positions are one integer
// each, negative ones from the end. What the rules below know of a sequence is its element type and, where that follows
// without a run, the items themselves; so what a model splits and takes apart at constant positions has shapes.
var sequenceOps = []*Op{
	{
		Name: "SequenceEmpty", Opsets: []int{11}, Inputs: Arity{0, 0}, Outputs: Arity{1, 1}, Attrs: []string{"dtype"},
		Infer: inferSequenceEmpty, Control: runSequenceEmpty, RowWise: never,
	},
	{
		Name: "SequenceConstruct", Opsets: []int{11}, Inputs: Arity{1, -1}, Outputs: Arity{1, 1},
		Infer: inferSequenceConstruct, Control: runSequenceConstruct, RowWise: never,
	},
	{
		Name: "SequenceInsert", Opsets: []int{11}, Inputs: Arity{2, 3}, Outputs: Arity{1, 1},
		Infer: inferSequenceInsert, Control: runSequenceInsert, RowWise: never,
	},
	{
		Name: "SequenceErase", Opsets: []int{11}, Inputs: Arity{1, 2}, Outputs: Arity{1, 1},
		Infer: inferSequenceErase, Control: runSequenceErase, RowWise: never,
	},
	{
		Name: "SequenceAt", Opsets: []int{11}, Inputs: Arity{2, 2}, Outputs: Arity{1, 1},
		Infer: inferSequenceAt, Control: runSequenceAt, RowWise: never,
	},
	{
		Name: "SequenceLength", Opsets: []int{11}, Inputs: Arity{1, 1}, Outputs: Arity{1, 1},
		Infer: inferSequenceLength, Control: runSequenceLength, RowWise: never,
	},
	{
		Name: "SplitToSequence", Opsets: []int{11}, Inputs: Arity{1, 2}, Outputs: Arity{1, 1}, Attrs: []string{"axis", "keepdims"},
		Infer: inferSplitToSequence, Control: runSplitToSequence, RowWise: never,
	},
	{
		Name: "ConcatFromSequence", Opsets: []int{11}, Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"axis", "new_axis"},
		Infer: inferConcatFromSequence, Control: runConcatFromSequence, RowWise: never,
	},
	{
		Name: "SequenceMap", Opsets: []int{17}, Inputs: Arity{1, -1}, Outputs: Arity{1, -1}, Attrs: []string{"body"},
		Infer: inferSequenceMap, Control: runSequenceMap, RowWise: never,
	},
}

// putSequence sets output 0 to a sequence; items is nil where their number is open.
func (x *Infer) putSequence(elem tensor.DType, items []Info) {
	x.results([]Info{{DType: tensor.Sequence, Elem: elem, Items: items}})
}

// sequence is what is known of input i, which must be a sequence.
func (x *Infer) sequence(i int) (Info, error) {
	if x.In[i].DType != tensor.Sequence {
		return Info{}, fmt.Errorf("input %d is %s, a sequence is required", i, x.In[i].DType)
	}
	return x.In[i], nil
}

// place is placeOf for input i, -1 when its value is open.
func (x *Infer) place(i, n, behind int) (int, error) {
	if !x.has(i) {
		return placeOf(nil, n, behind)
	}
	if x.In[i].Value == nil {
		return -1, nil
	}
	return placeOf(x.In[i].Value, n, behind)
}

// placeOf reads a position among n items, negative ones from the end. behind is 1 where the place behind the last item
// counts too, as it does for what is inserted, else 0. An omitted one is the last that there is.
func placeOf(t *tensor.Tensor, n, behind int) (int, error) {
	at := int64(n + behind - 1)
	if t != nil {
		if !slices.Contains(indexTypes, t.DType) || t.Len() != 1 {
			return 0, fmt.Errorf("the position is %s%v, one integer is required", t.DType, t.Shape)
		}
		v, _ := t.Ints() // an integer type
		at = v[0]
	}
	if at < int64(-n) || at >= int64(n+behind) {
		return 0, fmt.Errorf("position %d is outside of a sequence of %d items", at, n)
	}
	if at < 0 {
		at += int64(n)
	}
	return int(at), nil
}

// emptyElem is the element type of an empty sequence: float32 unless dtype says another.
func emptyElem(dtype int64) (tensor.DType, error) {
	d, err := castTo(dtype)
	if err != nil {
		return d, fmt.Errorf("attribute dtype is %d, which is no supported element type", dtype)
	}
	return d, nil
}

func inferSequenceEmpty(x *Infer) error {
	d, err := emptyElem(x.Node.Int("dtype", int64(tensor.Float32)))
	x.putSequence(d, []Info{})
	return err
}

func inferSequenceConstruct(x *Infer) error {
	for i, in := range x.In {
		if err := belongs(in.DType, x.In[0].DType); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
	}
	x.putSequence(x.In[0].DType, slices.Clone(x.In))
	return nil
}

// belongs refuses an item of another type than a sequence has. elem is Invalid where no item has settled it yet.
func belongs(item, elem tensor.DType) error {
	if item.Size() == 0 {
		return fmt.Errorf("%s cannot be an item of a sequence", item)
	}
	if elem != tensor.Invalid && elem != item {
		return fmt.Errorf("an item of %s does not fit a sequence of %s", item, elem)
	}
	return nil
}

func inferSequenceInsert(x *Infer) error {
	s, err := x.sequence(0)
	if err != nil {
		return err
	}
	if err := belongs(x.In[1].DType, s.Elem); err != nil {
		return err
	}
	elem := x.In[1].DType
	if s.Items == nil {
		x.putSequence(elem, nil)
		return nil
	}
	at, err := x.place(2, len(s.Items), 1)
	if err != nil || at < 0 {
		x.putSequence(elem, nil)
		return err
	}
	x.putSequence(elem, slices.Insert(slices.Clone(s.Items), at, x.In[1]))
	return nil
}

func inferSequenceErase(x *Infer) error {
	s, err := x.sequence(0)
	if err != nil {
		return err
	}
	var items []Info
	if s.Items != nil {
		at, err := x.place(1, len(s.Items), 0)
		if err != nil {
			return err
		}
		if at >= 0 {
			items = slices.Delete(slices.Clone(s.Items), at, at+1)
		}
	}
	x.putSequence(s.Elem, items)
	return nil
}

// inferSequenceAt knows nothing of an item whose position is open, even its type: the rule's results have a shape.
func inferSequenceAt(x *Infer) error {
	s, err := x.sequence(0)
	if err != nil || s.Items == nil {
		return err
	}
	at, err := x.place(1, len(s.Items), 0)
	if err == nil && at >= 0 {
		x.results(s.Items[at : at+1])
	}
	return err
}

func inferSequenceLength(x *Infer) error {
	s, err := x.sequence(0)
	if err != nil {
		return err
	}
	x.put(0, tensor.Int64)
	if s.Items != nil {
		x.results([]Info{infoOf(tensor.Of(tensor.Int64, nil, []int64{int64(len(s.Items))}))})
	}
	return nil
}

// infoOf is what is known of a value that is there.
func infoOf(t *tensor.Tensor) Info {
	if !t.DType.Container() {
		return Info{DType: t.DType, Shape: t.Shape, Value: t}
	}
	x := Info{DType: t.DType, Elem: t.Elem, Items: make([]Info, len(t.Items))}
	for i, item := range t.Items {
		x.Items[i] = infoOf(item)
	}
	return x
}

// inferSplitToSequence knows the items where the sizes are known, which they are when every piece is of one.
func inferSplitToSequence(x *Infer) error {
	if x.In[0].DType.Container() {
		return fmt.Errorf("input 0 is %s, a tensor is required", x.In[0].DType)
	}
	if x.has(1) && x.In[1].Value == nil {
		x.putSequence(x.In[0].DType, nil)
		return nil
	}
	var sizes *tensor.Tensor
	if x.has(1) {
		sizes = x.In[1].Value
	}
	axis, pieces, squeeze, err := piecesOf(x.Node, x.In[0].Shape, sizes)
	if err != nil || len(pieces) > maxKnown { // items beyond that are a run's business
		x.putSequence(x.In[0].DType, nil)
		return err
	}
	items := make([]Info, len(pieces))
	for i, n := range pieces {
		items[i] = Info{DType: x.In[0].DType, Shape: pieceShape(x.In[0].Shape, axis, n, squeeze)}
	}
	x.putSequence(x.In[0].DType, items)
	return nil
}

// inferConcatFromSequence applies Concat's rule to the items, each with an axis more for new_axis.
func inferConcatFromSequence(x *Infer) error {
	s, err := x.sequence(0)
	if err != nil || s.Items == nil {
		return err
	}
	c, _, err := joinOf(x.Node, s.Items)
	if err != nil {
		return err
	}
	x.put(0, c.Out[0].DType, c.Out[0].Shape...)
	return nil
}

// inferSequenceMap knows that its outputs are sequences.
func inferSequenceMap(x *Infer) error {
	if _, err := x.sequence(0); err != nil {
		return err
	}
	if _, err := mapBody(x.Node); err != nil {
		return err
	}
	out := make([]Info, len(x.Out))
	for i := range out {
		out[i].DType = tensor.Sequence
	}
	x.results(out)
	return nil
}
