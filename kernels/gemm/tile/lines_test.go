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

// TestLinesAreWalks compares lines at once with one after the other, in floats with a residual and in bytes: lines of less
// than a tile to more than fewTiles of them, pairs of seven, more lines than one call may take, and sources that end with
// the last row.
func TestLinesAreWalks(t *testing.T) {
	for _, tr := range tier.Supported() {
		t.Run(tr.String(), func(t *testing.T) {
			defer tier.Force(tr)()
			r := rand.New(rand.NewPCG(4, 4))
			for i, m := range []int{1, 2, 5, 7, 8, 10, 14, 14, 15, 20, 27, 28, 30, 32, 33, 40, 56, 57, 64, 130, 140, 141} {
				const segs = 3
				length, n := []int{4, 48, 17}[i%3], []int{1, 16, 20, 40, 64, 100}[i%6]
				lines := 2 + r.IntN(9)
				if tr == tier.Plain && m > 60 {
					lines = 2
				} else if i%4 == 0 {
					length, lines = 700, 20
				}
				w := Line(0, length, m, []int{0, m * length, 2 * m * length}, length)
				if i == 7 { // two lines of seven
					w.Half = 9 * length
				}
				l := Lines{N: lines, Src: (m + 3) * length, Dst: m*n + 5}
				far := (lines-1)*l.Src + w.at(m-1) + w.Segs[2] + length
				src, dst, want := guard.Slice[float32](t, far), guard.Slice[float32](t, lines*l.Dst), make([]float32, lines*l.Dst)
				for j := range src {
					src[j] = float32(r.NormFloat64())
				}
				p := PackF32(segs*length, n, func(k, n int) float32 { return float32(k%7-3) + float32(n) }, nil)
				o := OutF32{Dst: dst, Residual: src, Ld: n, Act: numeric.Relu()}
				if len(src) < len(dst) {
					o.Residual = guard.Slice[float32](t, len(dst))
				}
				p.RunLines(o, src, w, l, 0, p.Panels())
				o.Dst = want
				for k := range lines {
					each := w
					each.Base = k * l.Src
					p.Run(o.From(k*l.Dst), src, each, 0, p.Panels())
				}
				for j := range want {
					require.Equal(t, math.Float32bits(want[j]), math.Float32bits(dst[j]), "%d rows of %d, %d columns, element %d", m, length, n, j)
				}

				q := PackI8(segs, length, n, func(k, n int) int { return (k*3+n)%255 - 127 }, nil)
				bytes, got, expect := guard.Slice[uint8](t, far+q.Slack()), guard.Slice[uint8](t, lines*l.Dst), make([]uint8, lines*l.Dst)
				if i%2 == 0 {
					bytes = bytes[q.Slack():] // the last rows have no slack behind them
				}
				for j := range bytes {
					bytes[j] = uint8(r.Uint32())
				}
				b := Out{U8: got, Rq: numeric.NewRequant([]float32{0.001}, 120), Ld: n}
				q.RunLines(b, bytes, w, l, 3, 0, q.Panels())
				b.U8 = expect
				for k := range lines {
					each := w
					each.Base = k * l.Src
					q.Run(b.From(k*l.Dst, 0), bytes, each, 3, 0, q.Panels())
				}
				require.Equal(t, expect, got, "%d rows of %d bytes, %d columns", m, length, n)
			}
		})
	}
}
