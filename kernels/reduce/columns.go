package reduce

import (
	"sync"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
)

// broad is how many columns are folded beside each other: two levels of sums of them stay in the first-level cache.
const broad = 512

// columns folds one axis whose elements stand in rows: row by row, many chains at a time, each in the order of
// numeric.Chain. It returns false, and does nothing, where the axes are of another form.
func columns(op Op, dst, src []float32, kept, folded Axes, lanes bool) bool {
	last := len(kept.N) - 1
	if lanes || last < 0 || len(folded.N) != 1 || kept.Step[last] != 1 || kept.N[last] < 8 || op != Sum && op != Mean {
		return false
	}
	outer := Axes{kept.N[:last], kept.Step[:last]}
	n := kept.N[last]
	for o := range outer.count() {
		base := outer.offset(o)
		for at := 0; at < n; at += broad {
			k := min(broad, n-at)
			foldRows(op, dst[o*n+at:][:k], src[base+at:], folded.N[0], folded.Step[0])
		}
	}
	return true
}

// rooms are lent to foldRows: a local one would be allocated in every call, since it is handed to a function in a table.
var rooms = sync.Pool{New: func() any { return new([broad]float32) }}

// foldRows sums rows of len(dst) elements that begin step apart.
func foldRows(op Op, dst, src []float32, rows, step int) {
	k := len(dst)
	room := rooms.Get().(*[broad]float32)
	defer rooms.Put(room)
	part := room[:k]
	clear(part)
	clear(dst)
	for i := range rows {
		elementwise.Row(elementwise.Add, part, part, src[i*step:][:k])
		if (i+1)%numeric.Run == 0 {
			elementwise.Row(elementwise.Add, dst, dst, part)
			clear(part)
		}
	}
	elementwise.Row(elementwise.Add, dst, dst, part)
	if op == Mean {
		for i, v := range dst {
			dst[i] = numeric.Canon(v / float32(rows))
		}
	}
}
