package graph

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"assay/shared/tensor"
)

// Elements of at most 8 bytes pass as their little-endian pattern in a uint64.

// getElement reads element i of size bytes, 8 at most.
func getElement(data []byte, size, i int) uint64 {
	var b [8]byte
	copy(b[:], data[i*size:(i+1)*size])
	return binary.LittleEndian.Uint64(b[:])
}

// putElement writes the lowest size bytes of bits as element i.
func putElement(data []byte, size, i int, bits uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], bits)
	copy(data[i*size:(i+1)*size], b[:])
}

// formatElement writes one element so that parseElement gives the same pattern; ok is false when it cannot (complex
// numbers, NaNs other than the canonical one). Floats take the shortest form that parses to the same pattern.
func formatElement(d tensor.DType, bits uint64) (s string, ok bool) {
	switch d {
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Int4, tensor.Int2:
		shift := 64 - 8*d.Size()
		return strconv.FormatInt(int64(bits<<shift)>>shift, 10), true
	case tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64, tensor.Bool, tensor.Uint4, tensor.Uint2:
		return strconv.FormatUint(bits, 10), true
	case tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16:
		f, precision := floatValue(d, bits)
		if f != f {
			return "nan", bits == floatBits(d, math.NaN())
		}
		if math.IsInf(f, 0) {
			return infinity(f), true
		}
		return strconv.FormatFloat(f, 'g', -1, precision), true
	}
	return "", false
}

func infinity(f float64) string {
	if f < 0 {
		return "-inf"
	}
	return "inf"
}

// parseElement reads a number of type d; a number that d cannot hold is an error, a fraction is rounded half to even.
// Half types are parsed as float32 first, so they may be rounded twice; what formatElement wrote is exact.
func parseElement(d tensor.DType, s string) (uint64, error) {
	var bits uint64
	var err error
	switch d {
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Int4, tensor.Int2:
		var n int64
		n, err = strconv.ParseInt(s, 10, d.Bits())
		bits = uint64(n)
	case tensor.Bool:
		if s == "true" || s == "false" {
			s = map[string]string{"true": "1", "false": "0"}[s]
		}
		bits, err = strconv.ParseUint(s, 10, 8)
	case tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64, tensor.Uint4, tensor.Uint2:
		bits, err = strconv.ParseUint(s, 10, d.Bits())
	case tensor.Float64:
		var f float64
		f, err = strconv.ParseFloat(s, 64)
		bits = floatBits(d, f)
	case tensor.Float32, tensor.Float16, tensor.BFloat16:
		var f float64
		f, err = strconv.ParseFloat(s, 32)
		bits = floatBits(d, f)
	default:
		return 0, fmt.Errorf("elements of %s have no spelling but bytes", d)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no %s", s, d)
	}
	return bits, nil
}

// floatValue widens a pattern; precision is the number of bits for which the shortest decimal form is sought. Half types
// are written like the float32 they are.
func floatValue(d tensor.DType, bits uint64) (f float64, precision int) {
	switch d {
	case tensor.Float64:
		return math.Float64frombits(bits), 64
	case tensor.Float16:
		return float64(tensor.HalfToFloat(uint16(bits))), 32
	case tensor.BFloat16:
		return float64(tensor.BFloatToFloat(uint16(bits))), 32
	}
	return float64(math.Float32frombits(uint32(bits))), 32
}

// floatBits is the pattern of f in type d, the canonical quiet NaN for every NaN.
func floatBits(d tensor.DType, f float64) uint64 {
	nan := f != f
	switch {
	case d == tensor.Float64 && nan:
		return 0x7ff8000000000000
	case d == tensor.Float64:
		return math.Float64bits(f)
	case d == tensor.Float16 && nan:
		return 0x7e00
	case d == tensor.Float16:
		return uint64(tensor.HalfFromFloat(float32(f)))
	case d == tensor.BFloat16 && nan:
		return 0x7fc0
	case d == tensor.BFloat16:
		return uint64(tensor.BFloatFromFloat(float32(f)))
	case nan:
		return canonicalNaN
	}
	return uint64(math.Float32bits(float32(f)))
}
