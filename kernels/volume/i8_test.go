package volume

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/numeric"
)

// TestConvI8IsExact compares with sums in the order of the definition, over groups, zero points, padding and dilation.
func TestConvI8IsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, group := range []int{1, 2} {
		w := Window{
			Batch: 2, C: 4, In: []int{4, 3, 5}, Out: []int{4, 2, 5}, Kernel: []int{3, 2, 3}, Stride: []int{1, 2, 1}, Dilation: []int{1, 1, 2},
			Before: []int{1, 1, 2}, After: []int{1, 0, 2},
		}.Count()
		oc, xZero := 6, uint8(7)
		weight, zeros, bias, mult := make([]int8, oc*w.C/group*w.Taps()), make([]int8, oc), make([]int32, oc), make([]float32, oc)
		for i := range weight {
			weight[i] = int8(r.IntN(256) - 128)
		}
		for i := range oc {
			zeros[i], bias[i], mult[i] = int8(r.IntN(9)-4), int32(r.IntN(2000)-1000), float32(r.Float64()*0.01)
		}
		src := make([]uint8, w.Batch*product(w.In)*w.C)
		for i := range src {
			src[i] = uint8(r.IntN(256))
		}
		rq := numeric.NewRequant(mult, 90)
		p, err := PackConvI8(weight, bias, zeros, oc, w.C, group, w.Taps())
		require.NoError(t, err)
		got := make([]uint8, w.Batch*product(w.Out)*oc)
		p.Run(got, src, &w, xZero, rq, make([]uint8, p.Scratch()))
		want := make([]uint8, len(got))
		for n := range w.Batch {
			for o := range product(w.Out) {
				for c := range oc {
					want[(n*product(w.Out)+o)*oc+c] = rq.At(bias[c]+sumAt(&w, src, weight, n, o, c, oc, group, xZero, zeros[c]), c)
				}
			}
		}
		require.Equal(t, want, got, "group %d", group)
	}
}

// sumAt is the sum of products of output o of sample n in channel c.
func sumAt(w *Window, src []uint8, weight []int8, n, o, c, oc, group int, xZero uint8, wZero int8) (sum int32) {
	cg := w.C / group
	first := c / (oc / group) * cg
	w.each(o, func(tap, at int, _ bool) {
		for k := range cg {
			if at >= 0 {
				x := int32(src[(n*product(w.In)+at)*w.C+first+k]) - int32(xZero)
				sum += x * (int32(weight[(c*cg+k)*w.Taps()+tap]) - int32(wZero))
			}
		}
	})
	return sum
}

// TestPackConvI8Refuses sizes that do not fit.
func TestPackConvI8Refuses(t *testing.T) {
	for _, c := range []struct{ weights, bias, zeros, oc, c, group, taps int }{
		{8, 2, 0, 2, 2, 1, 3}, {12, 1, 0, 2, 2, 1, 3}, {12, 2, 3, 2, 2, 1, 3}, {12, 2, 0, 2, 2, 0, 3}, {12, 2, 0, 2, 3, 2, 3},
	} {
		_, err := PackConvI8(make([]int8, c.weights), make([]int32, c.bias), make([]int8, c.zeros), c.oc, c.c, c.group, c.taps)
		require.Error(t, err, "%v", c)
	}
}
