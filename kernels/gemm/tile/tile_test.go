package tile

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/kernels/numeric"
	"assay/kernels/tier"
)

func TestTableIsSortedAndNamesAreMetadata(t *testing.T) {
	require.True(t, slices.IsSortedFunc(Kernels(), func(a, b Kernel) int { return strings.Compare(a.Name, b.Name) }))
	for _, k := range Kernels() {
		require.True(t, strings.HasPrefix(k.Name, fmt.Sprintf("%s_tile_%s_%dx", k.Type, k.Tier, k.Rows)), k.Name)
		// One tile of the greatest depth is within the bound of a call, or the split could not keep it.
		steps := maxDepth * k.Rows
		if k.Type == "u8s8" {
			steps = 66_310 / quad * k.Rows
		}
		require.LessOrEqual(t, steps, k.Work*11/10, k.Name)
	}
}

func TestPickIsTheTiersKernel(t *testing.T) {
	for _, tr := range tier.Supported() {
		undo := tier.Force(tr)
		require.Equal(t, min(tr, tier.AVX512VNNI), pick("f32").Tier)
		require.Equal(t, tr, pick("u8s8").Tier)
		undo()
	}
}

func TestBalanceCoversAllRowsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, rows := rapid.IntRange(1, 5000).Draw(t, "m"), rapid.IntRange(1, 14).Draw(t, "rows")
		tiles, size, big := Balance(m, rows)
		require.Equal(t, m, big*(size+1)+(tiles-big)*size)
		require.LessOrEqual(t, size, rows)
		if big > 0 {
			require.Less(t, size, rows)
		}
	})
}

// TestEachCoversPanelsOnce: ranges follow each other, take all panels, break no tile of three, leave no single panel, and
// are bounded in bytes unless one tile is larger.
func TestEachCoversPanelsOnce(t *testing.T) {
	all := make([]float32, 40*6000*Panel) // never touched
	rapid.Check(t, func(t *rapid.T) {
		panels, k := rapid.IntRange(1, 40).Draw(t, "panels"), rapid.IntRange(1, 6000).Draw(t, "k")
		p := F32{K: k, panel: all[:panels*k*Panel], bias: all[:panels*Panel]}
		at := 0
		p.Each(func(first, last int) {
			require.Equal(t, at, first)
			require.Greater(t, last, first)
			require.True(t, panels == 1 || last-first > 1)
			require.True(t, (last-first)%3 == 0 || last == panels)
			require.LessOrEqual(t, 4*Panel*k*(last-first), max(resident, 4*Panel*k*4))
			at = last
		})
		require.Equal(t, panels, at)
	})
}

func TestInThreesLeavesPairs(t *testing.T) {
	for n := 1; n <= 100; n++ {
		threes := inThrees(n)
		require.Zero(t, threes%3, n)
		require.True(t, n == 1 || (n-threes)%2 == 0 && n-threes <= 4, n)
	}
}

func TestInFoursLeavesNoWork(t *testing.T) {
	for n := 1; n <= 100; n++ {
		fours := inFours(n)
		require.Zero(t, fours%4, n)
		require.LessOrEqual(t, fours, n)
		if fours > 0 {
			require.Zero(t, (n-fours)%3, n)
		}
	}
}

// TestSharesFollowEachOther covers what is divided: all columns, once and in order, in groups of whole tiles but for the last.
func TestSharesFollowEachOther(t *testing.T) {
	for i := range Kernels() {
		k := &Kernels()[i]
		if k != below(k.Type, k.Tier) {
			continue
		}
		for n := 1; n <= 100; n++ {
			for _, near := range []bool{false, true} {
				at := 2
				for _, s := range shares(k, near, at, at+n) {
					if s.first < s.last {
						require.Equal(t, at, s.first)
						require.True(t, s.k == k || (s.last-s.first)%s.k.Wide == 0, "%s, %d panels", s.k.Name, n)
						at = s.last
					}
				}
				require.Equal(t, 2+n, at)
			}
		}
	}
}

func TestChunkIsWholeTilesOfAllKernels(t *testing.T) {
	for _, k := range Kernels() {
		if k.Tier == tier.AVX512VNNI {
			require.Zero(t, chunk%k.Rows, k.Name)
		}
	}
}

