// Package tensor holds dense arrays as both halves of Assay pass them around: an element type, a shape and bytes; and, for
// graphs that compute with them, sequences and optionals of such arrays (container.go).
// Elements are little-endian and row-major over logical axes. No arithmetic, no file format and no graph may enter.
//
// A Tensor's bytes may alias a mapped file or another tensor; whoever holds one treats it as read-only unless it
// allocated the tensor itself. Concurrent reads are safe.
package tensor

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// DType is an element type, numbered as in ONNX's TensorProto.DataType so that no table stands between them.
type DType uint8

// The element types that a model may carry. Which of them a given operator accepts is the operator's business.
const (
	Invalid    DType = 0
	Float32    DType = 1
	Uint8      DType = 2
	Int8       DType = 3
	Uint16     DType = 4
	Int16      DType = 5
	Int32      DType = 6
	Int64      DType = 7
	String     DType = 8
	Bool       DType = 9
	Float16    DType = 10
	Float64    DType = 11
	Uint32     DType = 12
	Uint64     DType = 13
	Complex64  DType = 14
	Complex128 DType = 15
	BFloat16   DType = 16

	// Types of less than a byte, and floats of one: each element has a byte here. Integers are sign-extended, floats are
	// their pattern in the low bits. How a file packs them is the file's business.
	Float8E4M3FN   DType = 17
	Float8E4M3FNUZ DType = 18
	Float8E5M2     DType = 19
	Float8E5M2FNUZ DType = 20
	Uint4          DType = 21
	Int4           DType = 22
	Float4E2M1     DType = 23
	Float8E8M0     DType = 24
	Uint2          DType = 25
	Int2           DType = 26
)

var dtypes = map[DType]struct {
	name string
	size int
}{
	Float32: {"float32", 4}, Uint8: {"uint8", 1}, Int8: {"int8", 1}, Uint16: {"uint16", 2}, Int16: {"int16", 2},
	Int32: {"int32", 4}, Int64: {"int64", 8}, Bool: {"bool", 1}, Float16: {"float16", 2}, Float64: {"float64", 8},
	Uint32: {"uint32", 4}, Uint64: {"uint64", 8}, Complex64: {"complex64", 8}, Complex128: {"complex128", 16},
	BFloat16: {"bfloat16", 2}, String: {"string", 0}, Sequence: {"sequence", 0}, Optional: {"optional", 0},
	Float8E4M3FN: {"float8e4m3fn", 1}, Float8E4M3FNUZ: {"float8e4m3fnuz", 1}, Float8E5M2: {"float8e5m2", 1},
	Float8E5M2FNUZ: {"float8e5m2fnuz", 1}, Float8E8M0: {"float8e8m0", 1}, Float4E2M1: {"float4e2m1", 1},
	Uint4: {"uint4", 1}, Int4: {"int4", 1}, Uint2: {"uint2", 1}, Int2: {"int2", 1},
}

// String returns the lower-case name that text forms and messages use, such as "float32".
func (d DType) String() string {
	if t, ok := dtypes[d]; ok {
		return t.name
	}
	return fmt.Sprintf("dtype(%d)", uint8(d))
}

// Size is the number of bytes of one element, 0 for types without a fixed size (String, Invalid, containers).
func (d DType) Size() int { return dtypes[d].size }

// Bits is the number of bits of one element in a packed form: 2 or 4 for the types that have a byte each only here, 8*Size for
// the others.
func (d DType) Bits() int {
	switch d {
	case Uint2, Int2:
		return 2
	case Uint4, Int4, Float4E2M1:
		return 4
	}
	return 8 * d.Size()
}

// Pack returns the elements of a type of less than a byte densely, the first one in the lowest bits; the last byte is
// filled with zeros. Tensors of other types give their bytes as they are: t.Data itself, which nobody writes to.
func (t *Tensor) Pack() []byte {
	bits := t.DType.Bits()
	if bits >= 8 {
		return t.Data
	}
	out := make([]byte, (len(t.Data)*bits+7)/8)
	for i, v := range t.Data {
		out[i*bits/8] |= v & (1<<bits - 1) << (i * bits % 8)
	}
	return out
}

// Unpack is the inverse of Pack for n elements: it returns one byte for each, signed types extended. data has at least
// (n*d.Bits()+7)/8 bytes. For types that are not packed it returns data itself, whatever n is.
func Unpack(d DType, data []byte, n int) []byte {
	bits := d.Bits()
	if bits >= 8 {
		return data
	}
	out := make([]byte, n)
	for i := range out {
		v := data[i*bits/8] >> (i * bits % 8) & (1<<bits - 1)
		if d == Int4 || d == Int2 {
			v = byte(int8(v<<(8-bits)) >> (8 - bits))
		}
		out[i] = v
	}
	return out
}

// ParseDType is the inverse of DType.String for every type that has a name; "string", "sequence" and "optional" are among them.
func ParseDType(s string) (DType, error) {
	for d, t := range dtypes {
		if t.name == s {
			return d, nil
		}
	}
	return Invalid, fmt.Errorf("element type %q is unknown", s)
}

