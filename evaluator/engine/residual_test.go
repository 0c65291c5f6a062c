package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// eachTier runs f on every tier but the plain one, which would take minutes.
func eachTier(t *testing.T, f func(t *testing.T)) {
	for _, tr := range tier.Supported() {
		if tr != tier.Plain {
			t.Run(tr.String(), func(t *testing.T) {
				defer tier.Force(tr)()
				f(t)
			})
		}
	}
}

// residuals is a random network of convolutions that keep the shape of their input, each followed by element-wise operators
// whose other operands are values from anywhere before it, the convolution's own input among them, or smaller ones.
func residuals(r *rand.Rand, n, channels, side int) *graph.Model {
	b := &builder{g: &graph.Graph{Consts: map[string]*tensor.Tensor{}, Types: map[string]graph.Type{}}, r: r}
	b.g.Inputs = []graph.Port{{Name: "x", Type: graph.FixedType(tensor.Float32, n, channels, side, side)}}
	b.constant("channel", tensor.Of(tensor.Float32, []int{channels, 1, 1}, b.g.Consts[b.bias("one", channels)].F32()))
	b.constant("half", scalar(0.5))
	line := tensor.New(tensor.Float32, side, side)
	for i, f := 0, line.F32(); i < len(f); i++ {
		f[i] = r.Float32()
	}
	full, small := []string{"x"}, []string{"channel", "half", b.constant("pixels", line)}
	for i := range 2 + r.IntN(3) {
		group := []int{1, 2, channels}[r.IntN(3)]
		k := 1 + 2*r.IntN(2)
		shape := []int{channels, channels / group, k, k}
		name := fmt.Sprintf("c%d", i)
		attrs := []graph.Attr{integer("group", int64(group)), ints("pads", int64(k/2), int64(k/2), int64(k/2), int64(k/2))}
		w := b.weights(name+".w", shape, 0, shape[1]*k*k, true)
		y := b.node("Conv", name, attrs, full[r.IntN(len(full))], w, b.bias(name+".b", channels))
		if r.IntN(4) == 0 {
			small = append(small, b.node("GlobalAveragePool", name+".mean", nil, y))
		}
		for j := range r.IntN(4) {
			e := fmt.Sprintf("%s.%d", name, j)
			other := full[r.IntN(len(full))]
			if r.IntN(3) == 0 {
				other = small[r.IntN(len(small))]
			}
			switch r.IntN(5) {
			case 0:
				y = b.node([]string{"Relu", "Sigmoid", "Neg", "HardSwish"}[r.IntN(4)], e, nil, y)
			case 1:
				y = b.node("Mul", e, nil, y, b.node("Sigmoid", e+".s", nil, y))
			case 2:
				y = b.node("Sub", e, nil, other, y)
			default:
				y = b.node([]string{"Add", "Mul", "Max"}[r.IntN(3)], e, nil, y, other)
			}
		}
		full = append(full, y)
	}
	b.g.Outputs = []graph.Port{{Name: full[len(full)-1]}}
	if extra := full[len(full)-2]; extra != "x" && r.IntN(2) == 0 {
		b.g.Outputs = append(b.g.Outputs, graph.Port{Name: extra})
	}
	return &graph.Model{Graph: b.g, Opset: 21, FileOpset: 21}
}

// integers is the same in INT8: convolutions followed by swish, by sums with values before them, or by nothing.
func integers(r *rand.Rand, n, channels, side int) *graph.Model {
	b := &builder{g: &graph.Graph{Consts: map[string]*tensor.Tensor{}, Types: map[string]graph.Type{}}, r: r}
	b.g.Inputs = []graph.Port{{Name: "x", Type: graph.FixedType(tensor.Float32, n, channels, side, side)}}
	full := []string{b.pair("x", 0.02, 128)}
	for i := range 3 + r.IntN(3) {
		group := []int{1, channels}[r.IntN(2)]
		name, k := fmt.Sprintf("c%d", i), 1+2*r.IntN(2)
		shape := []int{channels, channels / group, k, k}
		attrs := []graph.Attr{integer("group", int64(group)), ints("pads", int64(k/2), int64(k/2), int64(k/2), int64(k/2))}
		y := b.node("Conv", name, attrs, full[r.IntN(len(full))], b.weights(name+".w", shape, 0, shape[1]*k*k, false), b.bias(name+".b", channels))
		y = b.pair(y, 0.03, 128)
		switch r.IntN(3) {
		case 0:
			y = b.pair(b.node("Mul", name+".swish", nil, y, b.pair(b.node("Sigmoid", name+".sigmoid", nil, y), 1./256, 0)), 0.02, 20)
		case 1:
			y = b.pair(b.node("Add", name+".add", nil, y, full[r.IntN(len(full))]), 0.03, 110)
		}
		full = append(full, y)
	}
	b.node("Neg", "y", nil, full[len(full)-1])
	b.g.Outputs = []graph.Port{{Name: "y"}}
	return &graph.Model{Graph: b.g, Opset: 21, FileOpset: 21}
}

// TestResidualsChangeNoBit compares random networks of either kind with themselves kernel by kernel, on every tier, at batches of
// one and more.
func TestResidualsChangeNoBit(t *testing.T) {
	for kind, make := range map[string]func(r *rand.Rand, n, channels, side int) *graph.Model{"float": residuals, "int8": integers} {
		t.Run(kind, func(t *testing.T) {
			eachTier(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(5, 5))
				saved := int64(0)
				for i := range 16 {
					n, channels, side := 1+r.IntN(3), []int{2, 6, 16, 40}[r.IntN(4)], []int{1, 5, 7, 14, 33}[r.IntN(5)]
					m := make(r, n, channels, side)
					x := tensor.New(tensor.Float32, n, channels, side, side)
					for j, v := 0, x.F32(); j < len(v); j++ {
						v[j] = float32(r.NormFloat64())
					}
					grouped, apart := together(t, m, map[string]*tensor.Tensor{"x": x})
					if saved += apart - grouped; t.Failed() {
						t.Fatalf("network %d of %d x %d x %d", i, n, channels, side)
					}
				}
				require.Greater(t, saved, int64(10), "few kernels were joined")
			})
		})
	}
}

// TestResidualsSideBySide runs one program for several inputs at once: all that changes belongs to one run.
func TestResidualsSideBySide(t *testing.T) {
	p, err := engine.New(engine.Options{}).Compile(residuals(rand.New(rand.NewPCG(3, 1)), 1, 16, 33), nil)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(4, 4))
	inputs, want := make([]map[string]*tensor.Tensor, 4), make([]map[string]*tensor.Tensor, 4)
	for i := range inputs {
		x := tensor.New(tensor.Float32, 1, 16, 33, 33)
		for j, v := 0, x.F32(); j < len(v); j++ {
			v[j] = float32(r.NormFloat64())
		}
		inputs[i] = map[string]*tensor.Tensor{"x": x}
		want[i], err = p.Run(context.Background(), inputs[i], [32]byte{})
		require.NoError(t, err)
	}
	var g errgroup.Group
	for i := range inputs {
		g.Go(func() error {
			for range 5 {
				got, err := p.Run(context.Background(), inputs[i], [32]byte{})
				if err != nil || !reflect.DeepEqual(want[i], got) {
					return fmt.Errorf("input %d: other values (%w)", i, err)
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
}
