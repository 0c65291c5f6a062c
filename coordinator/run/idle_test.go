package run

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/broker"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/plan"
	"assay/shared/wire"
)

// TestIdleSlots: how many tasks ahead the slots can take, and whether what is in the stream was given up, follows from what waits at
// the broker and what is in work there, whoever's tasks these are.
func TestIdleSlots(t *testing.T) {
	f := newField(t, t.TempDir(), 1, toyBlock, "0")
	defer f.b.Close()
	d, stop, err := listen(t.Context(), f.b, "job", "test", 1000)
	require.NoError(t, err)
	defer stop()
	c, err := f.b.Consumer(t.Context(), "test")
	require.NoError(t, err)
	look := func(what string, room int, idle bool) {
		t.Helper()
		require.Equal(t, room, d.room(t.Context(), 3), what)
		require.Equal(t, idle, d.idle(t.Context()), what)
	}
	look("no task", 3, true)
	for range 2 {
		_, err = f.b.JS.Publish(t.Context(), wire.TaskSubject("test", "another"), []byte("task"))
		require.NoError(t, err)
	}
	look("two wait", 0, false)
	next := func() jetstream.Msg {
		m, err := c.Next()
		require.NoError(t, err)
		return m
	}
	first := next()
	look("one waits, one is in work", 0, false)
	second := next()
	look("two are in work", 1, false)
	require.Zero(t, d.room(t.Context(), 1), "more are in work than slots live")
	require.NoError(t, first.DoubleAck(t.Context()))
	look("one is in work", 2, false)
	require.NoError(t, second.DoubleAck(t.Context()))
	look("all are done", 3, true)
	require.NoError(t, f.b.Tasks.DeleteConsumer(t.Context(), wire.ConsumerName("test")))
	look("the broker does not say", 0, false)
}

// kept is a sheet whose answers are stored as evaluators store them.
type kept struct {
	*sheet
	b *broker.Broker
}

func (k kept) do(ctx context.Context, requests, maybe []request) (map[plan.Digest]wire.Result, error) {
	out, err := k.sheet.do(ctx, requests, maybe)
	for c, r := range out {
		r.V = wire.ResultVersion
		out[c] = r
		if err == nil {
			_, err = k.b.PublishResult(ctx, r, nil)
		}
	}
	return out, err
}

// TestReplayKnowsGuessing: a replay says of a model that has collapsed what the job said, for which it has to know as the job did what
// guessing gives.
func TestReplayKnowsGuessing(t *testing.T) {
	dir := t.TempDir()
	f := newField(t, filepath.Join(dir, brokerDir), 2, 40, "0")
	put := func(b []byte) plan.Digest {
		d, err := f.b.Objects.Put(t.Context(), b)
		require.NoError(t, err)
		return d
	}
	m, err := graph.Parse("ir 8\ngraph g\ninput x: float32[N]\ny: float32[N] = Relu(x) @n0\noutput y: float32[N]\n")
	require.NoError(t, err)
	b, err := onnx.Encode(m)
	require.NoError(t, err)
	f.whole.Model = put(b)
	const classes = 4
	c := chance(f.meter.Metrics[0], classes)
	f.problem.Metrics[0].Chance = c
	s := &sheet{size: f.meter.RecordSize(), right: func(p plan.Plan, i uint32) bool { return p.Params.IsZero() || p.Has(1) || i%classes == 0 }}
	a := newAsker(kept{s, f.b}, f.b.Objects, f.whole, f.meter, f.problem.View)
	a.params = f.params
	want, err := search.POT(t.Context(), f.problem, a)
	require.NoError(t, err)
	require.Contains(t, text(t, want), "has collapsed")
	keep, err := json.Marshal(memory{
		Problem: f.whole, Params: put(f.params.Encode()), View: put(plan.EncodeView(f.problem.View)), Drop: "0",
		Subset: f.problem.Subset, Iterations: f.problem.Iterations, Classes: classes,
	})
	require.NoError(t, err)
	require.Equal(t, f.whole.Meter, put(f.meter.Encode()))
	f.b.Close()
	require.NoError(t, os.WriteFile(filepath.Join(dir, memoryFile), keep, 0o644))
	got, err := Replay(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, text(t, want), text(t, got.Outcome))
}
