package conv

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// slideGeometries has, for each sliding kernel, pictures of every width up to 17 (fewer outputs than are under way at
// once, and more) with every number of channels that its masks know, and heights that leave some lines of a bundle over.
func slideGeometries() (gs []Geometry) {
	for _, k := range []int{3, 5} {
		for _, stride := range []int{1, 2} {
			for w := 1; w <= 33; w++ {
				c := 4 * w
				g := Geometry{Batch: 1 + w%2, H: 1 + w%9, W: 1 + (w-1)%17, C: c, OC: c, Group: c, KH: k, KW: k, StrideH: 1 + w%3, StrideW: stride,
					DilationH: 1 + w/20, DilationW: 1, PadLeft: w % k, PadRight: (w + w/k) % k, PadTop: w % 4, PadBottom: w % 3}
				for g.Check() != nil {
					g.PadRight, g.PadBottom = g.PadRight+1, g.PadBottom+1
				}
				gs = append(gs, g)
			}
			// Whole blocks and then channels in two and in four lines, of 1 to 9 lines of output.
			for h := 1; h <= 9; h++ {
				g := square(1, h, 128+4*h, 128+4*h, k, 1, k/2, 128+4*h)
				g.StrideW, g.PadBottom = stride, k/2+h%2
				gs = append(gs, g)
			}
		}
	}
	return gs
}

func TestTail(t *testing.T) {
	for _, c := range []struct{ channels, lines, left, parts int }{
		{64, 9, 0, 1}, {128, 9, 0, 1}, {144, 9, 16, 4}, {144, 3, 16, 4}, {144, 2, 16, 2}, {144, 1, 0, 1}, {4, 5, 4, 4},
		{96, 2, 32, 2}, {96, 1, 0, 1}, {84, 8, 20, 2}, {100, 8, 0, 1}, {60, 8, 0, 1}, {32, 8, 32, 2}, {16, 8, 16, 4},
	} {
		g := square(1, c.lines, c.channels, c.channels, 3, 1, 1, c.channels)
		left, parts := tail(g)
		require.Equal(t, [2]int{c.left, c.parts}, [2]int{left, parts}, "%d channels, %d lines", c.channels, c.lines)
	}
}

// TestLanes demands that a block has each of its channels in the lanes where kernels of one, two and four lines read it.
func TestLanes(t *testing.T) {
	for c := 1; c <= 200; c++ {
		for b := range (c + lanesI8 - 1) / lanesI8 {
			rest := min(lanesI8, c-b*lanesI8)
			for i := range rest {
				for _, width := range []int{64, 32, 16} {
					for at := i; rest <= width && at < lanesI8; at += width {
						ch, ok := lane(c, b, at)
						require.True(t, ok, "%d channels: block %d lane %d", c, b, at)
						require.Equal(t, b*lanesI8+i, ch, "%d channels: block %d lane %d", c, b, at)
					}
				}
			}
		}
	}
}
