package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"time"

	"assay/evaluator/clock"
	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/pass"
)

// profile prints the share of each operator in runs of one batch, float and INT8. A node counts with its shortest time
// over the rounds, in the thread's CPU time: what a neighbour takes is no node's. The sum of shortest times is a little less than
// the shortest run. INT8 nodes are those of the engine after fusion, which no file has.
func profile(ctx context.Context, path string, rounds, batch int, out io.Writer) error {
	m, err := onnx.Read(path)
	if err != nil {
		return err
	}
	if err := pass.Normalize(m); err != nil {
		return err
	}
	q, _, err := quantized(ctx, m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, v := range []variant{{typ: "float", model: m}, {typ: "int8", model: q}} {
		if err := profileVariant(ctx, v, rounds, batch, out); err != nil {
			return fmt.Errorf("%s, %s: %w", path, v.typ, err)
		}
	}
	return nil
}

// profileVariant prints operators by their share and the eight slowest nodes. Two runs more than rounds warm up.
func profileVariant(ctx context.Context, v variant, rounds, batch int, out io.Writer) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	last := clock.Thread()
	times, op := map[string]time.Duration{}, map[string]string{}
	e := engine.New(engine.Options{Observe: func(n *graph.Node, _ time.Duration) {
		took := clock.Thread() - last
		defer func() { last = clock.Thread() }()
		key := n.Name + " " + n.Op
		if t, seen := times[key]; !seen || took < t {
			times[key] = took
		}
		op[key] = n.Op
	}})
	program, err := e.Compile(v.model, nil)
	if err != nil {
		return err
	}
	in, ok := inputs(v.model, batch, 1)
	if !ok {
		return fmt.Errorf("the model fixes another batch than %d", batch)
	}
	for range rounds + 2 {
		last = clock.Thread()
		if _, err := program.Run(ctx, in, [32]byte{}); err != nil {
			return err
		}
	}
	type share struct {
		n     int
		total time.Duration
	}
	sums, whole := map[string]share{}, time.Duration(0)
	for key, t := range times {
		s := sums[op[key]]
		sums[op[key]] = share{s.n + 1, s.total + t}
		whole += t
	}
	fmt.Fprintf(out, "%s: %.2f ms in kernels\n", v.typ, whole.Seconds()*1e3)
	names := slices.SortedFunc(maps.Keys(sums), func(a, b string) int { return cmp.Compare(sums[b].total, sums[a].total) })
	for _, name := range names {
		s := sums[name]
		fmt.Fprintf(out, "  %-26s %4d %9.3f ms %5.1f%%\n", name, s.n, s.total.Seconds()*1e3, 100*s.total.Seconds()/whole.Seconds())
	}
	slow := slices.SortedFunc(maps.Keys(times), func(a, b string) int { return cmp.Compare(times[b], times[a]) })
	for _, key := range slow[:min(8, len(slow))] {
		fmt.Fprintf(out, "    %8.3f ms %s\n", times[key].Seconds()*1e3, key)
	}
	return nil
}
