package op

import "assay/shared/tensor"

// integerPatches gathers what the kernel of a ConvInteger sees into rows and multiplies those by the weights.
type integerPatches struct {
	window
	image, kernel        []int // spatial sizes of data and weights
	spatial, taps, out   int   // products of those and of the output's
	channels, oc, groups int   // of one group of data, of one group of the output
}

// fastConvInteger runs on the integer kernels where weights and their zero points are constants. Rows of 64 output
// positions are gathered into a patch matrix [64][channels*taps], multiplied by the group's weights, and stored
// transposed, as the operator's output is channels-first. Scratch holds the patches, their int32 sums and the room of a
// product. ok is false where the plain loops have to do it; that is no error.
func (l *Lower) fastConvInteger(w window, group int, p integerPair) (k Kernel, ok bool, err error) {
	data, weight := l.In[0].Shape, l.In[1].Shape
	v, zero, packed := l.packed()
	g := integerPatches{
		window: w, image: data[2:], kernel: weight[2:], spatial: tensor.Count(data[2:]), taps: tensor.Count(weight[2:]), out: tensor.Count(w.out),
		channels: weight[1], oc: weight[0] / group, groups: group,
	}
	depth := g.channels * g.taps
	if !packed || depth == 0 || g.oc == 0 {
		return Kernel{}, false, nil
	}
	var sums []*sumsI8
	for i := range group {
		s, err := pack(l.Packs, packKey(l.Packs, "conv.sums", []int{group, i}, l.In[1].Const, l.zerosOf()), func() (*sumsI8, error) {
			of := zero
			if len(zero) > 1 {
				of = zero[i*g.oc:][:g.oc]
			}
			return packSums(exchanged(v[i*g.oc*depth:][:g.oc*depth], g.oc, depth), depth, g.oc, of), nil
		})
		if err != nil {
			return Kernel{}, false, err
		}
		sums = append(sums, s)
	}
	signed := l.In[0].DType == tensor.Int8
	patches, results := spaced(exactRows*depth), spaced(4*exactRows*g.oc)
	return Kernel{Alias: -1, Scratch: patches + results + sums[0].room(), Run: func(c *Call) {
		x, y, zero := p.a.bytes(c), view[int32](c.Out[0]), p.unsignedZero(c, signed)
		rows, acc, room := c.Scratch[:patches], view[int32](c.Scratch[patches:][:4*exactRows*g.oc]), c.Scratch[patches+results:]
		for i := range data[0] * group {
			from, to := x[i*g.channels*g.spatial:], y[i*g.oc*g.out:]
			for first := 0; first < g.out; first += exactRows {
				m := min(exactRows, g.out-first)
				g.gather(rows, from, first, m, zero, signed)
				sums[i%group].run(acc[:m*g.oc], rows, m, zero, nil, false, 0, room)
				for r := range m {
					for o := range g.oc {
						to[o*g.out+first+r] = acc[r*g.oc+o]
					}
				}
			}
		}
	}}, true, nil
}

// gather fills m rows with what positions first and following read, as unsigned bytes; padding is the zero point. The
// order within a row is channel outside, tap inside: that of ONNX's weight [OC][C][taps], so exchanged weights need no
// other permutation. Signed bytes have their sign bit flipped, which adds 128 to value and zero point alike and leaves
// every difference as it is.
func (g *integerPatches) gather(rows, x []byte, first, m int, zero uint8, signed bool) {
	flip := truth(signed) << 7
	for r := range m {
		row := rows[r*g.channels*g.taps:][:g.channels*g.taps]
		for tap := range g.taps {
			from, ok := g.source(first+r, tap, g.image, g.kernel)
			for ch := range g.channels {
				if ok {
					row[ch*g.taps+tap] = x[ch*g.spatial+from] ^ flip
				} else {
					row[ch*g.taps+tap] = zero
				}
			}
		}
	}
}

// exchanged is w, rows of columns, with rows and columns exchanged.
func exchanged(w []int8, rows, columns int) []int8 {
	out := make([]int8, len(w))
	for r := range rows {
		for c := range columns {
			out[c*rows+r] = w[r*columns+c]
		}
	}
	return out
}