// TestPiecesKeepRows compares the place of each row of a Walk with its place in the pieces.
func TestPiecesKeepRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Walk{Base: rapid.IntRange(0, 99).Draw(t, "base"), Row: rapid.IntRange(0, 9).Draw(t, "row"),
			Half: rapid.IntRange(0, 99).Draw(t, "half"), M: rapid.IntRange(1, 14).Draw(t, "m")}
		n, p := w.pieces(rapid.SampledFrom([]int{6, 8, 9, 14}).Draw(t, "rows"))
		var got, want []int
		for _, piece := range p[:n] {
			for r := range piece.M {
				got = append(got, piece.at(r))
			}
		}
		for r := range w.M {
			want = append(want, w.at(r))
		}
		require.Equal(t, want, got)
	})
}

// TestPackedPanels shows the layout: 16 columns together, groups of four along k, and what lies outside is 0.
func TestPackedPanels(t *testing.T) {
	f := PackF32(2, 17, func(k, n int) float32 { return float32(100*k + n) }, nil)
	require.Len(t, f.panel, 2*2*Panel)
	require.Equal(t, []float32{0, 1, 2}, f.panel[:3])
	require.Equal(t, float32(100), f.panel[Panel])
	require.Equal(t, float32(116), f.panel[3*Panel])
	require.Zero(t, f.panel[3*Panel+1])

	q := PackI8(2, 5, 1, func(k, n int) int { return k + 1 }, nil)
	require.Equal(t, 4, q.depth(), "two segments of five take two groups each")
	require.Equal(t, []int8{1, 2, 3, 4}, q.panel[:4])
	require.Equal(t, []int8{5, 0, 0, 0}, q.panel[4*Panel:][:4])
	require.Equal(t, []int8{6, 7, 8, 9}, q.panel[8*Panel:][:4])
	require.Equal(t, int32(55), q.sum[0])
	require.Equal(t, 3, q.Slack())
}

// TestWideWeightsAreASumOfParts covers the ends of the range of a weight less its zero point.
func TestWideWeightsAreASumOfParts(t *testing.T) {
	for v, parts := range map[int]int{127: 1, -128: 1, 128: 2, -255: 2, 254: 2, 255: 3} {
		q := PackI8(1, 1, 1, func(int, int) int { return v }, nil)
		require.Equal(t, parts, q.Parts(), v)
		sum := 0
		for _, w := range q.panel {
			sum += int(w)
		}
		require.Equal(t, v, sum)
	}
}

// TestExactToTheGreatestDepth uses the depth and the numbers at which an int32 sum is just exact.
func TestExactToTheGreatestDepth(t *testing.T) {
	const k = 66_310
	src := make([]uint8, k)
	for i := range src {
		src[i] = 255
	}
	p := PackI8(1, k, 1, func(int, int) int { return 127 }, nil)
	for _, tr := range tier.Supported() {
		undo := tier.Force(tr)
		dst := []float32{0}
		p.Run(Out{F32: dst, Scale: []float32{1}, Ld: 1}, src, Line(0, k, 1, []int{0}, k), 0, 0, p.Panels())
		undo()
		require.Equal(t, float32(k*255*127), dst[0], tr)
	}
}

// TestNaNMultiplierGivesTheLowestByte keeps the rule of numeric.Requant for numbers that no calibration makes.
func TestNaNMultiplierGivesTheLowestByte(t *testing.T) {
	p := PackI8(1, 4, 3, func(k, n int) int { return n }, nil)
	rq := numeric.NewRequant([]float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}, 9)
	for _, tr := range tier.Supported() {
		undo := tier.Force(tr)
		dst := make([]uint8, 3)
		p.Run(Out{U8: dst, Rq: rq, Ld: 3}, []uint8{1, 2, 3, 4}, Line(0, 4, 1, []int{0}, 4), 0, 0, p.Panels())
		undo()
		require.Equal(t, []uint8{0, 255, 0}, dst, tr)
	}
}

