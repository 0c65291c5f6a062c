package tensor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSizesOfElements: bytes of an element in memory, and bits of one in a packed form.
func TestSizesOfElements(t *testing.T) {
	for d, want := range map[DType][2]int{
		Invalid: {0, 0}, String: {0, 0}, Sequence: {0, 0}, Optional: {0, 0},
		Bool: {1, 8}, Uint8: {1, 8}, Int8: {1, 8}, Uint16: {2, 16}, Int16: {2, 16}, Uint32: {4, 32}, Int32: {4, 32}, Uint64: {8, 64}, Int64: {8, 64},
		Float16: {2, 16}, BFloat16: {2, 16}, Float32: {4, 32}, Float64: {8, 64}, Complex64: {8, 64}, Complex128: {16, 128},
		Float8E4M3FN: {1, 8}, Float8E4M3FNUZ: {1, 8}, Float8E5M2: {1, 8}, Float8E5M2FNUZ: {1, 8}, Float8E8M0: {1, 8},
		Float4E2M1: {1, 4}, Uint4: {1, 4}, Int4: {1, 4}, Uint2: {1, 2}, Int2: {1, 2},
	} {
		require.Equal(t, want, [2]int{d.Size(), d.Bits()}, d.String())
	}
}

// TestSmallFloatsHaveTheirValues: the smallest, the first normal one, 1 and the largest, as the formats' definitions give them; zeros,
// infinities and NaNs where they have some.
func TestSmallFloatsHaveTheirValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for d, values := range map[DType]map[uint8]float64{
		Float8E4M3FN: {0: 0, 1: 0x1p-9, 7: 7 * 0x1p-9, 8: 0x1p-6, 0x38: 1, 0x39: 1.125, 0x7e: 448, 0x7f: nan,
			0x80: math.Copysign(0, -1), 0x81: -0x1p-9, 0xb8: -1, 0xff: nan},
		Float8E4M3FNUZ: {0: 0, 1: 0x1p-10, 7: 7 * 0x1p-10, 8: 0x1p-7, 0x40: 1, 0x7f: 240, 0x80: nan, 0x81: -0x1p-10, 0xff: -240},
		Float8E5M2: {0: 0, 1: 0x1p-16, 3: 3 * 0x1p-16, 4: 0x1p-14, 0x3c: 1, 0x3d: 1.25, 0x7b: 57344, 0x7c: inf, 0x7d: nan, 0x7e: nan, 0x7f: nan,
			0x80: math.Copysign(0, -1), 0xfc: -inf, 0xfd: nan},
		Float8E5M2FNUZ: {0: 0, 1: 0x1p-17, 4: 0x1p-15, 0x40: 1, 0x7f: 57344, 0x80: nan, 0x81: -0x1p-17, 0xff: -57344},
		Float4E2M1: {0: 0, 1: 0.5, 2: 1, 3: 1.5, 4: 2, 5: 3, 6: 4, 7: 6, 8: math.Copysign(0, -1), 9: -0.5, 0xf: -6,
			0x10: 0, 0x13: 1.5, 0xff: -6}, // the upper four bits do not count
		Float8E8M0: {0: 0x1p-127, 1: 0x1p-126, 127: 1, 128: 2, 254: 0x1p127, 255: nan},
	} {
		table := SmallToFloat(d)
		require.Len(t, table, 256, d.String())
		for b, want := range values {
			if want != want {
				require.Equal(t, uint32(0x7fc00000), math.Float32bits(table[b]), "%s %#x", d, b)
				continue
			}
			require.Equal(t, math.Float32bits(float32(want)), math.Float32bits(table[b]), "%s %#x", d, b)
			x := &Tensor{DType: d, Shape: []int{1}, Data: []byte{b}}
			got, err := x.Floats()
			require.NoError(t, err)
			require.Equal(t, []float32{float32(want)}, got, "%s %#x", d, b)
		}
	}
	require.Nil(t, SmallToFloat(Float16))
	require.Nil(t, SmallToFloat(Uint4))
}

// TestSmallFloatsFromWhatTheyLack: NaN, infinities and what is too large, of both signs, with and without saturation.
func TestSmallFloatsFromWhatTheyLack(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	below := math.Copysign(nan, -1)
	for d, c := range map[DType]struct{ nan, minusNaN, over, minusOver, saturated, minusSaturated uint8 }{
		Float8E4M3FN:   {0x7f, 0xff, 0x7f, 0xff, 0x7e, 0xfe},
		Float8E4M3FNUZ: {0x80, 0x80, 0x80, 0x80, 0x7f, 0xff},
		Float8E5M2:     {0x7e, 0xfe, 0x7c, 0xfc, 0x7b, 0xfb},
		Float8E5M2FNUZ: {0x80, 0x80, 0x80, 0x80, 0x7f, 0xff},
		Float4E2M1:     {0x08, 0x08, 0x07, 0x0f, 0x07, 0x0f},
	} {
		for _, saturate := range []bool{false, true} {
			require.Equal(t, c.nan, SmallFromFloat(d, nan, saturate), d.String())
			require.Equal(t, c.minusNaN, SmallFromFloat(d, below, saturate), d.String())
			over, minusOver := c.over, c.minusOver
			if saturate {
				over, minusOver = c.saturated, c.minusSaturated
			}
			for _, f := range []float64{1e5, 1e300, math.MaxFloat64, inf} {
				require.Equal(t, over, SmallFromFloat(d, f, saturate), "%s %g %v", d, f, saturate)
				require.Equal(t, minusOver, SmallFromFloat(d, -f, saturate), "%s %g %v", d, -f, saturate)
			}
		}
	}
	require.Equal(t, uint8(0x80), SmallFromFloat(Float8E4M3FN, math.Copysign(0, -1), false))
	require.Equal(t, uint8(0), SmallFromFloat(Float8E4M3FNUZ, math.Copysign(0, -1), false), "there is no -0")
	require.Equal(t, uint8(0), SmallFromFloat(Float8E5M2FNUZ, -1e-30, false))
	require.Equal(t, uint8(128), SmallFromFloat(Float8E8M0, 1.5, false), "a scale goes up")
}

