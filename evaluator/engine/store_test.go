package engine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/tensor"
)

// keyOf names a batch.
func keyOf(seed uint64, n int) (key [32]byte) {
	binary.LittleEndian.PutUint64(key[:], seed+1)
	binary.LittleEndian.PutUint64(key[8:], uint64(n))
	return key
}

// TestStoreChangesNoBit runs random plans of one network on random batches for random wanted values through one engine
// with random budgets, and compares each output with that of an engine that stores nothing.
func TestStoreChangesNoBit(t *testing.T) {
	wants := []string{"y", "l0", "l1.relu", "l2.relu.q", "l3.add.d", "l4.relu", "l5", "l7.add.q", "pool.q", "flat", "x.q"}
	reference := map[string]map[string]*tensor.Tensor{}
	rapid.Check(t, func(t *rapid.T) {
		e := engine.New(engine.Options{
			Memory: rapid.SampledFrom([]int64{3 << 20, 1 << 30}).Draw(t, "memory"),
			Store:  rapid.SampledFrom([]int64{1, 20 << 10, 200 << 10, 1 << 20}).Draw(t, "store"),
		})
		for range rapid.IntRange(1, 12).Draw(t, "runs") {
			c := chain{layers: 8, size: 12, channels: 8, float: rapid.Uint64Range(0, 255).Draw(t, "plan") & rapid.Uint64Range(0, 255).Draw(t, "sparse")}
			seed, n := rapid.Uint64Range(0, 1).Draw(t, "batch"), rapid.IntRange(1, 2).Draw(t, "samples")
			want := rapid.SliceOfNDistinct(rapid.SampledFrom(wants), 1, 3, rapid.ID[string]).Draw(t, "want")
			p, err := e.Compile(c.model(), want)
			require.NoError(t, err)
			key := keyOf(seed, n)
			if rapid.Bool().Draw(t, "unnamed") {
				key = [32]byte{}
			}
			got, err := p.Run(context.Background(), c.images(seed, n), key)
			require.NoError(t, err)
			for _, w := range want {
				id := fmt.Sprint(c.float, seed, n, w)
				if reference[id] == nil {
					r, err := engine.New(engine.Options{}).Compile(c.model(), nil)
					require.NoError(t, err)
					if w != "y" {
						r, err = engine.New(engine.Options{}).Compile(c.model(), []string{w})
						require.NoError(t, err)
					}
					reference[id], err = r.Run(context.Background(), c.images(seed, n), [32]byte{})
					require.NoError(t, err)
				}
				require.Equal(t, reference[id][w], got[w], id)
			}
			u := e.Usage()
			require.GreaterOrEqual(t, u.Store, int64(0))
		}
	})
}

// TestRankingRoundReusesPrefixes runs the all-INT8 plan and then every plan with one layer reverted, as a ranking does, on
// a few blocks: sharing prefixes must bring the round to little more than half of its full cost, in kernels run. The time
// is logged: each run with the store stands beside one without.
func TestRankingRoundReusesPrefixes(t *testing.T) {
	c := chain{layers: 28, size: 28, channels: 32}
	if tier.Current() == tier.Plain {
		c.size = 6 // what is shared is the same, and the whole round would take two minutes
	}
	plain, sharing := engine.New(engine.Options{}), engine.New(engine.Options{Memory: 256 << 20})
	var full, shared time.Duration
	timed := func(p *engine.Program, in map[string]*tensor.Tensor, key [32]byte, took *time.Duration) {
		begin := time.Now()
		_, err := p.Run(context.Background(), in, key)
		require.NoError(t, err)
		*took += time.Since(begin)
	}
	for i := -1; i < c.layers; i++ {
		if c.float = 0; i >= 0 {
			c.float = 1 << i
		}
		m := c.model()
		p, err := plain.Compile(m, nil)
		require.NoError(t, err)
		q, err := sharing.Compile(m, nil)
		require.NoError(t, err)
		var binding time.Duration // is paid once per plan either way
		timed(p, c.images(99, 8), [32]byte{}, &binding)
		timed(q, c.images(99, 8), [32]byte{}, &binding)
		for block := range uint64(4) {
			in := c.images(block, 8)
			timed(p, in, [32]byte{}, &full)
			timed(q, in, keyOf(block, 8), &shared)
		}
	}
	all, some := float64(plain.Usage().Steps), float64(sharing.Usage().Steps)
	ratio := (some - all/5) / (all - all/5) // a fifth of the runs only bound
	t.Logf("%.3f of the kernels, %.3f of the time of the full round (%v); store %d KiB", ratio, shared.Seconds()/full.Seconds(), full, sharing.Usage().Store>>10)
	require.LessOrEqual(t, ratio, 0.6)
}

// TestRunsMayOverlap runs several plans and batches at the same time through one engine.
func TestRunsMayOverlap(t *testing.T) {
	e := engine.New(engine.Options{Memory: 64 << 20, Store: 300 << 10})
	var wg sync.WaitGroup
	results := make([][]*tensor.Tensor, 4)
	for slot := range results {
		wg.Go(func() {
			for i := range 12 {
				c := chain{layers: 8, size: 12, channels: 8, float: uint64(bits.RotateLeft8(1, i))}
				p, err := e.Compile(c.model(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				out, err := p.Run(context.Background(), c.images(uint64(i%2), 2), keyOf(uint64(i%2), 2))
				if err != nil {
					t.Error(err)
					return
				}
				results[slot] = append(results[slot], out["y"])
			}
		})
	}
	wg.Wait()
	for _, r := range results[1:] {
		require.Equal(t, results[0], r)
	}
}

// TestMemoryLimit refuses before allocating, with the three numbers; a store gives way to arenas.
func TestMemoryLimit(t *testing.T) {
	c := chain{layers: 4, size: 64, channels: 32}
	p, err := engine.New(engine.Options{Memory: 1 << 20}).Compile(c.model(), nil)
	require.NoError(t, err)
	_, err = p.Run(context.Background(), c.images(0, 8), keyOf(0, 8))
	var refused *engine.MemoryError
	require.True(t, errors.As(err, &refused), "%v", err)
	require.Greater(t, refused.Arena+refused.Weights+refused.Store, refused.Limit)
	require.ErrorContains(t, err, "over the limit of 1024 KiB: raise --memory")

	e := engine.New(engine.Options{Memory: 8 << 20, Store: 8 << 20})
	p, err = e.Compile(c.model(), nil)
	require.NoError(t, err)
	for i := range uint64(12) {
		block := i % 6
		for _, n := range []int{1, 4, 2} {
			_, err = p.Run(context.Background(), c.images(block, n), keyOf(block, n))
			require.NoError(t, err)
			u := e.Usage()
			require.LessOrEqual(t, u.Arena+u.Weights+u.Store, int64(8<<20))
		}
	}
	require.Positive(t, e.Usage().Store)
}

// TestRunAllocatesResultsOnly counts allocations of a warm program: they do not grow with its depth.
func TestRunAllocatesResultsOnly(t *testing.T) {
	for _, layers := range []int{2, 24} {
		c := chain{layers: layers, size: 8, channels: 8}
		p, err := engine.New(engine.Options{}).Compile(c.model(), nil)
		require.NoError(t, err)
		allocates(t, 6, p, c.images(0, 1))
	}
}
