package volume

import (
	"math"
	"math/rand/v2"
	"testing"

	"assay/kernels/numeric"

	"github.com/stretchr/testify/require"
)

// window is a geometry of three axes with every number different.
func window() Window {
	return Window{
		Batch: 2, C: 4, In: []int{5, 4, 6}, Kernel: []int{3, 2, 2}, Stride: []int{2, 1, 3}, Dilation: []int{1, 2, 1},
		Before: []int{1, 0, 1}, After: []int{1, 1, 0}, Out: []int{3, 3, 2},
	}.Count()
}

func noise(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, n)
	for i := range v {
		v[i] = r.Float32()*2 - 1
	}
	return v
}

// reads lists what a window sees by the formula of its position, padding as -1.
func reads(w *Window, o [3]int) (at []int) {
	for a := range w.Kernel[0] {
		for b := range w.Kernel[1] {
			for c := range w.Kernel[2] {
				y, flat := [3]int{a, b, c}, 0
				for i, k := range y {
					p := o[i]*w.Stride[i] - w.Before[i] + k*w.Dilation[i]
					if p < 0 || p >= w.In[i] || flat < 0 {
						flat = -1
						continue
					}
					flat = flat*w.In[i] + p
				}
				at = append(at, flat)
			}
		}
	}
	return at
}

// TestConvIsOneChain: each output is a chain of fused multiply-adds from the bias over taps and then channels, groups apart.
func TestConvIsOneChain(t *testing.T) {
	w := window()
	const oc, group = 6, 2
	weight, bias := noise(1, oc*2*w.Taps()), noise(2, oc)
	src := noise(3, w.Batch*120*w.C)
	p, err := PackConv(weight, bias, oc, w.C, group, w.Taps())
	require.NoError(t, err)
	dst := make([]float32, w.Batch*18*oc)
	p.Run(dst, src, &w, numeric.Clamp{}, make([]float32, p.Scratch()))
	for n := range w.Batch {
		for o := range 18 {
			at := reads(&w, [3]int{o / 6, o / 2 % 3, o % 2})
			for k := range oc {
				want := bias[k]
				for tap, from := range at {
					for c := range 2 {
						v := float32(0)
						if from >= 0 {
							v = src[(n*120+from)*w.C+k/3*2+c]
						}
						want = numeric.FMA32(v, weight[(k*2+c)*w.Taps()+tap], want)
					}
				}
				require.Equal(t, want, dst[(n*18+o)*oc+k], "sample %d, output %d, channel %d", n, o, k)
			}
		}
	}
	_, err = PackConv(weight[1:], bias, oc, w.C, group, w.Taps())
	require.Error(t, err)
}

// TestPoolsFollowTheirWindows compares maxima, places, means and norms with what the windows read.
func TestPoolsFollowTheirWindows(t *testing.T) {
	w := window()
	src := noise(4, w.Batch*120*w.C)
	n := w.Batch * 18 * w.C
	top, mean, norm, at := make([]float32, n), make([]float32, n), make([]float32, n), make([]int64, n)
	Max(top, at, src, &w, []int{24, 6, 1})
	Average(mean, src, &w, false)
	Norm(norm, src, &w, 2)
	for i := range n {
		sample, o, c := i/(18*w.C), i/w.C%18, i%w.C
		best, sum, squares, count := math.Inf(-1), 0.0, 0.0, 0.0
		place := int64(-1)
		for _, from := range reads(&w, [3]int{o / 6, o / 2 % 3, o % 2}) {
			if from < 0 {
				continue
			}
			v := float64(src[(sample*120+from)*w.C+c])
			if v > best {
				best, place = v, int64((sample*w.C+c)*120+from)
			}
			sum, squares, count = sum+v, squares+v*v, count+1
		}
		require.Equal(t, float32(best), top[i])
		require.Equal(t, place, at[i])
		require.InDelta(t, sum/count, mean[i], 1e-6)
		require.InDelta(t, math.Sqrt(squares), norm[i], 1e-6)
	}
}

