// Command evaluator computes for Assay's coordinators: it connects to a NATS server with JetStream, pulls tasks and
// publishes results. It keeps nothing that matters: start any number, stop any at any time.
//
//	evaluator --nats nats://host:4222
//
// It ends with 0 after an interrupt, 2 on a bad flag or an output that could not be written, 141 when nobody reads its output any more,
// which is as good as an interrupt, and 1 when the broker cannot be reached or used. Instruction sets are found at run time;
// ASSAY_TIER=plain|avx2|avx512vnni|amx forces a lower one.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

// garbage is the share of the live heap, in percent, that may be garbage before a collection. Most of a heap are stored
// activations and packed weights, without pointers and thus nearly free to mark: half of Go's default saves their size
// again. GOGC overrides it.
const garbage = 50

// ballast is how many bytes, never touched and thus no more than addresses, the collector takes for live: garbage percent of them
// may be garbage in any heap. Small jobs were collected every few milliseconds without it, for a quarter of their CPU time.
const ballast = 32 << 20

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	// A closed pipe then is an error of the write: the evaluator says good-bye to its broker, and its tasks go to others at once.
	signal.Ignore(syscall.SIGPIPE)
	untouched := make([]byte, ballast)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := serve(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	runtime.KeepAlive(untouched)
	os.Exit(code)
}
