package run

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/store"
)

// TestGuardState: a disk that fills up ends the job within two looks, with the bytes wanted, the bytes free and what to do;
// one that does not, or that cannot be asked, ends nothing.
func TestGuardState(t *testing.T) {
	for _, c := range []struct {
		name  string
		free  []uint64 // by look, the last for ever
		known bool
		want  string
	}{
		{"full at once", []uint64{10}, true, "at least 1048576 bytes are wanted and 10 are free"},
		{"fills up", []uint64{1 << 30, 5000}, true, "1048576 bytes are wanted and 5000 are free"},
		{"room", []uint64{1 << 30, 1 << 21, scarce}, true, ""},
		{"unknown", []uint64{0}, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var looks atomic.Int64
			looked := make(chan struct{}, 100)
			stop := guardState("/state", func(string) (uint64, bool) {
				looked <- struct{}{}
				return c.free[min(int(looks.Add(1)), len(c.free))-1], c.known
			}, cancel)
			for range c.free {
				<-looked
			}
			if c.want == "" {
				stop()
				require.NoError(t, ctx.Err())
				return
			}
			<-ctx.Done()
			stop()
			var input *InputError
			require.ErrorAs(t, context.Cause(ctx), &input)
			require.ErrorContains(t, context.Cause(ctx), c.want)
			require.ErrorContains(t, context.Cause(ctx), "/state")
			require.ErrorContains(t, context.Cause(ctx), "--state-dir")
		})
	}
}

// TestExplainState: the guard's reason stands for whatever the broker said; success, and input errors of a job with room, keep their
// own. A broker that says its disk is full is believed: the state directory's when it is embedded, else where it runs.
func TestExplainState(t *testing.T) {
	dir := t.TempDir()
	guard := fullState(dir, 2, 1)
	broker, input := errors.New("nats: timeout"), &InputError{errors.New("no labels")}
	for _, c := range []struct{ err, cause, want error }{
		{nil, guard, nil}, {nil, nil, nil}, {broker, guard, guard}, {broker, nil, broker}, {broker, context.Canceled, broker}, {input, guard, guard}, {input, nil, input},
	} {
		require.Equal(t, c.want, explainState(c.err, c.cause, dir, true))
		require.Equal(t, c.want, explainState(c.err, c.cause, dir, false))
	}
	for _, words := range []string{"nats: API error: code=503 err_code=10023 description=insufficient resources", "write 1.blk: no space left on device"} {
		full := BadInput(fmt.Errorf("data: storing a piece: %w: %s", store.ErrUnavailable, words))
		require.ErrorContains(t, explainState(full, nil, dir, true), "state directory "+dir+": the disk is full: at least ")
		require.ErrorContains(t, explainState(full, nil, dir, false), "the broker's disk is full, or its limit for JetStream is reached: make room there")
		require.ErrorContains(t, explainState(full, nil, dir, false), words)
		require.EqualError(t, explainState(full, guard, dir, true), guard.Error())
	}
	require.Error(t, checkState(dir, 1<<62))
	require.NoError(t, checkState(dir, 1))
}
