// Package outlet is the standard output and the standard error of Assay's programs: it remembers that one of them ended, and why, so
// that a program can end in good order. What is written, and the exit codes of one program, may not enter.
//
// A closed pipe is an ordinary error of a write only while the program ignores SIGPIPE, which its main has to do.
package outlet

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
)

// Outlet is standard output or standard error. The first write that fails ends it: what comes later is refused with the same error, so
// that a reader finds a beginning of the output and never a hole in it. Safe for concurrent use.
type Outlet struct {
	to     io.Writer
	unread func() // called once, when nobody reads the output any more

	mu  sync.Mutex
	err error
}

// Failure is the error of a write to an Outlet; it wraps the cause. Who made the Outlet says it at the end, see Conclude.
type Failure struct{ Cause error }

// Error implements error.
func (f *Failure) Error() string { return "output: " + f.Cause.Error() }

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// Unread is the exit code of a program whose output nobody reads any more, as a shell says of one that SIGPIPE ended.
const Unread = 141

// ErrUnread is why a program is interrupted whose output nobody reads any more.
var ErrUnread = errors.New("the output is closed")

// New makes an Outlet in front of to. unread is called once, by the write that finds that the reader went away.
func New(to io.Writer, unread func()) *Outlet { return &Outlet{to: to, unread: unread} }

// Write implements io.Writer. An error is a *Failure.
func (o *Outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	if err != nil {
		o.err = &Failure{err}
		if errors.Is(err, syscall.EPIPE) {
			o.unread()
		}
	}
	return n, o.err
}

// File is the file behind o, nil where there is none.
func (o *Outlet) File() *os.File {
	f, _ := o.to.(*os.File)
	return f
}

// failed is why o ended, nil while it has not; closed says that its reader went away.
func (o *Outlet) failed() (err error, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err, errors.Is(o.err, syscall.EPIPE)
}

// Conclude is how a program ends that would have ended with code, had all of its output been written. A reader that went away has what
// it wanted and is told nothing, as with any program of a pipe: the code is Unread. Anything else that ended standard output, such as
// a full disk, is returned as lost and is the caller's to say, even if the work is done: who reads the output must not take a part of
// it for all. Standard error has no other place to complain, and what it would have said is a courtesy.
func Conclude(code int, stdout, stderr *Outlet) (end int, lost error) {
	err, closed := stdout.failed()
	if _, mute := stderr.failed(); closed || mute {
		return Unread, nil
	}
	if err == nil {
		return code, nil
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return code, path.Err
	}
	return code, errors.Unwrap(err)
}