// Tensor is one dense array. Invariant: len(Data) == Len()*DType.Size(); a rank-0 tensor has an empty Shape and one
// element; an axis of 0 makes it empty. Elem and Items are for containers only, which have nothing else, and which only
// container.go makes.
type Tensor struct {
	DType DType
	Shape []int
	Data  []byte
	Elem  DType     // of a Sequence: the element type of its items
	Items []*Tensor // read-only like Data

	held  int64 // bytes of Items
	room  *room // the memory of Items, where more may follow them
	first int   // where Items begin in it
}

// New allocates a zeroed tensor; without a shape, a scalar. The shape is copied. A negative or too large one panics: callers that
// take shapes from outside check the size first.
func New(d DType, shape ...int) *Tensor {
	return &Tensor{DType: d, Shape: slices.Clone(shape), Data: make([]byte, Count(shape)*d.Size())}
}

// Count is the number of elements of a shape, 1 for none. Overflow is not looked for.
func Count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Len is the number of elements; of a container it means nothing.
func (t *Tensor) Len() int { return Count(t.Shape) }

// Check reports a broken invariant: an unknown type, a negative axis, or bytes that do not fit the shape; of a container,
// an item that is broken or has no place in it.
func (t *Tensor) Check() error {
	if t.DType.Container() {
		return t.checkItems()
	}
	size := t.DType.Size()
	if size == 0 {
		return fmt.Errorf("tensor of %s has no fixed element size", t.DType)
	}
	n := 1
	for _, d := range t.Shape {
		if d < 0 || d > 0 && n > math.MaxInt/size/d {
			return fmt.Errorf("tensor shape %v is impossible", t.Shape)
		}
		n *= d
	}
	if len(t.Data) != n*size {
		return fmt.Errorf("tensor %s%v holds %d bytes, its shape needs %d", t.DType, t.Shape, len(t.Data), n*size)
	}
	return nil
}

// Digest is SHA-256 over type, shape and bytes; of a container, over the digests of its items. Tensors that are equal bit for
// bit (0 is not -0) have equal digests on every machine.
func (t *Tensor) Digest() [32]byte {
	if t.DType.Container() {
		return t.digestItems()
	}
	h := sha256.New()
	head := binary.LittleEndian.AppendUint64([]byte("assay.tensor\x00"), uint64(t.DType))
	head = binary.LittleEndian.AppendUint64(head, uint64(len(t.Shape)))
	for _, d := range t.Shape {
		head = binary.LittleEndian.AppendUint64(head, uint64(d))
	}
	h.Write(head)
	h.Write(t.Data)
	return [32]byte(h.Sum(nil))
}

// number is every element type that Go can view directly.
type number interface {
	~float32 | ~float64 | ~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64
}

// View returns t's bytes as elements of type T. The view aliases t.Data where its start is aligned for T, and is a
// copy where it is not (tensors of mapped files start anywhere), so writes through it are for tensors made by New. An empty
// tensor gives nil. It panics when T's size differs from the element size: that is a fault of the caller, never of a model.
// Nothing else is compared: the caller knows that the elements are of T, or wants their bits.
func View[T number](t *Tensor) []T {
	var z T
	size := int(unsafe.Sizeof(z))
	if size != t.DType.Size() {
		panic(fmt.Sprintf("tensor: view of %s as %d-byte elements", t.DType, size))
	}
	if len(t.Data) == 0 {
		return nil
	}
	p := unsafe.Pointer(&t.Data[0])
	if uintptr(p)%uintptr(size) != 0 {
		out := make([]T, len(t.Data)/size)
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), len(t.Data)), t.Data)
		return out
	}
	return unsafe.Slice((*T)(p), len(t.Data)/size)
}

// Of makes a tensor that owns a copy of v, which has Count(shape) elements of d's size; it panics where View does.
func Of[T number](d DType, shape []int, v []T) *Tensor {
	t := New(d, shape...)
	copy(View[T](t), v)
	return t
}

// F32 is View[float32]; it is short because most of the code reads floats. Floats converts other types.
func (t *Tensor) F32() []float32 { return View[float32](t) }

// Ints returns the elements of an integer or bool tensor as int64, in a slice of the caller's, or an error for other types. A
// uint64 from 2^63 on becomes negative, by 2^64.
func (t *Tensor) Ints() ([]int64, error) {
	switch t.DType {
	case Int64:
		return slices.Clone(View[int64](t)), nil
	case Int32:
		return widen[int32](t), nil
	case Uint8, Bool, Uint4, Uint2:
		return widen[uint8](t), nil
	case Int8, Int4, Int2:
		return widen[int8](t), nil
	case Int16:
		return widen[int16](t), nil
	case Uint16:
		return widen[uint16](t), nil
	case Uint32:
		return widen[uint32](t), nil
	case Uint64:
		return widen[uint64](t), nil
	}
	return nil, fmt.Errorf("tensor of %s holds no integers", t.DType)
}

func widen[T number](t *Tensor) []int64 {
	v := View[T](t)
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}
