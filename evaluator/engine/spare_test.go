package engine_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// several is a program with a computed result, one under two names, an input and a constant.
func several(t *testing.T, e *engine.Engine) *engine.Program {
	t.Helper()
	m, err := graph.Parse("input x: float32[n,8]\ny = Neg(x)\nz = Softmax(y)\nw = Identity(z)\noutput z\noutput w\noutput x\noutput c\n")
	require.NoError(t, err)
	m.Graph.Consts["c"] = scalar(0.25)
	p, err := e.Compile(m, nil)
	require.NoError(t, err)
	return p
}

func run(t require.TestingT, p *engine.Program, x *tensor.Tensor) map[string]*tensor.Tensor {
	out, err := p.Run(context.Background(), map[string]*tensor.Tensor{"x": x}, [32]byte{})
	require.NoError(t, err)
	return out
}

// TestResultsServeAgain: what is given back is returned by the next run of its shapes, with that run's values; what another shape
// returned is not, nor what was spoiled.
func TestResultsServeAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	p, fresh := several(t, engine.New(engine.Options{})), several(t, engine.New(engine.Options{}))
	first := run(t, p, normal(r, 3, 8))
	z := first["z"]
	p.Reuse(first)
	for _, n := range []int{2, 3, 3, 5} {
		x := normal(r, n, 8)
		out := run(t, p, x)
		require.Equal(t, run(t, fresh, x), out)
		require.Equal(t, n == 3, out["z"] == z, "batch of %d", n)
		require.NotSame(t, &x.Data[0], &out["x"].Data[0])
		p.Reuse(out)
	}
	for name, spoil := range map[string]func(out map[string]*tensor.Tensor){
		"one less":     func(out map[string]*tensor.Tensor) { delete(out, "w") },
		"another name": func(out map[string]*tensor.Tensor) { out["v"] = out["w"]; delete(out, "w") },
		"nothing":      func(out map[string]*tensor.Tensor) { out["z"] = nil },
		"type":         func(out map[string]*tensor.Tensor) { out["z"].DType = tensor.Int32 },
		"shape":        func(out map[string]*tensor.Tensor) { out["z"].Shape = []int{4, 6} },
		"bytes":        func(out map[string]*tensor.Tensor) { out["z"].Data = out["z"].Data[4:] },
	} {
		t.Run(name, func(t *testing.T) {
			p, x := several(t, engine.New(engine.Options{})), normal(r, 3, 8)
			out := run(t, p, x)
			spoil(out)
			p.Reuse(out)
			require.Equal(t, run(t, fresh, x), run(t, p, x))
		})
	}
}

// TestSharedResultsDoNotServe: a program that runs in parts returns what others may hold.
func TestSharedResultsDoNotServe(t *testing.T) {
	m, err := graph.Parse("input x: float32[n,8]\ny = NonZero(x)\nz = Neg(x)\noutput y\noutput z\n")
	require.NoError(t, err)
	p, err := engine.New(engine.Options{}).Compile(m, nil)
	require.NoError(t, err)
	x := normal(rand.New(rand.NewPCG(2, 2)), 1, 8)
	out := run(t, p, x)
	z := out["z"]
	p.Reuse(out)
	require.Zero(t, engine.Spares(p))
	require.NotSame(t, z, run(t, p, x)["z"])
}

// TestResultsServeManyRunsAtOnce: no two runs write the same memory.
func TestResultsServeManyRunsAtOnce(t *testing.T) {
	p, fresh := several(t, engine.New(engine.Options{})), several(t, engine.New(engine.Options{}))
	var all sync.WaitGroup
	for k := range uint64(4) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(k, 7))
			for range 50 {
				x := normal(r, 1+r.IntN(3), 8)
				out := run(t, p, x)
				require.Equal(t, run(t, fresh, x), out)
				p.Reuse(out)
			}
		})
	}
	all.Wait()
}

// TestDividedBatchesAllocateNothing: pieces of a batch and their results serve again as well, and no piece keeps the batch it is of.
func TestDividedBatchesAllocateNothing(t *testing.T) {
	m, err := graph.Parse("input x: float32[n,8]\ny = Neg(x)\nz = Softmax(y)\noutput z\n")
	require.NoError(t, err)
	p, err := engine.Apart(engine.Near(engine.New(engine.Options{}), 1)).Compile(m, nil)
	require.NoError(t, err)
	x := normal(rand.New(rand.NewPCG(1, 1)), 4, 8)
	allocates(t, 6, p, map[string]*tensor.Tensor{"x": x})
	require.Equal(t, run(t, p, x), run(t, p, x))
}
