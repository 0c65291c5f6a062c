package move

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/tier"
)

// TestSelectIsItsDefinition: operands that repeat along any axes, in each element size, up to as many axes as do not join.
func TestSelectIsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for round := range 400 {
		rank := rng.IntN(5)
		if round%40 == 0 {
			rank = 14 // more than any two neighbours can join to fewer than 12
		}
		shape, total := make([]int, rank), 1
		for i := range shape {
			shape[i] = 1 + rng.IntN(6)
			if rank > 5 {
				shape[i] = 2
			}
			total *= shape[i]
		}
		var steps [3][]int
		var sizes [3]int
		for o := range steps {
			steps[o], sizes[o] = make([]int, rank), 1
			for i := rank - 1; i >= 0; i-- {
				if rng.IntN(3) > 0 {
					steps[o][i] = sizes[o]
					sizes[o] *= shape[i]
				}
			}
		}
		for _, size := range []int{1, 2, 4, 8, 16} {
			cond, a, b := make([]byte, sizes[0]), bytesOf(sizes[1]*size), bytesOf(sizes[2]*size + 100)[100:]
			for i := range cond {
				cond[i] = byte(rng.IntN(3)) // any byte but 0 is true
			}
			var want []byte
			for i := range total {
				var at [3]int
				for axis, rest := rank-1, i; axis >= 0; axis-- {
					for o := range at {
						at[o] += rest % shape[axis] * steps[o][axis]
					}
					rest /= shape[axis]
				}
				if cond[at[0]] != 0 {
					want = append(want, a[at[1]*size:][:size]...)
				} else {
					want = append(want, b[at[2]*size:][:size]...)
				}
			}
			dst := make([]byte, total*size)
			Select(size, shape, dst, cond, steps[0], a, steps[1], b, steps[2])
			require.Equal(t, want, dst, "size %d shape %v steps %v", size, shape, steps)
		}
	}
	overlap := []int{1, 1} // windows over a row: neighbours along both axes
	dst := make([]byte, 6)
	Select(1, []int{2, 3}, dst, []byte{1, 0, 1, 0}, overlap, []byte{1, 2, 3, 4}, overlap, []byte{5, 6, 7, 8}, overlap)
	require.Equal(t, []byte{1, 6, 3, 6, 3, 8}, dst)
	require.NotPanics(t, func() { Select(4, []int{3, 0}, nil, nil, []int{0, 1}, nil, []int{0, 1}, nil, []int{0, 1}) })
}

// TestTransposedPlanesInEachTier: planes of words around whole blocks of eight and around the pieces that blocks are written in.
func TestTransposedPlanesInEachTier(t *testing.T) {
	for _, level := range tier.Supported() {
		undo := tier.Force(level)
		for _, rows := range []int{1, 7, 8, 9, 16, 23, 40} {
			for _, columns := range []int{7, 8, 15, 63, 64, 65, 130} {
				n := 2 * rows * columns * 4
				src, buf := bytesOf(n), bytesOf(n+64)
				dst := buf[32 : 32+n : 32+n]
				transpose(4, dst, src, []int{2, rows, columns}, []int{0, 2, 1})
				require.Equal(t, naiveTranspose(4, src, []int{2, rows, columns}, []int{0, 2, 1}), dst, "%s: %d x %d", level, rows, columns)
				require.Equal(t, bytesOf(32), buf[:32])
				require.Equal(t, bytesOf(n + 64)[32+n:], buf[32+n:])
			}
		}
		undo()
	}
}

// TestShortRowsGoBackwards: rows of each length around short, from the last to the first, of each element size.
func TestShortRowsGoBackwards(t *testing.T) {
	for m := 1; m <= short+2; m++ {
		for _, size := range []int{1, 2, 4, 8} {
			const n = 5
			src, dst := bytesOf(n*(m+1)*size), make([]byte, n*m*size)
			Copy(size, []int{n, m}, dst, 0, []int{m, 1}, src, (n-1)*(m+1), []int{-(m + 1), 1})
			for i := range n {
				require.Equal(t, src[(n-1-i)*(m+1)*size:][:m*size], dst[i*m*size:][:m*size], "row %d of %d elements of %d bytes", i, m, size)
			}
		}
	}
}
