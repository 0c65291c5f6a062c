package volume

// Spread writes src [in...][c] of one sample into dst [stuffed...][c], elements stride apart from position first on, which may be
// negative, along each axis, zeros between and around; what falls outside dst is dropped. A transposed convolution is a
// convolution of stride 1 over this with the kernel turned around.
func Spread(dst, src []float32, in, stuffed, stride, first []int, c int) {
	clear(dst)
	for i := range product(in) {
		place, off, ok := index(i, in), 0, true
		for a, n := range stuffed {
			p := first[a] + place[a]*stride[a]
			ok = ok && p >= 0 && p < n
			off = off*n + p
		}
		if ok {
			copy(dst[off*c:(off+1)*c], src[i*c:])
		}
	}
}

// Turned returns the weights [oc][c/group][kernel...], newly allocated, of the convolution that a transposed one with weights
// [c][oc/group][kernel...] of taps elements under the kernel is over spread data. group divides c and oc.
func Turned(weight []float32, c, oc, group, taps int) []float32 {
	out := make([]float32, len(weight))
	cg, og := c/group, oc/group
	for q := range group {
		for o := range og {
			for i := range cg {
				for k := range taps {
					out[((q*og+o)*cg+i)*taps+k] = weight[((q*cg+i)*og+o)*taps+taps-1-k]
				}
			}
		}
	}
	return out
}

// AddPatches adds patches [taps][outputs] of one channel of one sample to an image [In...], each where the window of w reads it,
// outputs outermost: ONNX's Col2Im. What falls into the padding is dropped. NaN keeps the pattern that addition gives it.
func (w *Window) AddPatches(dst, patches []float32) {
	for o := range w.outs {
		place := index(o, w.Out)
		for k := range w.taps {
			tap := index(k, w.Kernel)
			if at, _ := w.pixel(&place, &tap); at >= 0 {
				dst[at] += patches[k*w.outs+o]
			}
		}
	}
}
