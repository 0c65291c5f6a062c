package tile

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/tier"
)

// TestWidened: rows become words where the kernels of AVX2 gain by it, and nowhere else.
func TestWidened(t *testing.T) {
	avx2 := &Kernel{Tier: tier.AVX2, Rows: 6}
	pack := func(segs, length int) *I8 {
		return PackI8(segs, length, 64, func(k, n int) int { return k%3 - 1 }, nil)
	}
	p, w := pack(2, 64), Line(0, 64, 40, []int{0, 64}, 64)
	require.True(t, p.widened(avx2, w, 0, 4))
	require.False(t, p.widened(&Kernel{Tier: tier.AVX512VNNI, Rows: 6}, w, 0, 4), "bytes are multiplied")
	require.False(t, p.widened(&Kernel{Tier: tier.Plain, Rows: 8}, w, 0, 4))
	require.False(t, p.widened(avx2, w, 2, 4), "two panels")
	require.False(t, p.widened(avx2, Line(0, 64, 8, []int{0, 64}, 64), 0, 4), "eight rows")
	require.False(t, p.widened(avx2, Line(0, 64, 40, []int{0}, 64), 0, 4), "one of two segments")
	part := w
	part.Len, part.Whole = 32, 64
	require.False(t, p.widened(avx2, part, 0, 4), "half of each segment")

	for length, want := range map[int]bool{16: false, 32: true, 33: false, 127: false, 128: true, 129: true, 4096: true, 4100: false} {
		require.Equal(t, want, pack(1, length).widened(avx2, Line(0, length, 400, []int{0}, length), 0, 4), "%d bytes", length)
	}
	wide := PackI8(1, 64, 64, func(k, n int) int { return 200 }, nil)
	require.False(t, wide.widened(avx2, Line(0, 64, 400, []int{0, 0}, 64), 0, 4), "weights of two parts")
}

// TestWidenMakesWords has rows that overlap and rows in two pieces, and a tail behind whole blocks.
func TestWidenMakesWords(t *testing.T) {
	const length = 37
	p := PackI8(2, length, 1, func(k, n int) int { return 1 }, nil)
	for _, half := range []int{7 * 5, 60} {
		w := Walk{Base: 3, Row: 5, Half: half, M: 14, Segs: []int{0, 50}, Len: length}
		src := make([]uint8, w.at(13)+50+length)
		for i := range src {
			src[i] = uint8(200 + i)
		}
		words := make([]int16, 10*2*40)
		for i := range words {
			words[i] = -1
		}
		p.widen(words, src, w, 2, 10)
		for r := range 10 {
			for s, off := range w.Segs {
				got := words[(2*r+s)*40:][:40]
				for i := range length {
					require.Equal(t, int16(src[w.at(2+r)+off+i]), got[i], "row %d, segment %d, %d", r, s, i)
				}
			}
		}
	}
}
