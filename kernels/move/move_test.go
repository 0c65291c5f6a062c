package move

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/tier"
)

// bytesOf returns n bytes that differ from their neighbours.
func bytesOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// transpose writes src, of the given shape and without gaps, with its axes in the order of perm, a permutation of them: axis
// i of dst is axis perm[i] of src.
func transpose(size int, dst, src []byte, shape, perm []int) {
	var n, step, out [MaxRank]int
	var in [MaxRank]int
	k := 1
	for i := len(shape) - 1; i >= 0; i-- {
		in[i] = k
		k *= shape[i]
	}
	k = 1
	for i := len(perm) - 1; i >= 0; i-- {
		n[i], step[i], out[i] = shape[perm[i]], in[perm[i]], k
		k *= n[i]
	}
	r := len(shape)
	Copy(size, n[:r], dst, 0, out[:r], src, 0, step[:r])
}

// toChannelsLast writes [batch][channels][pixels] as [batch][pixels][channels].
func toChannelsLast(size int, dst, src []byte, batch, channels, pixels int) {
	transpose(size, dst, src, []int{batch, channels, pixels}, []int{0, 2, 1})
}

// toChannelsFirst writes [batch][pixels][channels] as [batch][channels][pixels].
func toChannelsFirst(size int, dst, src []byte, batch, channels, pixels int) {
	transpose(size, dst, src, []int{batch, pixels, channels}, []int{0, 2, 1})
}

// naiveTranspose moves element by element.
func naiveTranspose(size int, src []byte, shape, perm []int) []byte {
	dst := make([]byte, 0, len(src))
	steps := make([]int, len(shape))
	k := size
	for i := len(shape) - 1; i >= 0; i-- {
		steps[i] = k
		k *= shape[i]
	}
	var walk func(axis, at int)
	walk = func(axis, at int) {
		if axis == len(perm) {
			dst = append(dst, src[at:at+size]...)
			return
		}
		for i := range shape[perm[axis]] {
			walk(axis+1, at+i*steps[perm[axis]])
		}
	}
	walk(0, 0)
	return dst
}

func TestTranspose(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		rank := rng.IntN(6)
		shape, perm, n := make([]int, rank), rng.Perm(rank), 1
		for i := range shape {
			shape[i] = 1 + rng.IntN(7)
			if rng.IntN(8) == 0 {
				shape[i] = 17 + rng.IntN(20)
			}
			n *= shape[i]
		}
		if n > 1<<16 {
			continue
		}
		for _, size := range []int{1, 2, 4, 8} {
			src := bytesOf(n * size)
			buf := bytesOf(n*size + 32)
			dst := buf[16 : 16+n*size : 16+n*size]
			transpose(size, dst, src, shape, perm)
			require.Equal(t, naiveTranspose(size, src, shape, perm), dst, "size %d shape %v perm %v", size, shape, perm)
			require.Equal(t, bytesOf(16), buf[:16])
			require.Equal(t, bytesOf(n*size + 32)[16+n*size:], buf[16+n*size:])
		}
	}
}

func TestLayoutsAreInverse(t *testing.T) {
	src := bytesOf(2 * 35 * 51 * 4)
	mid, back := make([]byte, len(src)), make([]byte, len(src))
	toChannelsLast(4, mid, src, 2, 35, 51)
	require.Equal(t, src[(1*35*51+3*51+7)*4:][:4], mid[(1*35*51+7*35+3)*4:][:4])
	toChannelsFirst(4, back, mid, 2, 35, 51)
	require.Equal(t, src, back)
	for _, channels := range []int{1, 2, 3, 4, 8, 9} { // pictures
		src := bytesOf(2 * channels * 1301 * 2)
		dst := make([]byte, len(src))
		toChannelsLast(2, dst, src, 2, channels, 1301)
		require.Equal(t, naiveTranspose(2, src, []int{2, channels, 1301}, []int{0, 2, 1}), dst)
	}
}

// TestColouredPictures has pictures of three channels of every length up to some groups of pixels, in each element size, with
// marks around.
func TestColouredPictures(t *testing.T) {
	for _, tr := range tier.Supported() {
		t.Run(tr.String(), func(t *testing.T) {
			defer tier.Force(tr)()
			colouredPictures(t)
		})
	}
}

func colouredPictures(t *testing.T) {
	for _, size := range []int{1, 2, 4, 8} {
		for _, pixels := range append(counts(70), 1<<14+5, 1<<15+37) {
			src, n := bytesOf(2*3*pixels*size), 2*3*pixels*size
			buf := bytesOf(n + 64)
			dst := buf[32 : 32+n : 32+n]
			toChannelsLast(size, dst, src, 2, 3, pixels)
			require.Equal(t, naiveTranspose(size, src, []int{2, 3, pixels}, []int{0, 2, 1}), dst, "%d pixels of %d bytes", pixels, size)
			require.Equal(t, bytesOf(32), buf[:32])
			require.Equal(t, bytesOf(n + 64)[32+n:], buf[32+n:])
		}
	}
}

// counts is 0 to n-1.
func counts(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

func TestCopySlicesReversesAndRepeats(t *testing.T) {
	src := bytesOf(12) // [3][4]
	dst := make([]byte, 6)
	Copy(1, []int{2, 3}, dst, 0, []int{3, 1}, src, 2*4+3, []int{-8, -1}) // rows 2, 0; columns 3, 2, 1
	require.Equal(t, []byte{src[11], src[10], src[9], src[3], src[2], src[1]}, dst)
	Copy(1, []int{2, 3}, dst, 0, []int{3, 1}, src, 5, []int{4, 0}) // column 1 of rows 1 and 2, three times
	require.Equal(t, []byte{src[5], src[5], src[5], src[9], src[9], src[9]}, dst)
	padded := make([]byte, 20)
	Copy(1, []int{3, 2}, padded, 6, []int{5, 1}, src, 1, []int{4, 1}) // into the middle of [4][5]
	require.Equal(t, []byte{0, 0, 0, 0, 0, 0, src[1], src[2], 0, 0, 0, src[5], src[6], 0, 0, 0, src[9], src[10], 0, 0}, padded)
	Copy(1, nil, dst, 2, nil, src, 3, nil) // a scalar
	require.Equal(t, src[3], dst[2])
	require.NotPanics(t, func() { Copy(4, []int{0, 3}, nil, 0, []int{3, 1}, nil, 0, []int{3, 1}) })
}

func TestCopyOfUnalignedBytes(t *testing.T) {
	src, dst := bytesOf(17), make([]byte, 17)
	transpose(4, dst[1:], src[1:], []int{2, 2}, []int{1, 0})
	require.Equal(t, binary.LittleEndian.Uint32(src[5:]), binary.LittleEndian.Uint32(dst[9:]))
}

func BenchmarkTranspose(b *testing.B) {
	src := bytesOf(3 * 224 * 224 * 4)
	dst := make([]byte, len(src))
	for _, size := range []int{1, 4} {
		n := 3 * 224 * 224 * size
		b.Run(fmt.Sprint("to channels last ", size), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				toChannelsLast(size, dst[:n], src[:n], 1, 3, 224*224)
			}
		})
		b.Run(fmt.Sprint("square ", size), func(b *testing.B) {
			b.SetBytes(int64(384 * 384 * size))
			for b.Loop() {
				transpose(size, dst, src, []int{384, 384}, []int{1, 0})
			}
		})
	}
}
