package conv

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// lineGeometries has depthwise pictures of every width up to 33 for each line kernel, with pads that differ between the
// sides and whole and partial blocks of channels by turns.
func lineGeometries() (gs []Geometry) {
	channels := []int{16, 17, 31, 33, 48, 64, 65, 80, 127}
	for _, kw := range []int{3, 5} {
		for _, stride := range []int{1, 2} {
			for w := 1; w <= 33; w++ {
				c := channels[len(gs)%len(channels)]
				g := Geometry{Batch: 1, H: 1 + w%5, W: w, C: c, OC: c, Group: c, KH: 1 + w%5, KW: kw, StrideH: 1 + w%3, StrideW: stride,
					DilationH: 1 + w%2, DilationW: 1, PadLeft: w % kw, PadRight: (w + w/kw) % kw, PadTop: w % 4, PadBottom: w % 3}
				for g.Check() != nil {
					g.PadRight, g.PadBottom = g.PadRight+1, g.PadBottom+1
				}
				gs = append(gs, g)
			}
		}
	}
	// More padding than a group of pixels sees: columns that are all outside.
	wide := square(2, 3, 20, 20, 3, 1, 1, 20)
	wide.PadLeft, wide.PadRight = 40, 17
	unpadded := square(2, 31, 70, 70, 5, 2, 0, 70)
	return append(gs, wide, unpadded)
}

func TestPixelsOfGroup(t *testing.T) {
	for ow, want := range map[int]int{1: 1, 2: 2, 3: 3, 6: 3, 7: 7, 8: 8, 9: 5, 10: 10, 14: 14, 15: 8, 16: 8, 20: 10, 28: 14, 112: 14} {
		require.Equal(t, want, pixelsOfGroup(square(1, ow, 64, 64, 3, 1, 1, 64), 4), "width %d", ow)
	}
	for ow := 1; ow < 300; ow++ {
		p := pixelsOfGroup(square(1, ow, 64, 64, 3, 1, 1, 64), 4)
		require.LessOrEqual(t, p, ow)
		require.Contains(t, linePixels, p)
	}
}

// TestGroupsThatSeeMuchAreSmall: of kernels that move by two, and not where a line is one group.
func TestGroupsThatSeeMuchAreSmall(t *testing.T) {
	for _, c := range []struct{ hw, channels, k, stride, want int }{
		{112, 16, 3, 2, 14}, {112, 64, 3, 2, 8}, {112, 96, 3, 2, 7}, {56, 128, 3, 2, 4}, {28, 256, 3, 2, 4}, {56, 144, 5, 2, 4},
		{14, 576, 3, 2, 7}, {56, 128, 3, 1, 14}, {28, 960, 3, 1, 14},
	} {
		g := square(1, c.hw, c.channels, c.channels, c.k, c.stride, c.k/2, c.channels)
		require.Equal(t, c.want, pixelsOfGroup(g, 4), "%v", c)
	}
}

// TestLineGroups demands that the groups of a line cover each output, stay inside of it, and see what the geometry says.
func TestLineGroups(t *testing.T) {
	for _, g := range lineGeometries() {
		t.Run(fmt.Sprintf("%dx%d_s%d_p%d_%d", g.W, g.KW, g.StrideW, g.PadLeft, g.PadRight), func(t *testing.T) {
			ow := g.OutW()
			p := pixelsOfGroup(g, 4)
			groups := make([]int, groupInts*groupsOfLine(ow, p))
			lineGroups(g, p, 1, groups)
			covered := make([]bool, ow)
			for ; len(groups) > 0; groups = groups[groupInts:] {
				x := groups[1] / g.C
				for i := range p {
					covered[x+i] = true
				}
				require.Equal(t, x*g.StrideW-g.PadLeft, groups[0]/g.C)
				columns := (p-1)*g.StrideW + g.KW
				for j := range columns {
					c := x*g.StrideW - g.PadLeft + j
					require.Equal(t, c >= 0 && c < g.W, groups[2] == 0 || groups[2]>>j&1 == 1, "column %d", c)
				}
			}
			require.NotContains(t, covered, false)
		})
	}
}

// TestStays: 14 pixels that move by one see 16 columns in three lines, 48 places beside 14 outputs.
func TestStays(t *testing.T) {
	for _, c := range []struct {
		channels, pixels, stride int
		want                     bool
	}{
		{16, 14, 1, true}, {64, 14, 1, true},
		{128, 14, 1, false}, {128, 14, 2, false}, {128, 4, 2, true}, {128, 10, 1, true}, // 8 sets of 8
		{144, 14, 2, true}, {17, 14, 1, true}, {240, 14, 1, true}, // all sets
		{256, 4, 2, false}, {256, 4, 1, true}, {384, 2, 1, false}, {1024, 1, 1, false},
	} {
		g := square(1, 56, c.channels, c.channels, 3, c.stride, 1, c.channels)
		require.Equal(t, c.want, stays(g, c.pixels, 4), "%+v", c)
	}
}

// TestSeenLines has lines above, in and below a picture of five lines, and a dilated kernel.
func TestSeenLines(t *testing.T) {
	g := square(1, 5, 2, 2, 3, 2, 1, 2)
	in, pad := make([]float32, 5*5*2), make([]float32, 2)
	at := func(lines []*float32) (all []int) {
		for _, p := range lines {
			where := -1
			for y := range 5 {
				if p == &in[y*10] {
					where = y
				}
			}
			require.True(t, where >= 0 || p == &pad[0])
			all = append(all, where)
		}
		return all
	}
	lines := make([]*float32, 9)
	seenLines(g, in, pad, 0, lines)
	require.Equal(t, []int{-1, 0, 1, 1, 2, 3, 3, 4, -1}, at(lines))
	seenLines(g, in, pad, 2, lines[:6])
	require.Equal(t, []int{3, 4, -1, -1, -1, -1}, at(lines[:6]))
	g.DilationH, g.StrideH = 2, 1
	seenLines(g, in, pad, 0, lines[:3])
	require.Equal(t, []int{-1, 1, 3}, at(lines[:3]))
}
