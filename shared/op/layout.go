package op

import (
	"fmt"
	"unsafe"

	"assay/shared/tensor"
)

// element is every element type that kernels see through a Go type.
type element interface {
	~float32 | ~float64 | ~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64
}

// view is b as elements of T. b starts at a multiple of T's size: buffers of a Call and of aligned do. The view shares
// b's memory and is as long as whole elements fit. nil for an empty b, so an index into it panics instead of reading
// past an arena.
func view[T element](b []byte) []T {
	if len(b) == 0 {
		return nil
	}
	var z T
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(z)))
}

// aligned returns t's bytes at an address that is a multiple of 8, copying them when they lie elsewhere (mapped files).
// Tensors that point into a mapped model file start wherever the file's author left them; kernels load whole words.
func aligned(t *tensor.Tensor) []byte {
	if len(t.Data) == 0 || uintptr(unsafe.Pointer(&t.Data[0]))%8 == 0 {
		return t.Data
	}
	words := make([]uint64, (len(t.Data)+7)/8)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(t.Data))
	copy(b, t.Data)
	return b
}

// axes returns the order in which the logical axes of a tensor of that rank lie in memory: the identity, or 0, 2, 3
// ..., 1.
func (y Layout) axes(rank int) []int {
	p := make([]int, rank)
	for i := range p {
		p[i] = i
	}
	if y == ChannelsLast && rank >= 3 {
		copy(p[1:], p[2:])
		p[rank-1] = 1
	}
	return p
}

// physical returns v, which is given per logical axis, in memory order. Its inverse needs the inverse permutation:
// physical of physical is not the identity above rank 3.
func physical[T any](y Layout, v []T) []T {
	out := make([]T, len(v))
	for i, a := range y.axes(len(v)) {
		out[i] = v[a]
	}
	return out
}

// axis is the place in memory of a logical axis.
func (y Layout) axis(a, rank int) int {
	for i, p := range y.axes(rank) {
		if p == a {
			return i
		}
	}
	return a
}

// toChannelsLast copies t so that its bytes lie in ChannelsLast order under the unchanged logical shape.
func toChannelsLast(t *tensor.Tensor) *tensor.Tensor {
	out := &tensor.Tensor{DType: t.DType, Shape: t.Shape, Data: make([]byte, len(t.Data))}
	permute(out.Data, t.Data, t.Shape, ChannelsLast.axes(len(t.Shape)), t.DType.Size())
	return out
}

// toLogical is the inverse of toChannelsLast.
func toLogical(t *tensor.Tensor) *tensor.Tensor {
	out := &tensor.Tensor{DType: t.DType, Shape: t.Shape, Data: make([]byte, len(t.Data))}
	order := ChannelsLast.axes(len(t.Shape))
	back := make([]int, len(order))
	for i, a := range order {
		back[a] = i
	}
	permute(out.Data, t.Data, physical(ChannelsLast, t.Shape), back, t.DType.Size())
	return out
}

// permute writes the array src of that shape and element size with its axes in the order perm, both row-major. dst and
// src may not overlap. perm[i] is the axis of src that becomes axis i of dst.
func permute(dst, src []byte, shape, perm []int, size int) {
	strides := rowMajor(shape)
	outShape, outStrides := make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		outShape[i], outStrides[i] = shape[p], strides[p]
	}
	copyStrided(dst, src, outShape, outStrides, 0, size)
}

// rowMajor returns the strides, in elements, of a dense row-major array.
func rowMajor(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// operand is one input of a lowered node: the bytes of a constant in the layout asked for, or a buffer of the call.
// shape is the logical one whatever the layout. data is shared by all calls and read-only. A zero operand (shape nil)
// is an omitted input: lowerings test that before they read it.
type operand struct {
	index int
	fixed bool
	data  []byte
	shape []int // logical
}

// bytes returns the operand's bytes for this call.
func (o operand) bytes(c *Call) []byte {
	if o.fixed {
		return o.data
	}
	return c.In[o.index]
}

// operand returns input i in layout y. A constant is brought into it; a computed input of rank >= 3 must have it
// already. The mismatch of a computed input is a fault of the engine's layout step, which promises what Op.Memory says;
// ranks below 3 have one layout only.
func (l *Lower) operand(i int, y Layout) (operand, error) {
	a := l.In[i]
	if a.Const == nil {
		if a.Layout != y && len(a.Shape) >= 3 {
			return operand{}, fmt.Errorf("input %d (%q) lies in another memory layout than this operator reads", i, a.Name)
		}
		return operand{index: i, shape: a.Shape}, nil
	}
	t := a.Const
	if y == ChannelsLast && len(t.Shape) >= 3 {
		t = toChannelsLast(t)
	}
	return operand{index: i, fixed: true, data: aligned(t), shape: a.Shape}, nil
}

// present reports whether input i is given.
func (l *Lower) present(i int) bool { return i < len(l.In) && l.In[i].Name != "" }

// wants reports whether output i is read by anyone.
func (l *Lower) wants(i int) bool { return i < len(l.Out) && l.Out[i].Name != "" }

// layout is the memory layout of output 0, which for operators of MemoryAny is that of their inputs too.
func (l *Lower) layout() Layout { return l.Out[0].Layout }
