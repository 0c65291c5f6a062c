//go:build !linux

package main

import "time"

var began = time.Now()

// threadTime is wall time where threads have no clock of their own that we know of.
func threadTime() time.Duration { return time.Since(began) }
