package dataset

import (
	"encoding/binary"
	"fmt"
	"math"

	"assay/shared/tensor"
)

// stored is the type in which elements of type have are kept for an input of type want: as they are where Feed can make
// want of them, else want, to which convert brings them.
func stored(have, want tensor.DType) tensor.DType {
	if have == want || want == tensor.Float32 && floatable(have) {
		return have
	}
	return want
}

// convert gives t in another element type. Numbers to float32 and float64 round to nearest even; integers must fit the
// target exactly; floats do not become integers.
func convert(t *tensor.Tensor, to tensor.DType) (*tensor.Tensor, error) {
	if t.DType == to {
		return t, nil
	}
	out := tensor.New(to, t.Shape...)
	switch to {
	case tensor.Float32, tensor.Float64:
		load, err := float64Of(t)
		if err != nil {
			return nil, err
		}
		for i := range t.Len() {
			if to == tensor.Float64 {
				binary.LittleEndian.PutUint64(out.Data[i*8:], math.Float64bits(load(i)))
			} else {
				binary.LittleEndian.PutUint32(out.Data[i*4:], math.Float32bits(float32(load(i))))
			}
		}
		return out, nil
	case tensor.Float16, tensor.BFloat16, tensor.String, tensor.Complex64, tensor.Complex128:
		return nil, fmt.Errorf("%s cannot become %s: save the array in that type", t.DType, to)
	}
	v, err := t.Ints()
	if err != nil {
		return nil, fmt.Errorf("%s cannot become %s: save the array as integers", t.DType, to)
	}
	for i, x := range v {
		if !fits(x, to) || t.DType == tensor.Uint64 && x < 0 {
			return nil, fmt.Errorf("element %d is %d and does not fit %s", i, x, to)
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(x))
		copy(out.Data[i*to.Size():(i+1)*to.Size()], b[:])
	}
	return out, nil
}

// float64Of reads element i of any number type. uint64 and int64 beyond 2^53 are rounded.
func float64Of(t *tensor.Tensor) (func(int) float64, error) {
	switch t.DType {
	case tensor.Float32:
		v := t.F32()
		return func(i int) float64 { return float64(v[i]) }, nil
	case tensor.Float64:
		v := tensor.View[float64](t)
		return func(i int) float64 { return v[i] }, nil
	case tensor.Float16:
		v := tensor.View[uint16](t)
		return func(i int) float64 { return float64(tensor.HalfToFloat(v[i])) }, nil
	}
	v, err := t.Ints()
	if err != nil {
		return nil, err
	}
	if t.DType == tensor.Uint64 {
		return func(i int) float64 { return float64(uint64(v[i])) }, nil
	}
	return func(i int) float64 { return float64(v[i]) }, nil
}

// fits says whether x is a value of an integer type or bool.
func fits(x int64, d tensor.DType) bool {
	bits := 8 * d.Size()
	switch d {
	case tensor.Bool:
		return x == 0 || x == 1
	case tensor.Int8, tensor.Int16, tensor.Int32:
		return x >= -1<<(bits-1) && x < 1<<(bits-1)
	case tensor.Uint8, tensor.Uint16, tensor.Uint32:
		return x >= 0 && x < 1<<bits
	case tensor.Uint64:
		return x >= 0
	}
	return d == tensor.Int64
}
