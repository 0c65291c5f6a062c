package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Thread is the CPU time that this thread has used since it began: what others do meanwhile does not count. Only differences
// mean anything, between calls of a goroutine that is locked to its thread (runtime.LockOSThread). It is 0 always where the
// system tells nothing.
func Thread() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
