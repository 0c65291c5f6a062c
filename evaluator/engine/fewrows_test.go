package engine_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// counted is an engine with an arena that is near, and how many kernels it ran.
func counted(near int) (*engine.Engine, *int) {
	n := new(int)
	e := engine.New(engine.Options{Observe: func(*graph.Node, time.Duration) { *n++ }})
	return engine.Near(e, near), n
}

// TestFewRowsAtATimeChangeNoBit compares batches that run as one with the same batches in pieces of any size, with and without a
// key, twice each, so that the second run may start from what the first one stored.
func TestFewRowsAtATimeChangeNoBit(t *testing.T) {
	r, divided := rand.New(rand.NewPCG(9, 1)), 0
	for range 6 {
		n, channels, side := 2+r.IntN(7), []int{2, 6, 16}[r.IntN(3)], []int{5, 7, 14}[r.IntN(3)]
		m := residuals(r, -1, channels, side)
		if m.Graph.Outputs = m.Graph.Outputs[:1]; r.IntN(2) == 0 {
			m.Graph.Outputs = append(m.Graph.Outputs, graph.Port{Name: m.Graph.Nodes[0].Outputs[0]})
		}
		x := normal(r, n, channels, side, side)
		in := map[string]*tensor.Tensor{"x": x}
		whole, kernels := counted(1 << 30)
		p, err := whole.Compile(m, nil)
		require.NoError(t, err)
		want, err := p.Run(context.Background(), in, [32]byte{})
		require.NoError(t, err)
		for _, near := range []int{1, 4 * channels * side * side * 5, 4 * channels * side * side * 20} {
			e, pieces := counted(near)
			q, err := e.Compile(m, nil)
			require.NoError(t, err)
			for _, key := range [][32]byte{{}, {1}, {1}, {2}} {
				got, err := q.Run(context.Background(), in, key)
				require.NoError(t, err)
				require.Equal(t, want, got, "batch of %d, %d bytes near", n, near)
			}
			if q.RowWise() && near == 1 {
				require.Greater(t, *pieces, *kernels*n, "rows ran one by one")
				divided++
			}
		}
	}
	require.NotZero(t, divided)
}

// TestWhatMayNotBeDivided runs as one, however large its arena is.
func TestWhatMayNotBeDivided(t *testing.T) {
	for _, c := range []struct {
		name, text string
		pieces     int // how often the kernel of the first node runs on a batch of 4
	}{
		{"floats", "input x: float32[n,8]\ny = Neg(x)\nz = Softmax(y)\noutput z\n", 4},
		{"two outputs", "input x: float32[n,8]\ny = Neg(x)\nw = Exp(y)\nz = Softmax(w)\noutput z\noutput y\n", 4},
		{"bytes between", "input x: float32[n,8]\ny = Neg(x)\nq = QuantizeLinear(y, s)\nz = DequantizeLinear(q, s)\nw = Softmax(z)\noutput w\n", 1},
		{"rows that depend on each other", "input x: float32[n,8]\ny = Neg(x)\nz = Softmax(y) {axis=0}\noutput z\n", 1},
		{"a fixed batch", "input x: float32[4,8]\ny = Neg(x)\nz = Softmax(y)\noutput z\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := graph.Parse(c.text)
			require.NoError(t, err)
			m.Graph.Consts["s"] = scalar(0.1)
			ran := 0
			e := engine.Near(engine.New(engine.Options{Observe: func(n *graph.Node, _ time.Duration) {
				if n.Op == "Neg" {
					ran++
				}
			}}), 1)
			p, err := engine.Apart(e).Compile(m, nil)
			require.NoError(t, err)
			x := normal(rand.New(rand.NewPCG(1, 1)), 4, 8)
			_, err = p.Run(context.Background(), map[string]*tensor.Tensor{"x": x}, [32]byte{})
			require.NoError(t, err)
			require.Equal(t, c.pieces, ran)
		})
	}
}
