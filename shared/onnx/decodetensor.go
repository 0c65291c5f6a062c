package onnx

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"
)

// tensor decodes the three places where a tensor's elements can be: raw bytes, a typed field, another file. Sizes are
// compared before anything is allocated, so a tensor takes at most eight times its part of the file. The order of
// looking is external, raw, typed, as the format has only one of them filled. Elements of less than a byte are unpacked
// to a byte each.
func (d *decoder) tensor(pb *onnxpb.TensorProto) (*tensor.Tensor, error) {
	t := &tensor.Tensor{Shape: make([]int, len(pb.Dims))}
	if kind := pb.GetDataType(); kind > 0 && kind <= int32(tensor.Int2) {
		t.DType = tensor.DType(kind)
	}
	size := t.DType.Size()
	if size == 0 {
		return nil, fmt.Errorf("elements of type %s cannot be constants", strings.ToLower(onnxpb.TensorProto_DataType(pb.GetDataType()).String()))
	}
	if pb.Segment != nil {
		return nil, errors.New("is a segment of a tensor; store it whole")
	}
	n := 1
	for i, dim := range pb.Dims {
		if dim < 0 || dim > 0 && int64(n) > math.MaxInt64/16/dim {
			return nil, fmt.Errorf("shape %v is impossible", pb.Dims)
		}
		t.Shape[i] = int(dim)
		n *= int(dim)
	}
	bytes := (n*t.DType.Bits() + 7) / 8 // in the file, where small elements are packed
	if pb.GetDataLocation() == onnxpb.TensorProto_EXTERNAL {
		data, err := d.external.load(pb.ExternalData, bytes)
		if err == nil {
			t.Data = tensor.Unpack(t.DType, data, n)
		}
		return t, err
	}
	if len(pb.RawData) > 0 || bytes == 0 {
		if len(pb.RawData) != bytes {
			return nil, fmt.Errorf("raw data has %d bytes, %s%v needs %d: the file is damaged, export the model again", len(pb.RawData), t.DType, t.Shape, bytes)
		}
		t.Data = tensor.Unpack(t.DType, pb.RawData, n)
		return t, nil
	}
	return t, typed(t, pb, n)
}

// typed fills t from the typed field of its element type; n is the number of elements it must have.
func typed(t *tensor.Tensor, pb *onnxpb.TensorProto, n int) error {
	switch t.DType {
	case tensor.Float32:
		return fill(t, pb.FloatData, n)
	case tensor.Complex64:
		return fill(t, pb.FloatData, 2*n)
	case tensor.Float64:
		return fill(t, pb.DoubleData, n)
	case tensor.Complex128:
		return fill(t, pb.DoubleData, 2*n)
	case tensor.Int64:
		return fill(t, pb.Int64Data, n)
	case tensor.Uint64:
		return fill(t, pb.Uint64Data, n)
	case tensor.Int32:
		return fill(t, pb.Int32Data, n)
	case tensor.Uint4, tensor.Int4, tensor.Float4E2M1, tensor.Uint2, tensor.Int2:
		return packed(t, pb.Int32Data, n)
	case tensor.Uint32:
		return narrow(t, pb.Uint64Data, n)
	}
	return narrow(t, pb.Int32Data, n) // 8 and 16 bits, small floats as patterns
}

// fill copies elements that are stored in their own width; want counts the stored ones, two for a complex number.
// Shapes were checked, so lengths are all that can be wrong.
func fill[T float32 | float64 | int32 | int64 | uint64](t *tensor.Tensor, v []T, want int) error {
	if len(v) != want {
		return count(t, len(v), want)
	}
	t.Data = make([]byte, tensor.Count(t.Shape)*t.DType.Size())
	part := tensor.Tensor{DType: partType(v), Data: t.Data}
	copy(tensor.View[T](&part), v)
	return nil
}

// partType is the type whose elements are stored; it differs from the tensor's for complex numbers.
func partType[T float32 | float64 | int32 | int64 | uint64](v []T) tensor.DType {
	switch any(v).(type) {
	case []float32:
		return tensor.Float32
	case []float64:
		return tensor.Float64
	case []int32:
		return tensor.Int32
	case []int64:
		return tensor.Int64
	}
	return tensor.Uint64
}

// narrow copies elements that are stored wider than they are. A number fits when it is one of the type, signed or not:
// some writers store int8 as 0 to 255. Bits are kept and not values: 255 as int8 is -1.
func narrow[T int32 | uint64](t *tensor.Tensor, v []T, want int) error {
	if len(v) != want {
		return count(t, len(v), want)
	}
	size := t.DType.Size()
	t.Data = make([]byte, len(v)*size)
	limit := int64(1) << (8 * size)
	for i, x := range v {
		if s := int64(x); s < -limit/2 || s >= limit {
			return fmt.Errorf("element %d is %d, which no %s can be", i, x, t.DType)
		}
		for k := range size {
			t.Data[i*size+k] = byte(uint64(x) >> (8 * k))
		}
	}
	return nil
}

// packed takes elements of less than a byte, of which each stored number holds a byte full.
func packed(t *tensor.Tensor, v []int32, n int) error {
	want := (n*t.DType.Bits() + 7) / 8
	if len(v) != want {
		return count(t, len(v), want)
	}
	data := make([]byte, want)
	for i, x := range v {
		if x < -128 || x > 255 {
			return fmt.Errorf("element %d is %d, which no byte of %s can be", i, x, t.DType)
		}
		data[i] = byte(x)
	}
	t.Data = tensor.Unpack(t.DType, data, n)
	return nil
}

// count is the error of a field with another number of elements than the shape asks for.
func count(t *tensor.Tensor, have, want int) error {
	hint := ""
	if have == 0 {
		hint = " (were its weights stripped, or are they in another field?)"
	}
	return fmt.Errorf("holds %d elements, %s%v needs %d%s", have, t.DType, t.Shape, want, hint)
}
