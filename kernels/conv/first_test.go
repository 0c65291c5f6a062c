package conv

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// firstGeometries are kernels of three short lines: pictures narrower and wider than the kernel, padding on all sides, more than the
// picture too, lines that lie apart, one band and several.
func firstGeometries() (gs []Geometry) {
	for w := range 12 {
		g := Geometry{Batch: 1 + w%2, H: 1 + (w*5)%13, W: w, C: 3, OC: 32 + w%3*16 + w%2, Group: 1, KH: 3, KW: 3, StrideH: 1 + w%2, StrideW: 1 + w%3,
			DilationH: 1 + w%2, DilationW: 1, PadLeft: w % 5, PadRight: (w + 2) % 5, PadTop: (w + 1) % 6, PadBottom: w % 4}
		for g.Check() != nil {
			g.PadRight, g.PadBottom = g.PadRight+1, g.PadBottom+1
		}
		gs = append(gs, g)
	}
	for i, c := range []int{1, 3, 5} {
		g := square(1, 21, c, 40, 3, 1+i%2, 1, 1)
		g.KW, g.PadLeft = []int{10, 3, 2}[i], []int{4, 1, 0}[i]
		gs = append(gs, g)
	}
	return append(gs, square(1, 70, 3, 32, 3, 1, 1, 1))
}

// TestFirstRowsSaveSteps: rows of 32 bytes are for kernels whose lines take more.
func TestFirstRowsSaveSteps(t *testing.T) {
	for _, g := range firstGeometries() {
		p, err := PackI8(g, make([]int8, g.OC*g.C*g.KH*g.KW), nil, nil)
		require.NoError(t, err)
		require.NotNil(t, p.first, "%+v", g)
		require.Greater(t, p.dense[0].Bytes(), p.first.Bytes())
	}
	for _, g := range []Geometry{square(1, 9, 4, 32, 3, 1, 1, 1), square(1, 9, 3, 31, 3, 1, 1, 1), square(1, 9, 3, 32, 5, 1, 1, 1), square(1, 9, 2, 32, 3, 1, 1, 1)} {
		p, err := PackI8(g, make([]int8, g.OC*g.C*g.KH*g.KW), nil, nil)
		require.NoError(t, err)
		require.Nil(t, p.first, "%+v", g)
	}
}