// TestShortBuffersPanic: a wrong size is a Go panic in every tier, never a stray access.
func TestShortBuffersPanic(t *testing.T) {
	f := PackF32(8, 20, func(k, n int) float32 { return 1 }, nil)
	q := PackI8(1, 8, 20, func(k, n int) int { return 1 }, nil)
	w := Line(0, 8, 3, []int{0}, 8)
	for _, tr := range tier.Supported() {
		undo := tier.Force(tr)
		require.Panics(t, func() { f.Run(OutF32{Dst: make([]float32, 59), Ld: 20}, make([]float32, 24), w, 0, 2) })
		require.Panics(t, func() { f.Run(OutF32{Dst: make([]float32, 60), Ld: 20}, make([]float32, 23), w, 0, 2) })
		require.Panics(t, func() {
			f.Run(OutF32{Dst: make([]float32, 60), Residual: make([]float32, 59), Ld: 20}, make([]float32, 24), w, 0, 2)
		})
		rq := numeric.NewRequant([]float32{0.5}, 0)
		require.Panics(t, func() { q.Run(Out{U8: make([]uint8, 59), Rq: rq, Ld: 20}, make([]uint8, 24), w, 0, 0, 2) })
		require.Panics(t, func() { q.Run(Out{U8: make([]uint8, 60), Rq: rq, Ld: 20}, make([]uint8, 23), w, 0, 0, 2) })
		require.Panics(t, func() {
			q.Run(Out{U8: make([]uint8, 60), Rq: rq, Ld: 20, Add: make([]int32, 2)}, make([]uint8, 24), w, 0, 0, 2)
		})
		for _, short := range []int{0, 2, 16, 19} {
			few := numeric.NewRequant(make([]float32, short), 0)
			require.Panics(t, func() { q.Run(Out{U8: make([]uint8, 60), Rq: few, Ld: 20}, make([]uint8, 24), w, 0, 0, 2) }, "%s, %d", tr, short)
			require.Panics(t, func() {
				q.Run(Out{F32: make([]float32, 60), Scale: make([]float32, short), Ld: 20}, make([]uint8, 24), w, 0, 0, 2)
			}, "%s, %d", tr, short)
		}
		undo()
	}
}

// TestNaNScalesAreCanonical: sums times what is no number, or 0 times an infinity, are stored as 0x7fc00000 in every tier.
func TestNaNScalesAreCanonical(t *testing.T) {
	p := PackI8(1, 4, 20, func(k, n int) int { return n - 10 }, nil)
	odd := math.Float32frombits(0xffc12345)
	for _, tr := range tier.Supported() {
		for _, scale := range []float32{odd, float32(math.Inf(1)), float32(math.Inf(-1))} {
			undo := tier.Force(tr)
			dst := make([]float32, 20)
			p.Run(Out{F32: dst, Scale: []float32{scale}, Ld: 20}, []uint8{1, 2, 3, 4}, Line(0, 4, 1, []int{0}, 4), 0, 0, p.Panels())
			undo()
			for n, v := range dst {
				if scale != scale || n == 10 {
					require.Equal(t, uint32(0x7fc00000), math.Float32bits(v), "%s, column %d", tr, n)
				} else {
					require.True(t, math.IsInf(float64(v), 0))
				}
			}
		}
	}
}

// TestTileRegistersTakeWholeSegments: their kernel knows nothing of segments that are met in part, nor of few rows or a short depth.
func TestTileRegistersTakeWholeSegments(t *testing.T) {
	p := PackI8(2, 64, 5, func(k, n int) int { return k }, nil)
	w := Line(0, 64, 16, []int{0, 64}, 64)
	require.True(t, p.tiled(w))
	w.Whole, w.Len, w.Front = 64, 60, 4
	require.False(t, p.tiled(w))
	require.False(t, p.tiled(Line(0, 64, leastRows-1, []int{0, 64}, 64)))
	short := PackI8(1, 4*leastGroups-4, 5, func(k, n int) int { return k }, nil)
	require.False(t, short.tiled(Line(0, 64, 16, []int{0}, 4*leastGroups-4)))
}

// TestConfigDescribesRegisters lists bytes of a row and rows of each tile register, as LDTILECFG takes them.
func TestConfigDescribesRegisters(t *testing.T) {
	for rest, last := range map[int][2][2]byte{0: {}, 3: {{12, 9}, {64, 3}}} {
		c := NewConfig(9, rest)
		require.Equal(t, byte(1), c[0], "palette")
		want := [8][2]byte{{64, 9}, {64, 9}, {64, 9}, {64, 9}, {64, 9}, {64, 16}, last[0], last[1]}
		for i, w := range want {
			require.Equal(t, w, [2]byte{c[16+2*i], c[48+i]}, "register %d, rest %d", i, rest)
			require.Zero(t, c[17+2*i])
		}
	}
}
