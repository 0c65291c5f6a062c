package op

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEinsumProductsAreTheChains: equations that are stacks of matrix products, in any order of their labels, give the bits of the
// form that goes an element at a time.
func TestEinsumProductsAreTheChains(t *testing.T) {
	for _, c := range []struct {
		x, y, equation string
		product        bool
	}{
		{"2,3,20", "2,20,17", "bij,bjk->bik", true},
		{"2,3,20", "2,17,20", "bij,bkj->bik", true},
		{"2,3,20", "17,20", "bij,kj->bik", true},
		{"2,3,20", "17,20", "bij,kj->kbi", true},
		{"17,20", "2,3,20", "kj,bij->bki", true},
		{"2,5,4,16", "2,7,4,16", "bqhd,bkhd->bhqk", true},
		{"2,4,5,7", "2,7,4,16", "bhqk,bkhd->bqhd", true},
		{"6,8,9", "8,9,12", "ijk,jkl->il", true},
		{"1,3,20", "2,20,17", "bij,bjk->bik", true},
		{"6,1,9", "8,9,12", "ijk,jkl->il", true},
		{"5,5,20", "20,12", "iij,jk->ik", true},
		{"2,3,20", "2,20,17", "...ij,...jk->...ik", true},
		{"40", "40", "i,j->ij", true},
		{"3,3", "3,3", "ij,jk->ik", false},
		{"1,400", "400,1", "ij,jk->ik", false},
		{"2000", "2000", "i,i->", false},
		{"30,40", "30,40", "ij,ij->ij", false},
	} {
		t.Run(c.equation+" of "+c.x, func(t *testing.T) {
			n, in := parseCase(t, "x: float32["+c.x+"]; y: float32["+c.y+"]", "Einsum(x, y) {equation=\""+c.equation+"\"}")
			in[0].F32()[1], in[1].F32()[2] = float32(math.Inf(1)), float32(math.Copysign(0, -1))
			w, ok := lower(t, n, in, Logical, 3)
			require.True(t, ok)
			e, err := equationOf(w.l.argsInfer())
			require.NoError(t, err)
			_, found := productOfEinsum(&e)
			require.Equal(t, c.product, found)
			w.k.Run(w.c)
			got := append([]byte{}, w.c.Out[0]...)
			ops := make([]operand, 2)
			for i := range ops {
				ops[i], err = w.l.operand(i, Logical)
				require.NoError(t, err)
			}
			e.fused(ops).Run(w.c)
			require.Equal(t, w.c.Out[0], got)
		})
	}
}
