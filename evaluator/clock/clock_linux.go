package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Thread is the CPU time of this thread: what others do meanwhile does not count. The caller has locked its goroutine to the
// thread.
func Thread() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
