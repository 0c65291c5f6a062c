package op

import (
	"math"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
	"assay/kernels/pool"
)

// Peak is the kernel of a GlobalMaxPool, of batch pictures with so many pixels and channels, behind a kernel of Tables: the maximum over all
// pixels of a function of a byte. A function that first falls and then rises, as Swish and GELU do, takes it at the least or at the greatest
// byte that there is, so that two maxima of bytes and two entries of a table stand for all elements:
//
//	max over q in S of t[q] = max(t[min S], t[max S])    if t does not rise up to some byte, and does not fall from it on
//
// ok is false if k is no kernel of Tables of that many channels or some function is not of that kind, or gives NaN. The bits are those of the
// two kernels.
func Peak(k Kernel, batch, pixels, channels int) (peak Kernel, ok bool) {
	t := k.tables
	if len(t) != channels || pixels == 0 {
		return Kernel{}, false
	}
	for c := range t {
		if !valley(&t[c]) {
			return Kernel{}, false
		}
	}
	w := pool.Window{Batch: 1, H: 1, W: pixels, C: channels, KH: 1, KW: pixels, StrideH: 1, StrideW: 1, OutH: 1, OutW: 1}
	all := pixels * channels
	return Kernel{Alias: -1, Scratch: all + 2*channels, Run: func(c *Call) {
		turned, high, low := c.Scratch[:all], c.Scratch[all:all+channels], c.Scratch[all+channels:all+2*channels]
		for n := range batch {
			src, dst := c.In[0][n*all:][:all], view[float32](c.Out[0])[n*channels:][:channels]
			pool.MaxU8(high, src, w)
			elementwise.Lookup(turned, src, &turn)
			pool.MaxU8(low, turned, w)
			for i := range dst {
				dst[i] = numeric.Max(math.Float32frombits(t[i][high[i]]), math.Float32frombits(t[i][turn[low[i]]]))
			}
		}
	}}, true
}

// turn makes the least byte the greatest, and itself undone.
var turn = func() (t [256]uint8) {
	for i := range t {
		t[i] = uint8(255 - i)
	}
	return t
}()

// valley says that t first does not rise and then does not fall, as maxima order numbers: +0 is larger than -0. It has no NaN.
func valley(t *[256]uint32) bool {
	rising := false
	for i, v := range t {
		if x := math.Float32frombits(v); x != x {
			return false
		}
		if i == 0 || v == t[i-1] {
			continue
		}
		up := inOrder(v) > inOrder(t[i-1])
		if rising && !up {
			return false
		}
		rising = up
	}
	return true
}

// inOrder maps the bits of numbers to integers in their order.
func inOrder(bits uint32) int32 { return int32(bits) ^ int32(bits)>>31&math.MaxInt32 }
