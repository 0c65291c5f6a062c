package tensor

import (
	"encoding/hex"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDTypeNames says that every type with a size has a name that parses back.
func TestDTypeNames(t *testing.T) {
	for d := range dtypes {
		got, err := ParseDType(d.String())
		require.NoError(t, err)
		require.Equal(t, d, got)
	}
	_, err := ParseDType("float31")
	require.EqualError(t, err, `element type "float31" is unknown`)
	require.Equal(t, "dtype(99)", DType(99).String())
	require.Zero(t, String.Size())
}

// TestCheck lists the ways in which a tensor can contradict itself.
func TestCheck(t *testing.T) {
	cases := []struct {
		name string
		t    Tensor
		want string
	}{
		{"scalar", Tensor{DType: Float32, Shape: nil, Data: make([]byte, 4)}, ""},
		{"empty axis", Tensor{DType: Float32, Shape: []int{0, math.MaxInt}, Data: nil}, ""},
		{"short", Tensor{DType: Int16, Shape: []int{2}, Data: make([]byte, 3)}, "tensor int16[2] holds 3 bytes, its shape needs 4"},
		{"negative", Tensor{DType: Int16, Shape: []int{-1}, Data: nil}, "tensor shape [-1] is impossible"},
		{"overflow", Tensor{DType: Uint8, Shape: []int{1 << 40, 1 << 40}, Data: nil}, "tensor shape [1099511627776 1099511627776] is impossible"},
		{"overflow by size", Tensor{DType: Float64, Shape: []int{1 << 60}, Data: nil}, "tensor shape [1152921504606846976] is impossible"},
		{"string", Tensor{DType: String, Shape: nil, Data: nil}, "tensor of string has no fixed element size"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.t.Check()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
		})
	}
}

// TestViewOfUnalignedBytes reads floats that start at each offset of a buffer, as in a mapped file.
func TestViewOfUnalignedBytes(t *testing.T) {
	values := Of(Float32, []int{3}, []float32{1, 2, 3})
	for offset := range 8 {
		buf := make([]byte, offset+12)
		copy(buf[offset:], values.Data)
		v := Tensor{DType: Float32, Shape: []int{3}, Data: buf[offset:]}
		require.Equal(t, []float32{1, 2, 3}, v.F32(), "offset %d", offset)
		require.Equal(t, values.Digest(), v.Digest())
	}
	require.PanicsWithValue(t, "tensor: view of float32 as 8-byte elements", func() { View[int64](values) })
}

// TestInts widens every integer type with its sign.
func TestInts(t *testing.T) {
	cases := []struct {
		t    *Tensor
		want []int64
	}{
		{Of(Int8, []int{1}, []int8{-1}), []int64{-1}}, {Of(Uint8, []int{1}, []uint8{255}), []int64{255}},
		{Of(Int16, []int{1}, []int16{-2}), []int64{-2}}, {Of(Uint16, []int{1}, []uint16{65535}), []int64{65535}},
		{Of(Int32, []int{1}, []int32{-3}), []int64{-3}}, {Of(Uint32, []int{1}, []uint32{1 << 31}), []int64{1 << 31}},
		{Of(Int64, []int{1}, []int64{-4}), []int64{-4}}, {Of(Uint64, []int{1}, []uint64{5}), []int64{5}},
		{Of(Bool, []int{2}, []uint8{0, 1}), []int64{0, 1}},
	}
	for _, c := range cases {
		got, err := c.t.Ints()
		require.NoError(t, err)
		require.Equal(t, c.want, got, c.t.DType.String())
	}
	_, err := New(Float32).Ints()
	require.EqualError(t, err, "tensor of float32 holds no integers")
}

// TestDigestIsPinned holds a digest that must never change: stored results are named by it.
func TestDigestIsPinned(t *testing.T) {
	d := Of(Float32, []int{1, 2}, []float32{1, -2}).Digest()
	other := Of(Float32, []int{2, 1}, []float32{1, -2}).Digest()
	require.NotEqual(t, d, other, "shape counts")
	require.Equal(t, "ee1f0d5e52fd220e176d4412b0eb782366f3fb6fbe6d049596e9bd0db0d29ee2", hex.EncodeToString(d[:]))
}
