package console

import (
	"bytes"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"assay/coordinator/run"
)

// sheet is what a terminal is sent. Safe for concurrent use: the bar is drawn by a goroutine of its own.
type sheet struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (s *sheet) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// take gives what was sent since it was taken last.
func (s *sheet) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.b.Reset()
	return s.b.String()
}

// TestBarMoves: the bar names what is done as soon as it begins, shows how far it is, and stays when all that is known is done, for more may come.
func TestBarMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b sheet
		l := Terminal(&b, func() int { return 0 })
		defer l.Close()
		shown := func() string {
			b.take()
			<-time.After(time.Second)
			synctest.Wait()
			return b.take()
		}
		l.Phase(run.Phase{Name: run.PhaseRank, Models: 2, Samples: 10})
		shown() // the line above the bar names it, too
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
