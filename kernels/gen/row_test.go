package main

import (
	"testing"

	"github.com/mmcloughlin/avo/reg"
)

// TestRowsOfATileAreApart: each of the 14 rows that a tile may have is read at its number times the distance of rows; row 7 has a
// base of its own.
func TestRowsOfATileAreApart(t *testing.T) {
	base := map[reg.Register]int{rA0: 0, rA1: 7}
	step := map[reg.Register]int{rRow: 1, rRow3: 3, rRow5: 5}
	for r := range 14 {
		m := row(r)
		first, ok := base[m.Base]
		if !ok || m.Disp != 0 {
			t.Errorf("row %d is read at %v", r, m)
		}
		at := first
		if m.Index != nil {
			distance, ok := step[m.Index]
			if !ok || m.Scale != 1 && m.Scale != 2 && m.Scale != 4 && m.Scale != 8 {
				t.Errorf("row %d is read at %v", r, m)
			}
			at += distance * int(m.Scale)
		}
		if at != r {
			t.Errorf("row %d is read at %v, which is row %d", r, m, at)
		}
	}
}

// TestArgumentsAreRegistersOnce: what a tile keeps in general registers at one time does not share one, but for the two that two
// kinds of kernels use under two names.
func TestArgumentsAreRegistersOnce(t *testing.T) {
	seen := map[reg.Register]bool{}
	for _, r := range []reg.GPPhysical{rA0, rA1, rRow, rRow3, rRow5, rB, rB2, rK, rSegs, rNext, rDst, rDstRow} {
		if seen[r] {
			t.Errorf("%v serves twice", r)
		}
		seen[r] = true
	}
	for _, r := range []reg.GPPhysical{reg.RBP, reg.RSP, reg.R14, reg.R15} {
		if seen[r] {
			t.Errorf("%v belongs to Go", r)
		}
	}
}
