package jpeg

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestZerosAreSkippedExactly: samples of a block do not depend on whether the transform is told where its zeros begin, for any
// coefficients and quantizer of a file, overflow included.
func TestZerosAreSkippedExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	quantizers := []int32{1, 3, 16, 255, 65535}
	for last := range 64 {
		for range 40 {
			var b [64]int16
			var q [64]int32
			for k := range last + 1 {
				switch r.IntN(3) {
				case 0:
					b[zigzag[k]] = int16(r.IntN(81) - 40)
				case 1:
					b[zigzag[k]] = int16(r.Uint32())
				}
			}
			for i := range q {
				q[i] = quantizers[r.IntN(len(quantizers))]
			}
			const stride = 11
			var told, whole [8 * stride]byte
			idct(told[:7*stride+8], stride, &b, &q, last)
			idct(whole[:7*stride+8], stride, &b, &q, 63)
			require.Equal(t, whole, told, "last %d", last)
		}
	}
}

// TestShortCodesAreLookedUp: a run and a value that are read at once are those of a symbol and the bits behind it, and take as many
// bits, wherever the reader stands, also at stuffed bytes and behind the end.
func TestShortCodesAreLookedUp(t *testing.T) {
	h, err := newHuffman([16]byte{0, 1, 2, 1, 1, 2, 0, 1, 1, 1}, []byte{0x01, 0x00, 0x12, 0x03, 0x21, 0xf0, 0x54, 0x06, 0xf1, 0x31})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(3, 4))
	used := 0
	for range 400 {
		src := make([]byte, r.IntN(40))
		for i := range src {
			if src[i] = byte(r.Uint32()); r.IntN(8) == 0 {
				src[i] = []byte{0, 0xff}[r.IntN(2)]
			}
		}
		fast, slow := &bits{src: src}, &bits{src: src}
		for range 80 {
			if run, value, ok := fast.short(h); ok {
				used++
				sym := slow.symbol(h)
				require.Equal(t, sym>>4, run)
				require.EqualValues(t, slow.receive(uint(sym&15)), value)
				require.Equal(t, slow.over(), fast.over())
			} else {
				require.Equal(t, slow.symbol(h), fast.symbol(h))
			}
		}
	}
	require.Greater(t, used, 1000)
}

// TestFillTakesManyBytesAsOne: eight bytes at once are the eight one by one, with 0xff among them or not.
func TestFillTakesManyBytesAsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0, 0x7f, 0x80, 0xfe, 0xff})), 0, 24).Draw(t, "data")
		var clean []byte // without stuffing, up to a marker
		for i := 0; i < len(src); i++ {
			if src[i] == 0xff {
				if i+1 == len(src) || src[i+1] != 0 {
					break
				}
				i++
				clean = append(clean, 0xff)
				continue
			}
			clean = append(clean, src[i])
		}
		b, at := &bits{src: src}, 0
		for at < 8*len(clean)+16 {
			k := rapid.IntRange(1, 16).Draw(t, "bits")
			want := int32(0)
			for i := at; i < at+k; i++ {
				want <<= 1
				if i < 8*len(clean) {
					want |= int32(clean[i/8] >> (7 - i%8) & 1)
				}
			}
			at += k
			require.Equal(t, want, b.get(uint(k)))
			require.Equal(t, at > 8*len(clean), b.over())
		}
	})
}
