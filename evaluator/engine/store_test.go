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

// runner is Run or what stands for it.
type runner func(context.Context, map[string]*tensor.Tensor, [32]byte) (map[string]*tensor.Tensor, error)

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
			run := rapid.SampledFrom([]runner{p.Run, p.RunFirst, func(ctx context.Context, in map[string]*tensor.Tensor, key [32]byte) (map[string]*tensor.Tensor, error) {
				return p.RunLap(ctx, in, key, rapid.IntRange(0, 3).Draw(t, "batches"))
			}}).Draw(t, "run")
			got, err := run(context.Background(), c.images(seed, n), key)
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

// TestRankingRoundReusesPrefixes runs every plan with one layer reverted, the last layer first, on a few blocks, as a ranking
// does: sharing prefixes must bring the round to little more than half of its full cost, in kernels run, whether the plan with
// everything INT8 was measured on the same blocks, by a run that keeps nothing, or not. The time is logged: each run with the store
// stands beside one without.
func TestRankingRoundReusesPrefixes(t *testing.T) {
	for name, measured := range map[string]bool{"measured on the same blocks": true, "measured elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			r := round{chain: chain{layers: 28, size: 28, channels: 32}, plain: engine.New(engine.Options{}), sharing: engine.New(engine.Options{Memory: 256 << 20})}
			if tier.Current() == tier.Plain {
				r.chain.size = 6 // what is shared is the same, and the whole round would take two minutes
			}
			if measured {
				r.run(t, 0, (*engine.Program).Run)
				require.Zero(t, r.sharing.Usage().Store, "what no other plan follows is not kept")
			}
			r.full, r.shared, r.all, r.some = 0, 0, 0, 0
			for i := r.chain.layers - 1; i >= 0; i-- {
				r.run(t, 1<<i, (*engine.Program).RunFirst)
			}
			ratio := float64(r.some) / float64(r.all)
			t.Logf("%.3f of the kernels, %.3f of the time of the full round (%v); store %d KiB", ratio, r.shared.Seconds()/r.full.Seconds(), r.full, r.sharing.Usage().Store>>10)
			require.LessOrEqual(t, ratio, 0.6)
		})
	}
}

// round is a ranking without a store and with one: kernels and time of either.
type round struct {
	chain          chain
	plain, sharing *engine.Engine
	all, some      int64
	full, shared   time.Duration
}

// run is one plan on four blocks; binding is paid once per plan either way.
func (r *round) run(t *testing.T, float uint64, run func(*engine.Program, context.Context, map[string]*tensor.Tensor, [32]byte) (map[string]*tensor.Tensor, error)) {
	r.chain.float = float
	m := r.chain.model()
	side := func(e *engine.Engine, key func(block uint64) [32]byte, kernels *int64, took *time.Duration) {
		p, err := e.Compile(m, nil)
		require.NoError(t, err)
		_, err = p.Run(context.Background(), r.chain.images(99, 8), [32]byte{})
		require.NoError(t, err)
		before := e.Usage().Steps
		for block := range uint64(4) {
			in, begin := r.chain.images(block, 8), time.Now()
			_, err := run(p, context.Background(), in, key(block))
			require.NoError(t, err)
			*took += time.Since(begin)
		}
		*kernels += e.Usage().Steps - before
	}
	side(r.plain, func(uint64) [32]byte { return [32]byte{} }, &r.all, &r.full)
	side(r.sharing, func(block uint64) [32]byte { return keyOf(block, 8) }, &r.some, &r.shared)
}

// TestStepsOfASearchFindThePlanBefore goes through more batches than the store has room for activations of, with one plan after the other, each having a layer
// more in float. What two plans share is computed once, in the measure that shares allow; by the order of use little would be left of it.
func TestStepsOfASearchFindThePlanBefore(t *testing.T) {
	const batches = 12
	c := chain{layers: 12, size: 12, channels: 16}
	steps := func(store int64, run func(p *engine.Program) runner) (sum int64, results []*tensor.Tensor) {
		e := engine.New(engine.Options{Memory: 64 << 20, Store: store})
		for _, layer := range []int{3, 11, 9, 10, 7} {
			c.float |= 1 << layer
			p, err := e.Compile(c.model(), nil)
			require.NoError(t, err)
			for batch := range uint64(batches) {
				out, err := run(p)(t.Context(), c.images(batch, 2), keyOf(batch, 2))
				require.NoError(t, err)
				results = append(results, out["y"])
			}
		}
		require.LessOrEqual(t, e.Usage().Store, store)
		c.float = 0
		return e.Usage().Steps, results
	}
	lap := func(p *engine.Program) runner {
		return func(ctx context.Context, in map[string]*tensor.Tensor, key [32]byte) (map[string]*tensor.Tensor, error) {
			return p.RunLap(ctx, in, key, batches)
		}
	}
	const store = 4 * batches * 2 * 16 * 12 * 12 * 3 // three activations a batch, in the part of it that is for laps
	all, want := steps(1, func(p *engine.Program) runner { return p.Run })
	plain, _ := steps(store/4, func(p *engine.Program) runner { return p.Run })
	some, got := steps(store, lap)
	require.Equal(t, want, got)
	t.Logf("kernels: %d without a store, %d by what was used last, %d with shares", all, plain, some)
	require.Less(t, float64(some), 0.7*float64(all))
	require.Less(t, float64(some), 0.8*float64(plain))
	none, got := steps(store/64, lap)
	require.Equal(t, want, got)
	require.Equal(t, all, none, "shares that hold nothing cost nothing")
}

// TestLapsTellRankingsWhatTheyShare: the first plan of a ranking on batches that a step went through keeps what both compute, and no
// more, as a plan that others follow would.
func TestLapsTellRankingsWhatTheyShare(t *testing.T) {
	c := chain{layers: 12, size: 12, channels: 16}
	stored := func(before bool) int64 {
		e := engine.New(engine.Options{Memory: 64 << 20})
		c.float = 1
		step, err := e.Compile(c.model(), nil)
		require.NoError(t, err)
		c.float = 1 | 1<<1
		next, err := e.Compile(c.model(), nil)
		require.NoError(t, err)
		if before {
			_, err = step.RunLap(t.Context(), c.images(0, 2), keyOf(0, 2), 1<<20) // a share for nothing
			require.NoError(t, err)
			require.Zero(t, e.Usage().Store)
		}
		_, err = next.RunFirst(t.Context(), c.images(0, 2), keyOf(0, 2))
		require.NoError(t, err)
		return e.Usage().Store
	}
	require.Less(t, stored(true), stored(false)/2)
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
				run := func() (map[string]*tensor.Tensor, error) {
					if i%3 == slot%3 {
						return p.Run(context.Background(), c.images(uint64(i%2), 2), keyOf(uint64(i%2), 2))
					}
					return p.RunLap(context.Background(), c.images(uint64(i%2), 2), keyOf(uint64(i%2), 2), 2)
				}
				out, err := run()
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
