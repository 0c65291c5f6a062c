package reduce

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"assay/kernels/numeric"
	"assay/kernels/tier"

	"github.com/stretchr/testify/require"
)

type golden struct {
	Softmax []struct {
		Seed   uint32
		N      int
		Signed bool
		SX, SY float32
		ZY     int32
		Out    string
	}
	Folds []struct {
		Op   string
		Axes []int
		Out  string
	}
}

// load reads what ONNX Runtime computed; testdata/golden.py writes it.
func load(t *testing.T) golden {
	b, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(b, &g))
	require.NotEmpty(t, g.Softmax)
	require.NotEmpty(t, g.Folds)
	return g
}

// lcg is the generator of testdata/golden.py.
func lcg(seed uint32, n int) []uint8 {
	b := make([]uint8, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = uint8(seed >> 24)
	}
	return b
}

func TestQLinearSoftmaxIsONNXRuntimes(t *testing.T) {
	for i, c := range load(t).Softmax {
		t.Run(fmt.Sprintf("%d n %d", i, c.N), func(t *testing.T) {
			want, err := hex.DecodeString(c.Out)
			require.NoError(t, err)
			got := lcg(c.Seed, 4*c.N)
			s := NewQLinearSoftmax(c.SX, numeric.Affine{Scale: c.SY, Zero: c.ZY}, c.Signed, c.N)
			s.Run(got, got, 4, c.N, 1)
			require.Equal(t, want, got)
		})
	}
}

func TestFoldsAreCloseToONNXRuntimes(t *testing.T) {
	shape := []int{3, 5, 47}
	src := make([]float32, 3*5*47)
	for i, v := range lcg(9, len(src)) {
		src[i] = (float32(v) - 128) / 16
	}
	ops := map[string]Op{"Sum": Sum, "Mean": Mean, "Max": Max, "Min": Min, "SumSquare": SumSquare, "L1": L1, "L2": L2, "LogSumExp": LogSumExp}
	for _, c := range load(t).Folds {
		t.Run(fmt.Sprint(c.Op, c.Axes), func(t *testing.T) {
			raw, err := hex.DecodeString(c.Out)
			require.NoError(t, err)
			got := make([]float32, len(raw)/4)
			outer, n, inner := 3, 5, 47
			if c.Axes[0] == 2 {
				outer, n, inner = 15, 47, 1
			}
			switch c.Op {
			case "Softmax":
				Softmax(got, src, outer, n, inner, c.Axes[0] == 2)
			case "LogSoftmax":
				LogSoftmax(got, src, outer, n, inner, c.Axes[0] == 2)
			case "ArgMax", "ArgMax last", "ArgMin", "ArgMin last":
				at := make([]int64, len(got))
				if c.Op[:6] == "ArgMax" {
					ArgMax(at, src, outer, n, inner, len(c.Op) > 6)
				} else {
					ArgMin(at, src, outer, n, inner, len(c.Op) > 6)
				}
				for i, v := range at {
					got[i] = float32(v)
				}
			case "LayerNorm":
				scale, bias := make([]float32, 47), make([]float32, 47)
				for i := range scale {
					scale[i], bias[i] = float32(i)/10, -float32(i)/7
				}
				LayerNorm(got, src, 15, 47, scale, bias, 1e-5)
			default:
				kept, folded := axes(shape, c.Axes)
				Reduce(ops[c.Op], got, src, kept, folded, slices.Contains(c.Axes, 2))
			}
			for i, v := range got {
				want := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
				require.InDelta(t, want, v, 2e-6*max(1, math.Abs(float64(want))), "element %d", i)
			}
		})
	}
}

// axes splits a row-major tensor into kept and folded axes.
func axes(shape, fold []int) (kept, folded Axes) {
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		a := &kept
		if slices.Contains(fold, i) {
			a = &folded
		}
		a.N, a.Step = slices.Insert(a.N, 0, shape[i]), slices.Insert(a.Step, 0, step)
		step *= shape[i]
	}
	return kept, folded
}

// TestSumsFollowTheCanonicalOrder folds the same numbers in several memory orders: the bits follow logical order alone.
func TestSumsFollowTheCanonicalOrder(t *testing.T) {
	const h, w, c = 70, 67, 3
	first := make([]float32, h*w*c) // [c][h][w]
	for i, v := range lcg(3, len(first)) {
		first[i] = float32(v)*1.37e-3 + 1/float32(i+1)
	}
	last := make([]float32, len(first)) // [h][w][c]
	for k := range c {
		for p := range h * w {
			last[p*c+k] = first[k*h*w+p]
		}
	}
	got, want := make([]float32, c), make([]float32, c)
	for k := range want {
		want[k] = numeric.Sum(first[k*h*w:][:h*w])
	}
	Reduce(Sum, got, first, Axes{[]int{c}, []int{h * w}}, Axes{[]int{h, w}, []int{w, 1}}, true)
	require.Equal(t, want, got)
	Reduce(Sum, got, last, Axes{[]int{c}, []int{1}}, Axes{[]int{h, w}, []int{w * c, c}}, true)
	require.Equal(t, want, got)

	var chain numeric.Chain
	for _, v := range first {
		chain.Add(v)
	}
	Reduce(Sum, got[:1], last, Axes{}, Axes{[]int{c, h, w}, []int{1, w * c, c}}, false)
	require.Equal(t, chain.Sum(), got[0])
}

