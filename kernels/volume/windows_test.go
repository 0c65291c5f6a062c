package volume

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
)

// TestTapsLieWhereTheFormulaSays: o*Stride - Before + k*Dilation on each axis, -1 outside the data; inside counts the trailing padding
// that After names and nothing behind it.
func TestTapsLieWhereTheFormulaSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Window{Batch: 1, C: 1}
		for range rapid.IntRange(1, 3).Draw(t, "axes") {
			n := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
			w.In, w.Out, w.Kernel = append(w.In, n("in", 1, 5)), append(w.Out, n("out", 1, 4)), append(w.Kernel, n("kernel", 1, 3))
			w.Stride, w.Dilation = append(w.Stride, n("stride", 1, 3)), append(w.Dilation, n("dilation", 1, 2))
			w.Before, w.After = append(w.Before, n("before", 0, 2)), append(w.After, n("after", 0, 2))
		}
		w = w.Count()
		require.Equal(t, product(w.Kernel), w.Taps())
		for o := range product(w.Out) {
			seen := 0
			w.each(o, func(tap, at int, inside bool) {
				require.Equal(t, seen, tap)
				seen++
				wantAt, wantInside := 0, true
				place, k := o, tap
				for a := len(w.In) - 1; a >= 0; a-- { // from the last axis on, whose strides are the smallest
					p := place%w.Out[a]*w.Stride[a] - w.Before[a] + k%w.Kernel[a]*w.Dilation[a]
					place, k = place/w.Out[a], k/w.Kernel[a]
					wantInside = wantInside && p < w.In[a]+w.After[a]
					if p < 0 || p >= w.In[a] {
						wantAt = -1 << 40
					}
					wantAt += p * product(w.In[a+1:])
				}
				require.Equal(t, max(wantAt, -1), at)
				require.Equal(t, wantInside, inside)
			})
			require.Equal(t, w.taps, seen)
		}
	})
}

// TestManyWindowsAreCut: more outputs than are gathered at a time, and no multiple of them, into memory that ends with the last.
func TestManyWindowsAreCut(t *testing.T) {
	for _, n := range []int{1, rows - 1, rows, rows + 1, 2*rows + 5} {
		w := Window{
			Batch: 2, C: 2, In: []int{n + 2}, Out: []int{n}, Kernel: []int{3}, Stride: []int{1}, Dilation: []int{1}, Before: []int{0}, After: []int{0},
		}.Count()
		weight, bytes := noise(1, 5*2*3), make([]int8, 5*2*3)
		for i, v := range weight {
			bytes[i] = int8(v * 127)
		}
		src, bsrc := guard.Copy(t, noise(2, 2*(n+2)*2)), guard.Slice[uint8](t, 2*(n+2)*2)
		for i := range bsrc {
			bsrc[i] = uint8(i * 37)
		}
		p, err := PackConv(weight, nil, 5, 2, 1, 3)
		require.NoError(t, err)
		q, err := PackConvI8(bytes, nil, nil, 5, 2, 1, 3)
		require.NoError(t, err)
		dst, bdst := guard.Slice[float32](t, 2*n*5), guard.Slice[uint8](t, 2*n*5)
		rq := numeric.NewRequant([]float32{0.002}, 100)
		p.Run(dst, src, &w, numeric.Clamp{}, guard.Slice[float32](t, p.Scratch()))
		q.Run(bdst, bsrc, &w, 9, rq, guard.Slice[uint8](t, q.Scratch()))
		for i := range dst {
			sample, o, c := i/(n*5), i/5%n, i%5
			chain, sum := float32(0), int32(0)
			for tap := range 3 {
				for k := range 2 {
					at, by := (sample*(n+2)+o+tap)*2+k, (c*2+k)*3+tap
					chain = numeric.FMA32(src[at], weight[by], chain)
					sum += (int32(bsrc[at]) - 9) * int32(bytes[by])
				}
			}
			require.Equal(t, chain, dst[i], "%d windows, element %d", n, i)
			require.Equal(t, rq.At(sum, 0), bdst[i])
		}
	}
}

// deformed is one element of a gathered row by definition, in float64.
func deformed(src []float32, w *Window, n, c int, y, x float64) float64 {
	sum := 0.0
	for i := range w.In[0] {
		for j := range w.In[1] {
			sum += max(0, 1-math.Abs(y-float64(i))) * max(0, 1-math.Abs(x-float64(j))) * float64(src[((n*w.In[0]+i)*w.In[1]+j)*w.C+c])
		}
	}
	return sum
}

