package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// outlet is standard output or standard error. The first write that fails ends it: what comes later is refused with the same error, so
// that a reader finds a beginning of the output and never a hole in it. Safe for concurrent use.
type outlet struct {
	to     io.Writer
	unread func() // called once, when nobody reads the output any more

	mu  sync.Mutex
	err error
}

// errOutput marks an error of an outlet. Who made it has said it already, see conclude.
var errOutput = errors.New("output")

// errUnread is why a command is interrupted whose output nobody reads any more.
var errUnread = errors.New("the output is closed")

// Write implements io.Writer.
func (o *outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	if err != nil {
		o.err = fmt.Errorf("%w: %w", errOutput, err)
		if errors.Is(err, syscall.EPIPE) {
			o.unread()
		}
	}
	return n, o.err
}

// file is the file behind o, nil where there is none.
func (o *outlet) file() *os.File {
	f, _ := o.to.(*os.File)
	return f
}

// failed is why o ended, nil while it has not; closed says that its reader went away.
func (o *outlet) failed() (err error, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err, errors.Is(o.err, syscall.EPIPE)
}

// conclude is the exit code of a command that would have ended with code, had all of its output been written. A reader that went away
// has what it wanted and is told nothing, as with any program of a pipe. Anything else, such as a full disk, is an error even if the job
// is done: who reads the output must not take a part of it for all. Standard error has no other place to complain.
func conclude(code int, stdout, stderr *outlet) int {
	err, closed := stdout.failed()
	if _, mute := stderr.failed(); closed || mute {
		return exitUnread
	}
	if err == nil {
		return code
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	fmt.Fprintf(stderr, "assay: standard output: %v: what it holds is not all (results so far are kept: the same command says it again)\n", err)
	if code == exitInternal {
		return code
	}
	return exitInput
}
