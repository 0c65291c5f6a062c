package console

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"assay/coordinator/run"
)

// TestBarMoves: the bar names what is done as soon as it begins, shows how far it is, and stays when all that is known is done, for more may come.
func TestBarMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l := Terminal(&b, func() int { return 0 })
		defer l.Close()
		shown := func() string {
			b.Reset()
			<-time.After(time.Second)
			synctest.Wait()
			return b.String()
		}
		l.Phase(run.Phase{Name: run.PhaseRank, Models: 2, Samples: 10})
		require.Contains(t, shown(), "ranking")
		for _, done := range []int64{25, 50, 99} {
			l.Progress(run.Progress{Phase: run.PhaseRank, Done: done, Total: 100, Slots: 2, Left: 8 * time.Second})
			text := shown()
			require.Contains(t, text, percentOf(done))
			require.Contains(t, text, "8 s left")
		}
		l.Progress(run.Progress{Phase: run.PhaseVerify, Done: 100, Total: 100})
		require.Contains(t, shown(), "verifying")
		l.Progress(run.Progress{Phase: run.PhaseVerify, Done: 100, Total: 200})
		require.Contains(t, shown(), percentOf(50))
	})
}

func percentOf(n int64) string { return count(n) + " %" }
