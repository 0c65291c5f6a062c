package worker

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"assay/shared/plan"
	"assay/shared/wire"
)

// TestPauses: a slot that meets trouble pauses twice as long after each further one, and forgets after a task that went well.
// The tasks wait in the stream before the node begins, so that no idle moment lies between them.
func TestPauses(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	x := newBench(t, func(w *worker) {
		w.config.Log = zap.New(core)
		for _, block := range []uint32{timeOut, unreachable, badInput, broken, timeOut, timeOut, alsoFine} {
			b, err := wire.Encode(wire.Task{V: wire.Version, Plans: []plan.Plan{{}}, Blocks: []uint32{block}, Job: "job"})
			require.NoError(t, err)
			_, err = w.b.JS.Publish(context.Background(), wire.TaskSubject("test", "job"), b)
			require.NoError(t, err)
		}
	})
	x.gone()
	x.fire()
	var pauses []time.Duration
	for _, e := range logs.FilterMessage("pause").All() {
		pauses = append(pauses, e.ContextMap()["for"].(time.Duration))
	}
	require.Equal(t, []time.Duration{shortPause, 2 * shortPause, 4 * shortPause, shortPause, 2 * shortPause}, pauses, "a broken cell is no trouble of the node's")
}
