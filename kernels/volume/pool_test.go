package volume

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// TestPoolsAreChainsOfEachChannel: whatever is folded beside each other, a window's mean and norm are the chain of one channel's
// elements, and its maximum the first of the largest.
func TestPoolsAreChainsOfEachChannel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, math.Float32frombits(0xffc00001)}
	for _, level := range tier.Supported() {
		undo := tier.Force(level)
		for _, c := range []int{1, 7, 8, wide + 9} {
			for _, kernel := range [][]int{{2, 2, 2}, {3, 3, 3}, {6, 5, 5}} { // the last has more taps than a run
				w := Window{
					Batch: 2, C: c, In: []int{7, 6, 5}, Kernel: kernel, Stride: []int{2, 1, 3}, Dilation: []int{1, 1, 1}, Before: []int{1, 0, 1}, After: []int{0, 1, 0},
				}
				for a := range w.In {
					w.Out = append(w.Out, (w.In[a]+w.Before[a]+w.After[a]-kernel[a])/w.Stride[a]+1)
				}
				w = w.Count()
				src := make([]float32, 2*7*6*5*c)
				for i := range src {
					if src[i] = float32(rng.NormFloat64()); rng.IntN(30) == 0 {
						src[i] = special[rng.IntN(len(special))]
					}
				}
				poolsAgree(t, &w, src)
			}
		}
		undo()
	}
}

// poolsAgree compares each pool with its definition, a window and a channel at a time.
func poolsAgree(t *testing.T, w *Window, src []float32) {
	size := w.Batch * w.outs * w.C
	got, at := make([]float32, size), make([]int64, size)
	order := []int{30, 5, 1}
	type folded struct {
		run  func()
		term func(float32) float32
		end  func(sum float32, inside, padded int) float32
	}
	abs := func(v float32) float32 { return float32(math.Abs(float64(v))) }
	for name, f := range map[string]folded{
		"mean":       {func() { Average(got, src, w, false) }, func(v float32) float32 { return v }, func(s float32, n, _ int) float32 { return s / float32(n) }},
		"padded":     {func() { Average(got, src, w, true) }, func(v float32) float32 { return v }, func(s float32, _, n int) float32 { return s / float32(n) }},
		"norm of 1":  {func() { Norm(got, src, w, 1) }, abs, func(s float32, _, _ int) float32 { return s }},
		"norm of 2":  {func() { Norm(got, src, w, 2) }, func(v float32) float32 { return float32(v * v) }, func(s float32, _, _ int) float32 { return float32(math.Sqrt(float64(s))) }},
		"norm of 3":  {func() { Norm(got, src, w, 3) }, func(v float32) float32 { return numeric.Pow(abs(v), 3) }, func(s float32, _, _ int) float32 { return numeric.Pow(s, 1./3) }},
		"the places": {func() { Max(got, at, src, w, order) }, nil, nil},
		"the most":   {func() { Max(got, nil, src, w, order) }, nil, nil},
	} {
		f.run()
		for i := range size {
			o, c := i/w.C, i%w.C
			n := o / w.outs
			var sum numeric.Chain
			inside, padded, best := 0, 0, -1
			element := func(p int) float32 { return src[(n*w.pixels+p)*w.C+c] }
			w.each(o%w.outs, func(_, p int, in bool) {
				if in {
					padded++
				}
				if p < 0 {
					return
				}
				v := element(p)
				if best < 0 || v > element(best) || v != v && element(best) == element(best) {
					best = p
				}
				if inside++; f.term != nil {
					sum.Add(f.term(v))
				}
			})
			want := element(best)
			if f.end != nil {
				want = numeric.Canon(f.end(sum.Sum(), inside, padded))
			}
			require.Equal(t, math.Float32bits(want), math.Float32bits(got[i]), "%s of %v over %d channels, element %d", name, w.Kernel, w.C, i)
			if name == "the places" {
				require.Equal(t, int64((n*w.C+c)*w.pixels+best), at[i])
			}
		}
	}
}
