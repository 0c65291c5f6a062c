// Command coordinator is Assay: it turns a float ONNX model into an INT8 one that keeps its accuracy within a limit.
//
//	assay run job.json            quantize as a job file says
//	assay run -m model.onnx ...   the same by flags
//	assay explain job.json        the job as it is understood; nothing is evaluated
//	assay replay STATE            the decisions again, from stored results
//	assay version
//
// Exit codes of run: 0 the limit is met, 3 it is not (the best model is written all the same), 2 bad input, 1 internal
// error, 130 interrupted (results so far are kept; the same command goes on).
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
	untouched := make([]byte, ballast)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	runtime.KeepAlive(untouched)
	os.Exit(code)
}
