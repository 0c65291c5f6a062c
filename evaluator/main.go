// Command evaluator computes for Assay's coordinators: it connects to a NATS server with JetStream, pulls tasks and
// publishes results. It keeps nothing that matters: start any number, stop any at any time.
//
//	evaluator --nats nats://host:4222
//
// It ends with 0 after an interrupt, 2 on a bad flag and 1 when the broker cannot be reached or used. Instruction sets are
// found at run time; ASSAY_TIER=plain|avx2|avx512vnni|amx forces a lower one.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// garbage is the share of the live heap, in percent, that may be garbage before a collection. Most of a heap are stored
// activations and packed weights, without pointers and thus nearly free to mark: half of Go's default saves their size
// again. GOGC overrides it.
const garbage = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := serve(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
