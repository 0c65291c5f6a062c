package tensor

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
)

// Sequence and Optional are the types of values that hold tensors and no elements: ONNX's sequence of tensors, and its
// optional, which holds one tensor, one sequence or nothing. Such a value has neither Shape nor Data. They have no Size,
// so whatever computes on elements refuses them as it refuses every type without one; no file can name them as the type
// of an element.
const (
	Sequence DType = 253
	Optional DType = 254
)

// ItemBytes is about what one item of a container costs beside its elements: pointer, header and shape.
const ItemBytes = 128

// Container reports whether values of the type hold other values.
func (d DType) Container() bool { return d == Sequence || d == Optional }

// SequenceOf makes a sequence of tensors of one element type. elem is Invalid where nothing says which, which only an empty
// one may be; Check finds items that are no such tensors. Neither the list nor the tensors are copied; nobody writes to them
// any more.
func SequenceOf(elem DType, items ...*Tensor) *Tensor {
	return &Tensor{DType: Sequence, Elem: elem, Items: items[:len(items):len(items)], held: bytesOf(items)}
}

// OptionalOf makes an optional that holds a tensor or a sequence, which is not copied, or, for nil, nothing.
func OptionalOf(item *Tensor) *Tensor {
	if item == nil {
		return &Tensor{DType: Optional}
	}
	items := []*Tensor{item}
	return &Tensor{DType: Optional, Items: items, held: bytesOf(items)}
}

func bytesOf(items []*Tensor) (n int64) {
	for _, item := range items {
		if item != nil {
			n += ItemBytes + item.Bytes()
		}
	}
	return n
}

// Bytes is about what t takes in memory. An item that stands in a sequence twice counts twice. It takes no time that grows
// with the items.
func (t *Tensor) Bytes() int64 { return int64(len(t.Data)) + t.held }

// room is the memory behind a list of items that sequences share: list has as many slots as were ever used, used says how
// many, and a slot that is used is never written to again. So a sequence that grows at its end by one item after the other
// copies its list seldom, and those that it grew from keep theirs.
type room struct {
	list []*Tensor
	used atomic.Int64
}

// Inserted is the sequence t with item in front of place at, 0 to len(t.Items), and how many items had to be moved for it. t
// stays as it is; the two may share memory, and any number of goroutines may insert into one sequence. The element type
// becomes the item's; a caller has compared it.
func (t *Tensor) Inserted(at int, item *Tensor) (s *Tensor, moved int) {
	n := len(t.Items)
	s = &Tensor{DType: Sequence, Elem: item.DType, held: t.held + ItemBytes + item.Bytes(), room: t.room, first: t.first}
	end := t.first + n
	if at < n || t.room == nil || end == len(t.room.list) || !t.room.used.CompareAndSwap(int64(end), int64(end+1)) {
		slots := n + 1
		if at == n {
			slots = 2*n + 4 // it may grow on
		}
		s.room, s.first, end, moved = &room{list: make([]*Tensor, slots)}, 0, n, n
		copy(s.room.list, t.Items[:at])
		copy(s.room.list[at+1:], t.Items[at:])
		s.room.used.Store(int64(n + 1))
		s.room.list[at] = item
	} else {
		s.room.list[end] = item
	}
	s.Items = s.room.list[s.first : end+1 : end+1]
	return s, moved
}

// Erased is the sequence t without the item at place at, 0 to len(t.Items)-1, and how many items had to be moved for it: none
// for the first and the last one. t stays as it is; the two may share memory.
func (t *Tensor) Erased(at int) (s *Tensor, moved int) {
	n := len(t.Items)
	held := t.held - ItemBytes - t.Items[at].Bytes()
	switch at {
	case n - 1:
		return &Tensor{DType: Sequence, Elem: t.Elem, Items: t.Items[: n-1 : n-1], held: held}, 0
	case 0:
		return &Tensor{DType: Sequence, Elem: t.Elem, Items: t.Items[1:], held: held, room: t.room, first: t.first + 1}, 0
	}
	return &Tensor{DType: Sequence, Elem: t.Elem, Items: slices.Concat(t.Items[:at], t.Items[at+1:]), held: held}, n - 1
}

// checkItems is Check for containers. A sequence holds plain tensors of its Elem, an optional at most one value that is no
// optional, so nothing is deeper than an optional sequence.
func (t *Tensor) checkItems() error {
	if len(t.Shape) > 0 || len(t.Data) > 0 {
		return fmt.Errorf("%s has a shape or elements of its own", t.DType)
	}
	if t.held != bytesOf(t.Items) {
		return fmt.Errorf("%s was not made by SequenceOf or OptionalOf", t.DType)
	}
	if t.DType == Optional && len(t.Items) > 1 {
		return fmt.Errorf("optional holds %d values, one is possible", len(t.Items))
	}
	for i, item := range t.Items {
		if item == nil || item.DType == Optional || t.DType == Sequence && (item.DType == Sequence || item.DType != t.Elem) {
			return fmt.Errorf("%s holds what it cannot hold as item %d", t.DType, i)
		}
		if err := item.Check(); err != nil {
			return fmt.Errorf("%s: item %d: %w", t.DType, i, err)
		}
	}
	return nil
}

// digestItems is Digest for containers: over type, element type and the items' digests, with their number in front.
func (t *Tensor) digestItems() [32]byte {
	head := append([]byte("assay.container\x00"), byte(t.DType), byte(t.Elem))
	h := sha256.New()
	h.Write(binary.LittleEndian.AppendUint64(head, uint64(len(t.Items))))
	for _, item := range t.Items {
		d := item.Digest()
		h.Write(d[:])
	}
	return [32]byte(h.Sum(nil))
}
