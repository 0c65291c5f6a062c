// Command coordinator is Assay: it turns a float ONNX model into an INT8 one that keeps its accuracy within a limit.
//
//	assay run job.json            quantize as a job file says
//	assay run -m model.onnx ...   the same by flags
//	assay explain job.json        the job as it is understood; nothing is evaluated
//	assay replay STATE            the decisions again, from stored results
//	assay prune                   what jobs keep on disk, and its removal
//	assay health --nats URL       whether a NATS server can be used
//	assay completion              completion for a shell
//	assay version
//
// Exit codes: 0 the limit is met, or what was asked is done; 3 it is not met (run writes the best model all the same), 2 bad input, or an output
// that could not be written, 1 internal error, 130 interrupted, 141 interrupted since nobody reads the output any more. After both
// results so far are kept, and the same command goes on.
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
	// A closed pipe then is an error of the write, and the job ends in good order: no task is left at a broker that others use.
	signal.Ignore(syscall.SIGPIPE)
	untouched := make([]byte, ballast)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	runtime.KeepAlive(untouched)
	os.Exit(code)
}
