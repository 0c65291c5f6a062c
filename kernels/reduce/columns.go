package reduce

import (
	"math"
	"sync"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
)

// broad is how many columns are folded beside each other: two levels of sums of them stay in the first-level cache.
const broad = 512

// columns folds one axis whose elements stand in rows: row by row, many chains at a time, each in the order of
// numeric.Chain, or of one chain for extremes and products. It returns false, and does nothing, where the axes are of another
// form.
func columns(op Op, dst, src []float32, kept, folded Axes, lanes bool) bool {
	last := len(kept.N) - 1
	if last < 0 || len(folded.N) != 1 || kept.Step[last] != 1 || kept.N[last] < 8 {
		return false
	}
	switch op {
	case Max, Min, Prod:
	case Sum, Mean, SumSquare, L2:
		if lanes {
			return false
		}
	default:
		return false
	}
	outer := Axes{kept.N[:last], kept.Step[:last]}
	n := kept.N[last]
	for o := range outer.count() {
		base := outer.offset(o)
		for at := 0; at < n; at += broad {
			k := min(broad, n-at)
			foldRows(op, dst[o*n+at:][:k], src[min(base+at, len(src)):], folded.N[0], folded.Step[0])
		}
	}
	return true
}

// rooms are lent to foldRows: a local one would be allocated in every call, since it is handed to a function in a table.
var rooms = sync.Pool{New: func() any { return new([2 * broad]float32) }}

// joins are the folds that are one chain: how a row joins it, and what it starts from.
var joins = [...]struct {
	op    elementwise.Op2
	start float32
}{
	Max: {elementwise.Max, float32(math.Inf(-1))}, Min: {elementwise.Min, float32(math.Inf(1))}, Prod: {elementwise.Mul, 1},
}

// foldRows folds rows of len(dst) elements that begin step apart.
func foldRows(op Op, dst, src []float32, rows, step int) {
	if op == Max || op == Min || op == Prod {
		j := joins[op]
		for i := range dst {
			dst[i] = j.start
		}
		for i := range rows {
			elementwise.Row(j.op, dst, dst, src[i*step:][:len(dst)])
		}
		return
	}
	squares := op == SumSquare || op == L2
	sumRows(dst, src, rows, step, squares)
	switch op {
	case Mean:
		for i, v := range dst {
			dst[i] = numeric.Canon(v / float32(rows))
		}
	case L2:
		elementwise.Unary(elementwise.Sqrt, dst, dst, 0, 0)
	}
}

// sumRows sums rows, or their squares, of len(dst) elements that begin step apart, each column in the order of numeric.Chain.
func sumRows(dst, src []float32, rows, step int, squares bool) {
	k := len(dst)
	room := rooms.Get().(*[2 * broad]float32)
	defer rooms.Put(room)
	part, square := room[:k], room[broad:][:k]
	clear(part)
	clear(dst)
	for i := range rows {
		x := src[i*step:][:k]
		if squares {
			elementwise.Row(elementwise.Mul, square, x, x)
			x = square
		}
		elementwise.Row(elementwise.Add, part, part, x)
		if (i+1)%numeric.Run == 0 {
			elementwise.Row(elementwise.Add, dst, dst, part)
			clear(part)
		}
	}
	elementwise.Row(elementwise.Add, dst, dst, part)
}
