package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// columnsOf is a graph in which convolutions of x, some of them grouped, meet in a Concat; what comes after them is in tail.
func columnsOf(r *rand.Rand, head, tail string, channels ...int) string {
	var s strings.Builder
	fmt.Fprintf(&s, "input x: float32[n,6,9,8]\n%s", head)
	var names []string
	for i, c := range channels {
		k, group := 1+2*(i%2), 1
		if i == 2 {
			group = 2
		}
		w := make([]string, c*6/group*k*k)
		for j := range w {
			w[j] = fmt.Sprintf("%.3f", r.NormFloat64())
		}
		fmt.Fprintf(&s, "w%d: float32[%d,%d,%d,%d] = const [%s]\n", i, c, 6/group, k, k, strings.Join(w, ", "))
		fmt.Fprintf(&s, "c%d = Conv(x, w%d) {pads=[%d, %d, %d, %d], group=%d}\n", i, i, k/2, k/2, k/2, k/2, group)
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return s.String() + strings.ReplaceAll(tail, "ALL", strings.Join(names, ", "))
}

// TestConvolutionsWriteTheirColumns compares steps that write columns of a Concat with kernels that run one by one.
func TestConvolutionsWriteTheirColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for name, c := range map[string]struct {
		head, tail string
		channels   []int
		saved      int64
	}{
		"two":                     {"", "y = Concat(ALL) {axis=1}\noutput y\n", []int{16, 16}, 2},
		"odd widths and a group":  {"", "y = Concat(ALL) {axis=1}\noutput y\n", []int{5, 1, 18, 33}, 4},
		"an axis from the end":    {"", "y = Concat(ALL) {axis=-3}\noutput y\n", []int{4, 7}, 2},
		"one":                     {"", "y = Concat(ALL) {axis=1}\noutput y\n", []int{10}, 1},
		"lines":                   {"", "y = Concat(ALL) {axis=2}\noutput y\n", []int{8, 8}, 0},
		"samples":                 {"", "y = Concat(ALL) {axis=0}\noutput y\n", []int{8, 8}, 0},
		"one branch is an output": {"", "y = Concat(ALL) {axis=1}\noutput y\noutput c1\n", []int{8, 8}, 0},
		"one branch is read":      {"", "a = Concat(ALL) {axis=1}\nb = MaxPool(c0) {kernel_shape=[2, 2]}\noutput a\noutput b\n", []int{8, 8}, 0},
		"one branch twice":        {"", "y = Concat(ALL, c0) {axis=1}\noutput y\n", []int{8, 8}, 0},
		"one branch is the input": {"", "y = Concat(ALL, x) {axis=1}\noutput y\n", []int{8, 8}, 0},
		"one branch is constant":  {"k: float32[1,1,9,8] = const [" + strings.Repeat("1, ", 71) + "1]\n", "y = Concat(ALL, k) {axis=1}\noutput y\n", []int{8, 8}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse(columnsOf(r, c.head, c.tail, c.channels...))
			require.NoError(t, err)
			batch := 3
			if strings.Contains(name, "constant") {
				batch = 1
			}
			x := tensor.New(tensor.Float32, batch, 6, 9, 8)
			for i := range x.F32() {
				x.F32()[i] = float32(r.NormFloat64())
			}
			joined, apart := together(t, m, map[string]*tensor.Tensor{"x": x})
			require.Equal(t, c.saved, apart-joined)
		})
	}
}