// TestHalvesAtTheirBorders: the first NaN beyond infinity stays one, infinity is none, and payloads widen as they are.
func TestHalvesAtTheirBorders(t *testing.T) {
	for _, c := range []struct{ f, half, bf uint32 }{
		{0x7f800000, 0x7c00, 0x7f80}, {0xff800000, 0xfc00, 0xff80},
		{0x7f800001, 0x7e00, 0x7fc0}, {0xff800001, 0xfe00, 0xffc0},
		{0x7fffffff, 0x7fff, 0x7fff}, {0x7f802000, 0x7e01, 0x7fc0},
		{0x477fefff, 0x7bff, 0x4780}, {0x477ff000, 0x7c00, 0x4780}, // 65520 and what lies before it
		{0x387fffff, 0x0400, 0x3880}, {0x38800000, 0x0400, 0x3880}, {0x387fc000, 0x03ff, 0x3880},
	} {
		require.Equal(t, uint16(c.half), HalfFromFloat(math.Float32frombits(c.f)), "%#x", c.f)
		require.Equal(t, uint16(c.bf), BFloatFromFloat(math.Float32frombits(c.f)), "%#x", c.f)
	}
	for half, f := range map[uint16]uint32{0x7c00: 0x7f800000, 0xfc00: 0xff800000, 0x7c01: 0x7f802000, 0x7fff: 0x7fffe000, 0x0001: 0x33800000, 0x8000: 0x80000000, 0x0400: 0x38800000} {
		require.Equal(t, f, math.Float32bits(HalfToFloat(half)), "%#x", half)
	}
}

// TestWhatIsSharedAndWhatIsNot: a view of aligned bytes and a packing that changes nothing alias them, a view of others is a copy, and an
// empty tensor has no view.
func TestWhatIsSharedAndWhatIsNot(t *testing.T) {
	aligned := Of(Float32, []int{2}, []float32{1, 2})
	aligned.F32()[0] = 3
	require.Equal(t, []float32{3, 2}, aligned.F32())
	odd := &Tensor{DType: Float32, Shape: []int{1}, Data: append(make([]byte, 1, 16), aligned.Data...)[1:5]}
	odd.F32()[0] = 9
	require.Equal(t, []float32{3}, odd.F32(), "written to a copy")
	require.Nil(t, New(Float32, 0).F32())
	require.Nil(t, View[float64](New(Float64, 2, 0)))

	bytes := &Tensor{DType: Uint8, Shape: []int{2}, Data: []byte{1, 2}}
	require.Same(t, &bytes.Data[0], &bytes.Pack()[0])
	require.Same(t, &bytes.Data[0], &Unpack(Uint8, bytes.Data, 2)[0])

	short := &Tensor{DType: Int64, Shape: []int{2, 3}, Data: make([]byte, 47)}
	require.EqualError(t, short.Check(), "tensor int64[2 3] holds 47 bytes, its shape needs 48")
}

// TestMovedItems: inserting moves all items or none, and growing at the end by one after the other moves each about twice at most;
// erasing moves what is left, and nothing at either end.
func TestMovedItems(t *testing.T) {
	item := New(Int64)
	s, total := SequenceOf(Int64), 0
	for n := range 1000 {
		next, moved := s.Inserted(n, item)
		require.Contains(t, []int{0, n}, moved)
		require.Len(t, next.Items, n+1)
		s, total = next, total+moved
	}
	require.Less(t, total, 2000)
	_, moved := s.Inserted(10, item)
	require.Equal(t, 1000, moved)
	for at, want := range map[int]int{0: 0, 1: 999, 500: 999, 998: 999, 999: 0} {
		rest, moved := s.Erased(at)
		require.Equal(t, want, moved, "place %d", at)
		require.Len(t, rest.Items, 999)
		require.NoError(t, rest.Check())
	}
	last, _ := s.Erased(999)
	grown, _ := last.Inserted(999, New(Int64, 1))
	require.Same(t, item, s.Items[999], "the longer sequence keeps its last item")
	require.Equal(t, []int{1}, grown.Items[999].Shape)
	one, moved := SequenceOf(Int64, item).Erased(0)
	require.Empty(t, one.Items)
	require.Zero(t, moved)
}
