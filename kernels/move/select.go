package move

// Select writes a where cond is not 0 and b elsewhere: operator Where. shape is the output's, which lies without gaps; the steps
// of the operands are in elements along its axes, 0 where an operand repeats, and not negative. cond has a byte for each of its
// elements. Elements of 1, 2, 4, 8 or 16 bytes are copied with their bits.
func Select(size int, shape []int, dst, cond []byte, condStep []int, a []byte, aStep []int, b []byte, bStep []int) {
	var l selection
	if !l.merge(shape, condStep, aStep, bStep) {
		return
	}
	switch size {
	case 1:
		choose(&l, dst, cond, a, b)
	case 2:
		choose(&l, view[uint16](dst), cond, view[uint16](a), view[uint16](b))
	case 4:
		choose(&l, view[uint32](dst), cond, view[uint32](a), view[uint32](b))
	case 8:
		choose(&l, view[uint64](dst), cond, view[uint64](a), view[uint64](b))
	case 16:
		choose(&l, view[[2]uint64](dst), cond, view[[2]uint64](a), view[[2]uint64](b))
	}
}

// selection is a walk over an output with the steps of three operands, in as few axes as possible.
type selection struct {
	rank int
	n    [MaxRank]int
	step [3][MaxRank]int
}

// merge drops axes of one element and joins neighbours that all operands pass through with one step. It returns false when there
// is nothing to write.
func (l *selection) merge(shape []int, steps ...[]int) bool {
	for i, n := range shape {
		if n == 0 {
			return false
		}
		if n == 1 {
			continue
		}
		k := l.rank - 1
		joins := k >= 0
		for o := 0; joins && o < len(steps); o++ {
			joins = l.step[o][k] == steps[o][i]*n
		}
		if joins {
			l.n[k] *= n
		} else {
			k = l.rank
			l.n[k], l.rank = n, l.rank+1
		}
		for o := range steps {
			l.step[o][k] = steps[o][i]
		}
	}
	if l.rank == 0 {
		l.rank, l.n[0] = 1, 1
	}
	return true
}

// choose goes over the rows of the last axis.
func choose[T any](l *selection, dst []T, cond []byte, a, b []T) {
	var at [MaxRank]int
	var c, i, j int
	last := l.rank - 1
	n := l.n[last]
	for {
		chooseRow(dst[:n], cond[c:], a[i:], b[j:], l.step[0][last], l.step[1][last], l.step[2][last])
		dst = dst[n:]
		k := last - 1
		for ; k >= 0; k-- {
			c, i, j = c+l.step[0][k], i+l.step[1][k], j+l.step[2][k]
			if at[k]++; at[k] < l.n[k] {
				break
			}
			c, i, j = c-at[k]*l.step[0][k], i-at[k]*l.step[1][k], j-at[k]*l.step[2][k]
			at[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// chooseRow is one row, in the forms that masks have: a condition for each element or one for all, and sides that are rows or
// numbers.
func chooseRow[T any](dst []T, cond []byte, a, b []T, c, i, j int) {
	switch n := len(dst); {
	case c == 0 && cond[0] != 0:
		row(dst, 1, a, 0, i, n)
	case c == 0:
		row(dst, 1, b, 0, j, n)
	case c == 1 && i == 1 && j == 1:
		cond, a, b = cond[:n], a[:n], b[:n]
		for k := range dst {
			v := b[k]
			if cond[k] != 0 {
				v = a[k]
			}
			dst[k] = v
		}
	case c == 1 && i == 1 && j == 0:
		cond, a = cond[:n], a[:n]
		other := b[0]
		for k := range dst {
			v := other
			if cond[k] != 0 {
				v = a[k]
			}
			dst[k] = v
		}
	case c == 1 && i == 0 && j == 1:
		cond, b = cond[:n], b[:n]
		one := a[0]
		for k := range dst {
			v := b[k]
			if cond[k] != 0 {
				v = one
			}
			dst[k] = v
		}
	default:
		for k := range dst {
			if cond[k*c] != 0 {
				dst[k] = a[k*i]
			} else {
				dst[k] = b[k*j]
			}
		}
	}
}