func TestFoldsOfNothingAndOfNaN(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	bits := func(op Op, x ...float32) uint32 {
		dst := make([]float32, 1)
		Reduce(op, dst, x, Axes{}, Axes{[]int{len(x)}, []int{1}}, true)
		return math.Float32bits(dst[0])
	}
	for _, c := range []struct {
		op   Op
		want float32
		x    []float32
	}{
		{Sum, 0, nil}, {Prod, 1, nil}, {Max, -inf, nil}, {Min, inf, nil}, {Mean, numeric.NaN(), nil}, {LogSumExp, -inf, nil},
		{Sum, numeric.NaN(), []float32{1, nan}}, {Max, numeric.NaN(), []float32{1, nan, 2}}, {Min, numeric.NaN(), []float32{-nan, 2}},
		{Sum, numeric.NaN(), []float32{inf, -inf}}, {LogSumExp, inf, []float32{inf, 3}}, {LogSumExp, -inf, []float32{-inf, -inf}}, {Prod, 24, []float32{2, 3, 4}},
		{LogSum, float32(math.Log(10)), []float32{4, 6}},
	} {
		require.Equal(t, math.Float32bits(c.want), bits(c.op, c.x...), "op %d of %v", c.op, c.x)
	}
	at := make([]int64, 1)
	ArgMax(at, []float32{1, nan, 5, nan}, 1, 4, 1, false)
	require.Equal(t, int64(1), at[0])
	ArgMax(at, []float32{3, 5, 5, 1}, 1, 4, 1, true)
	require.Equal(t, int64(2), at[0])
}

func TestSoftmaxOfExtremes(t *testing.T) {
	inf := float32(math.Inf(1))
	x := []float32{1000, 1000, -inf, 0}
	Softmax(x, x, 1, 4, 1, true)
	require.Equal(t, []float32{0.5, 0.5, 0, 0}, x)
	x = []float32{-inf, -inf}
	Softmax(x, x, 1, 2, 1, true)
	require.Equal(t, uint32(0x7fc00000), math.Float32bits(x[0]))
	require.NotPanics(t, func() { Softmax(nil, nil, 3, 0, 1, true) })
}

func TestRMSNorm(t *testing.T) {
	y := make([]float32, 2)
	RMSNorm(y, []float32{3, 4}, 1, 2, []float32{1, 2}, 0)
	require.InDelta(t, 3/math.Sqrt(12.5), y[0], 1e-6)
	require.InDelta(t, 8/math.Sqrt(12.5), y[1], 1e-6)
}

func TestRunsAllocateNothing(t *testing.T) {
	x, y := make([]float32, 1000), make([]float32, 1000)
	b := make([]uint8, 1000)
	s := NewQLinearSoftmax(0.1, numeric.Affine{Scale: 1. / 256}, false, 1000)
	kept, folded := axes([]int{10, 100}, []int{1})
	for name, f := range map[string]func(){
		"softmax": func() { Softmax(y, x, 1, 1000, 1, true) }, "log softmax": func() { LogSoftmax(y, x, 1, 1000, 1, true) },
		"layer norm": func() { LayerNorm(y, x, 1, 1000, x, x, 1) }, "integer": func() { s.Run(b, b, 1, 1000, 1) },
		"fold": func() { Reduce(Sum, y[:10], x, kept, folded, true) },
	} {
		require.Zero(t, testing.AllocsPerRun(10, f), name)
	}
}

// TestTiersAgreeOnRows compares softmax, normalisation and sums of the last axis of every tier with the plain one.
func TestTiersAgreeOnRows(t *testing.T) {
	for _, n := range []int{1, 7, 8, 33, 128, 197, 2100} {
		src, scale := make([]float32, 3*n), make([]float32, n)
		for i := range src {
			src[i] = float32(i%29)/4 - float32(i%7)
		}
		for i := range scale {
			scale[i] = float32(i%5) - 1.5
		}
		var want [][]float32
		for _, level := range tier.Supported() {
			undo := tier.Force(level)
			got := make([][]float32, 5)
			for i := range got {
				got[i] = make([]float32, 3*n)
			}
			Softmax(got[0], src, 3, n, 1, true)
			LayerNorm(got[1], src, 3, n, scale, scale, 1e-5)
			LayerNorm(got[2], src, 3, n, scale, nil, 1e-5)
			RMSNorm(got[3], src, 3, n, scale, 1e-5)
			Reduce(Mean, got[4], src, Axes{[]int{3}, []int{n}}, Axes{[]int{n}, []int{1}}, true)
			undo()
			if level == tier.Plain {
				want = got
			}
			require.Equal(t, want, got, "%s, %d", level, n)
		}
	}
}