// TestTransposedIsTheAdjoint: <conv(x), y> = <x, transposed(y)> for a convolution without bias.
func TestTransposedIsTheAdjoint(t *testing.T) {
	in, kernel, stride := []int{4, 5}, []int{3, 2}, []int{2, 1}
	out := []int{1, 4}
	w := Window{Batch: 1, C: 2, In: in, Kernel: kernel, Stride: stride, Dilation: []int{1, 1}, Before: []int{0, 0}, After: []int{0, 0}, Out: out}.Count()
	weight := noise(5, 3*2*6) // [3][2][3][2]
	p, err := PackConv(weight, nil, 3, 2, 1, 6)
	require.NoError(t, err)
	x, y := noise(6, 20*2), noise(7, 4*3)
	forward := make([]float32, 4*3)
	p.Run(forward, x, &w, numeric.Clamp{}, make([]float32, p.Scratch()))
	stuffed := []int{in[0] + kernel[0] - 1, in[1] + kernel[1] - 1}
	spread := make([]float32, stuffed[0]*stuffed[1]*3)
	Spread(spread, y, out, stuffed, stride, []int{kernel[0] - 1, kernel[1] - 1}, 3)
	back := Window{Batch: 1, C: 3, In: stuffed, Kernel: kernel, Stride: []int{1, 1}, Dilation: []int{1, 1}, Before: []int{0, 0}, After: []int{0, 0}, Out: in}.Count()
	q, err := PackConv(Turned(weight, 3, 2, 1, 6), nil, 2, 3, 1, 6)
	require.NoError(t, err)
	backward := make([]float32, 20*2)
	q.Run(backward, spread, &back, numeric.Clamp{}, make([]float32, q.Scratch()))
	dot := func(a, b []float32) (s float64) {
		for i, v := range a {
			s += float64(v) * float64(b[i])
		}
		return s
	}
	require.InDelta(t, dot(forward, y), dot(x, backward), 1e-5)
}

// TestDeformWithoutOffsetsIsConv: whole offsets of zero leave a plain convolution; a mask of 0 leaves the bias.
func TestDeformWithoutOffsetsIsConv(t *testing.T) {
	w := Window{Batch: 2, C: 2, In: []int{5, 6}, Kernel: []int{2, 3}, Stride: []int{1, 2}, Dilation: []int{2, 1}, Before: []int{1, 0}, After: []int{0, 1}, Out: []int{4, 3}}.Count()
	bias := noise(8, 3)
	p, err := PackConv(noise(9, 3*2*6), bias, 3, 2, 1, 6)
	require.NoError(t, err)
	src, want, got := noise(10, 2*30*2), make([]float32, 2*12*3), make([]float32, 2*12*3)
	scratch := make([]float32, p.Scratch())
	p.Run(want, src, &w, numeric.Clamp{}, scratch)
	p.Deform(got, src, make([]float32, 2*12*12), nil, 1, &w, scratch)
	require.Equal(t, want, got)
	p.Deform(got, src, noise(11, 2*12*12), make([]float32, 2*6*12), 1, &w, scratch)
	for i, v := range got {
		require.Equal(t, bias[i%3], v)
	}
}

// TestPatchesAddUp: what every window reads, added up, counts the windows over each pixel.
func TestPatchesAddUp(t *testing.T) {
	w := window()
	patches := make([]float32, w.Taps()*18)
	for i := range patches {
		patches[i] = 1
	}
	dst, want := make([]float32, 120), make([]float32, 120)
	w.AddPatches(dst, patches)
	for o := range 18 {
		for _, at := range reads(&w, [3]int{o / 6, o / 2 % 3, o % 2}) {
			if at >= 0 {
				want[at]++
			}
		}
	}
	require.Equal(t, want, dst)
}
