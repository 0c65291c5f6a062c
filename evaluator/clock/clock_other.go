//go:build !linux

package clock

import "time"

var began = time.Now()

// Thread is wall time since the program began, where threads have no clock of their own that we know of. Only differences
// mean anything.
func Thread() time.Duration { return time.Since(began) }
