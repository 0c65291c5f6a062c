package tile

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// TestPipedTilesAreTheContract: rows and columns that fill piped tiles and that do not, more rows than pass by at once, steps that fours
// leave over, and sums that saturate, in buffers that end at a page without access.
func TestPipedTilesAreTheContract(t *testing.T) {
	for _, s := range [][3]int{{96, 32, 64}, {97, 32, 32}, {101, 36, 48}, {98, 64, 96}, {99, 60, 130}, {100, 256, 112}, {530, 512, 32}, {96, 260, 34},
		{96, 512, 64}, {96, 28, 64}, {95, 32, 64}, {102, 516, 32}} {
		for _, tr := range tier.Supported() {
			undo := tier.Force(tr)
			pipedAgree(t, s[0], s[1], s[2])
			undo()
		}
	}
}

func pipedAgree(t *testing.T, m, k, n int) {
	r := rand.New(rand.NewPCG(uint64(m), uint64(k+1000*n)))
	row, ld := k+3, n+r.IntN(3)
	src, weights, bias := guard.Slice[uint8](t, (m-1)*row+k), make([]int8, k*n), make([]int32, n)
	for i := range src {
		src[i] = uint8(r.IntN(256))
	}
	for i := range weights {
		weights[i] = int8(r.IntN(256) - 128)
	}
	mult := guard.Slice[float32](t, choice(r, 1, n))
	for i := range mult {
		mult[i] = float32(math.Exp(-4 - 4*r.Float64()))
	}
	for i := range bias {
		bias[i] = int32(r.IntN(1<<choice(r, 10, 27))) - 1<<choice(r, 9, 26)
	}
	rq, zero := numeric.NewRequant(mult, int32(choice(r, 0, 1, 128, 255))), uint8(r.IntN(256))
	p := PackI8(1, k, n, func(k, j int) int { return int(weights[k*n+j]) }, bias)
	dst := guard.Slice[uint8](t, (m-1)*ld+n)
	want := make([]uint8, len(dst))
	for i := range dst {
		dst[i], want[i] = mark, mark
	}
	for i := range m {
		for j := range n {
			acc := bias[j]
			for l, x := range src[i*row:][:k] {
				acc += (int32(x) - int32(zero)) * int32(weights[l*n+j])
			}
			want[i*ld+j] = rq.At(acc, j)
		}
	}
	p.Run(Out{U8: dst, Rq: rq, Ld: ld}, src, Line(0, row, m, []int{0}, k), zero, 0, p.Panels())
	require.Equal(t, want, dst, "%d x %d x %d, %s", m, k, n, tier.Current())
	require.Panics(t, func() {
		p.Run(Out{U8: dst[: len(dst)-1 : len(dst)-1], Rq: rq, Ld: ld}, src, Line(0, row, m, []int{0}, k), zero, 0, p.Panels())
	})
	require.Panics(t, func() {
		p.Run(Out{U8: dst, Rq: rq, Ld: ld}, src[:len(src)-1:len(src)-1], Line(0, row, m, []int{0}, k), zero, 0, p.Panels())
	})
}

// TestPipedRowsAreWholeTiles: calls work as long as others may, and take whole tiles of both widths.
func TestPipedRowsAreWholeTiles(t *testing.T) {
	require.Zero(t, pipedRows%3+pipedRows%6)
	for _, k := range Kernels() {
		if k.Tier == tier.AVX512VNNI && k.Type == "u8s8" {
			require.LessOrEqual(t, pipedBytes/quad*4, k.Work)
		}
	}
	require.GreaterOrEqual(t, pipedBytes/(quad*maxPiped), pipedRows)
}
