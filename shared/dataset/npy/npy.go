package npy

import "assay/shared/tensor"

// Decode reads one .npy. The tensor aliases b where the file is little-endian and in C order, and is a copy otherwise.
// Bytes behind the elements are ignored, as NumPy does. Element types that a model cannot have (text, objects, dates, records) are
// errors.
func Decode(b []byte) (*tensor.Tensor, error) {
	h, err := parse(b)
	if err != nil {
		return nil, err
	}
	size := h.dtype.Size()
	t := &tensor.Tensor{DType: h.dtype, Shape: h.shape}
	n := t.Len() * size
	t.Data = b[h.data : h.data+n : h.data+n]
	if h.fortran && len(h.shape) > 1 {
		t.Data = transpose(t.Data, h.shape, size)
	}
	if h.big && size > 1 {
		t.Data = swap(t.Data, size)
	}
	return t, t.Check()
}

// swap reverses the bytes of every element into a new slice.
func swap(b []byte, size int) []byte {
	out := make([]byte, len(b))
	for i := 0; i < len(b); i += size {
		for j := range size {
			out[i+j] = b[i+size-1-j]
		}
	}
	return out
}

// transpose turns column-major elements into row-major ones.
func transpose(b []byte, shape []int, size int) []byte {
	out := make([]byte, len(b))
	// step[k] is the distance in b between neighbours along axis k.
	step := make([]int, len(shape))
	for k, s := 0, size; k < len(shape); k++ {
		step[k] = s
		s *= shape[k]
	}
	at, from := make([]int, len(shape)), 0
	for to := 0; to < len(out); to += size {
		copy(out[to:to+size], b[from:from+size])
		for k := len(shape) - 1; k >= 0; k-- {
			at[k]++
			from += step[k]
			if at[k] < shape[k] {
				break
			}
			from -= at[k] * step[k]
			at[k] = 0
		}
	}
	return out
}
