//go:build !linux

package clock

import "time"

var began = time.Now()

// Thread is wall time where threads have no clock of their own that we know of.
func Thread() time.Duration { return time.Since(began) }
