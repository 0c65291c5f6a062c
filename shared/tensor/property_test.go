package tensor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSmallFloatsAreNearest: of all finite patterns the result is the nearest to a drawn number, the even one of two; what rounds
// beyond the largest saturates.
func TestSmallFloatsAreNearest(t *testing.T) {
	for d, m := range minifloats {
		t.Run(d.String(), func(t *testing.T) {
			values := SmallToFloat(d)
			rapid.Check(t, func(t *rapid.T) {
				p, q := rapid.IntRange(0, int(m.top)).Draw(t, "p"), rapid.IntRange(0, int(m.top)).Draw(t, "q")
				f := (float64(values[p]) + float64(values[q])) / 2 // often half way between neighbours
				f += rapid.SampledFrom([]float64{0, 0, 1e-12, -1e-12, 1e-3, 1}).Draw(t, "off")
				want := 0
				for k := range int(m.top) + 1 {
					a, b := math.Abs(float64(values[k])-math.Abs(f)), math.Abs(float64(values[want])-math.Abs(f))
					if a < b || a == b && k&1 == 0 {
						want = k
					}
				}
				got := SmallFromFloat(d, f, true)
				require.Equal(t, math.Abs(float64(values[want])), math.Abs(float64(values[got])), "%v", f)
				if values[got] != 0 {
					require.Equal(t, math.Signbit(f), math.Signbit(float64(values[got])))
				}
			})
		})
	}
}

// TestPackedElements: any elements of a type of less than a byte come back, in as few bytes as can be; other types are not touched.
func TestPackedElements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SampledFrom([]DType{Uint2, Int2, Uint4, Int4, Float4E2M1}).Draw(t, "type")
		patterns := rapid.SliceOf(rapid.IntRange(0, 1<<d.Bits()-1)).Draw(t, "elements")
		x := New(d, len(patterns))
		for i, p := range patterns {
			if x.Data[i] = byte(p); (d == Int2 || d == Int4) && p >= 1<<(d.Bits()-1) {
				x.Data[i] = byte(p - 1<<d.Bits())
			}
		}
		packed := x.Pack()
		require.Len(t, packed, (len(patterns)*d.Bits()+7)/8)
		require.Equal(t, x.Data, Unpack(d, packed, len(patterns)))
		require.Equal(t, x.Data, Unpack(d, append(packed, 0xff), len(patterns)), "what follows does not count")
	})
	b := []byte{1, 2, 3, 4}
	require.Same(t, &b[0], &Unpack(Float32, b, 1)[0])
	require.Same(t, &b[0], &(&Tensor{DType: Float32, Shape: []int{1}, Data: b}).Pack()[0])
}

// TestIntsAreTheCallers: what Ints gives may be written to, and numbers that an int64 does not hold wrap.
func TestIntsAreTheCallers(t *testing.T) {
	for _, x := range []*Tensor{Of(Int64, []int{1}, []int64{7}), Of(Int8, []int{1}, []int8{7})} {
		v, err := x.Ints()
		require.NoError(t, err)
		v[0] = 9
		again, err := x.Ints()
		require.NoError(t, err)
		require.Equal(t, []int64{7}, again)
	}
	v, err := Of(Uint64, []int{2}, []uint64{1 << 63, math.MaxUint64}).Ints()
	require.NoError(t, err)
	require.Equal(t, []int64{math.MinInt64, -1}, v)
}