// TestDeformIsItsDefinition: groups of the convolution and groups of offsets cut the channels differently; taps lie between elements,
// beside the image by less than one, and beyond.
func TestDeformIsItsDefinition(t *testing.T) {
	const oc, group, groups = 6, 2, 4
	w := Window{
		Batch: 2, C: 8, In: []int{4, 5}, Out: []int{3, 3}, Kernel: []int{2, 3}, Stride: []int{1, 2}, Dilation: []int{2, 1}, Before: []int{1, 1}, After: []int{1, 1},
	}.Count()
	weight, bias := noise(1, oc*w.C/group*w.taps), noise(2, oc)
	src, mask, offset := noise(3, w.Batch*20*w.C), noise(4, w.Batch*groups*w.taps*w.outs), noise(5, w.Batch*groups*w.taps*2*w.outs)
	for i := range offset {
		offset[i] *= 2
	}
	p, err := PackConv(weight, bias, oc, w.C, group, w.taps)
	require.NoError(t, err)
	for _, masked := range []bool{false, true} {
		used := mask
		if !masked {
			used = nil
		}
		dst := make([]float32, w.Batch*w.outs*oc)
		p.Deform(dst, src, offset, used, groups, &w, make([]float32, p.Scratch()))
		for i, got := range dst {
			n, o, k := i/(w.outs*oc), i/oc%w.outs, i%oc
			want := float64(bias[k])
			for tap := range w.taps {
				for c := range w.C / group {
					channel := k/(oc/group)*(w.C/group) + c
					at := (n*groups+channel/(w.C/groups))*w.taps + tap
					y := float64(o/3-1+tap/3*2) + float64(offset[2*at*w.outs+o])
					x := float64(o%3*2-1+tap%3) + float64(offset[(2*at+1)*w.outs+o])
					v := deformed(src, &w, n, channel, y, x)
					if masked {
						v *= float64(mask[at*w.outs+o])
					}
					want += v * float64(weight[(k*(w.C/group)+c)*w.taps+tap])
				}
			}
			require.InDelta(t, want, got, 1e-5, "masked %v, element %d", masked, i)
		}
	}
	require.Zero(t, w.between(src, float32(math.NaN()), 1))
}

// TestSpreadDropsWhatFallsOutside, in front and behind, on each axis.
func TestSpreadDropsWhatFallsOutside(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		in, stuffed := []int{1 + rng.IntN(4), 1 + rng.IntN(4)}, []int{1 + rng.IntN(8), 1 + rng.IntN(8)}
		stride, first := []int{1 + rng.IntN(3), 1 + rng.IntN(3)}, []int{rng.IntN(7) - 4, rng.IntN(7) - 4}
		src, dst := noise(rng.Uint64(), product(in)*2), noise(1, product(stuffed)*2)
		want := make([]float32, len(dst))
		for i, v := range src {
			y, x := first[0]+i/2/in[1]*stride[0], first[1]+i/2%in[1]*stride[1]
			if y >= 0 && y < stuffed[0] && x >= 0 && x < stuffed[1] {
				want[(y*stuffed[1]+x)*2+i%2] = v
			}
		}
		Spread(dst, src, in, stuffed, stride, first, 2)
		require.Equal(t, want, dst, "%v to %v by %v from %v", in, stuffed, stride, first)
	}
}

// TestMaxKeepsPatterns: the first of equal zeros stays with its sign, and the first NaN with its bits; integers have neither.
func TestMaxKeepsPatterns(t *testing.T) {
	odd, minus := math.Float32frombits(0xffc12345), float32(math.Copysign(0, -1))
	w := Window{Batch: 1, C: 1, In: []int{4}, Out: []int{1}, Kernel: []int{4}, Stride: []int{1}, Dilation: []int{1}, Before: []int{0}, After: []int{0}}.Count()
	for _, c := range []struct {
		src   []float32
		want  uint32
		place int64
	}{
		{[]float32{-1, minus, 0, -2}, 0x80000000, 1}, {[]float32{0, minus, 0, 0}, 0, 0}, {[]float32{1, odd, 5, float32(math.NaN())}, 0xffc12345, 1},
	} {
		dst, at := make([]float32, 1), make([]int64, 1)
		Max(dst, at, c.src, &w, []int{1})
		require.Equal(t, c.want, math.Float32bits(dst[0]), "%v", c.src)
		require.Equal(t, c.place, at[0])
	}
	dst, at := make([]int8, 1), make([]int64, 1)
	Max(dst, at, []int8{-128, -3, 7, 7}, &w, []int{1})
	require.Equal(t, int8(7), dst[0])
	require.Equal(t, int64(2), at[0])
}
