package clock

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestThread: time goes on while the thread computes, and stands still while it sleeps.
func TestThread(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, wall := Thread(), time.Now()
	for Thread()-start < 2*time.Millisecond {
		require.Less(t, time.Since(wall), 20*time.Second)
	}
	if runtime.GOOS != "linux" {
		t.Skip("skipped: this clock is wall time")
	}
	start = Thread()
	<-time.After(50 * time.Millisecond)
	require.Less(t, Thread()-start, 25*time.Millisecond)
}
