package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// scarce is the free space below which a state directory's disk counts as full: the broker writes in blocks, and answers
// nothing when it cannot.
const scarce = 1 << 20

// guardEvery is how often a job looks at its disk.
const guardEvery = 250 * time.Millisecond

// free is how many bytes an ordinary user can still write below dir.
func free(dir string) (n uint64, ok bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true //nolint:gosec // block sizes are small and positive
}

// fullWords are the broker's for a disk without room. They come as texts from its file system, and as codes from the server.
var fullWords = []string{"insufficient storage", "no space left", "quota exceeded", "insufficient resources", "resource limits exceeded"}

// saysFull reports that err is the broker's word for a full disk.
func saysFull(err error) bool {
	s := err.Error()
	return slices.ContainsFunc(fullWords, func(w string) bool { return strings.Contains(s, w) })
}

// fullState is the one error of a state directory without room.
func fullState(dir string, wanted, free uint64) error {
	return &InputError{fmt.Errorf("state directory %s: the disk is full: at least %d bytes are wanted and %d are free; free some space, or choose another with --state-dir; results so far are kept", dir, wanted, free)}
}

// checkState refuses a state directory with less than wanted bytes of room.
func checkState(dir string, wanted uint64) error {
	if n, ok := free(dir); ok && n < wanted {
		return fullState(dir, wanted, n)
	}
	return nil
}

// guardState looks at the disk of a state directory until stop is called, and cancels with the reason as soon as it is full:
// a broker that cannot write is silent for many seconds before it says so. The goroutine ends at stop or when it has
// cancelled; a disk that is full at once needs none.
func guardState(dir string, room func(string) (uint64, bool), cancel context.CancelCauseFunc) (stop func()) {
	look := func() (full bool) {
		n, ok := room(dir)
		if full = ok && n < scarce; full {
			cancel(fullState(dir, scarce, n))
		}
		return full
	}
	end := make(chan struct{})
	var looking sync.WaitGroup
	if look() {
		return func() {}
	}
	looking.Go(func() {
		tick := time.NewTicker(guardEvery)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			if look() {
				return
			}
		}
	})
	return func() { close(end); looking.Wait() }
}

// explainState says what the job ended with: the guard's reason if it was that, else a full disk behind the broker's many
// words for it. The order matters: the guard's reason is the cause of ctx and comes in other words from every call that
// ctx ended. embedded: the broker's disk is that of dir; what the job itself writes there is in any case. The last write did not fit
// into what is free now, though that may be more than scarce: what was written of it is gone again.
func explainState(err error, cause error, dir string, embedded bool) error {
	var input *InputError
	switch {
	case err == nil:
		return nil
	case errors.As(cause, &input):
		return cause
	case saysFull(err) && (embedded || errors.Is(err, syscall.ENOSPC)):
		if n, ok := free(dir); ok {
			return fmt.Errorf("%w (%w)", fullState(dir, n+scarce, n), err)
		}
	case saysFull(err):
		return &InputError{fmt.Errorf("%w (the broker's disk is full, or its limit for JetStream is reached: make room there; results so far are kept, the same command goes on)", err)}
	case errors.As(err, &input):
		return err
	}
	if full := checkState(dir, scarce); full != nil {
		return fmt.Errorf("%w (%w)", full, err)
	}
	return err
}

// explainOutput says what did not fit where, or why else it could not be written.
func explainOutput(err error, path string, size int) error {
	const kept = "choose another directory with --output-dir (what was measured is kept, the same command goes on)"
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return &InputError{fmt.Errorf("output directory: %w; make it writable, or %s", err, kept)}
	}
	n, _ := free(filepath.Dir(path))
	return &InputError{fmt.Errorf("write %s: the disk is full: %d bytes are needed and %d are free; free some space, or %s", path, size, n, kept)}
}
