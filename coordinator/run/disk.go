package run

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// scarce is the free space below which a state directory's disk counts as full: the broker writes in blocks, and answers
// nothing when it cannot.
const scarce = 1 << 20

// free is how many bytes an ordinary user can still write below dir.
func free(dir string) (n uint64, ok bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true //nolint:gosec // block sizes are small and positive
}

// explainDisk turns the broker's words for a full disk into what a user can do.
func explainDisk(err error) error {
	if s := err.Error(); strings.Contains(s, "insufficient storage") || strings.Contains(s, "no space left") || strings.Contains(s, "insufficient resources") {
		return &InputError{fmt.Errorf("%w (the broker's disk is full: free some space there, or choose another state directory with --state-dir; results so far are kept)", err)}
	}
	return err
}

// explainState turns the many words of a broker whose disk is full into one error that says what to do.
func explainState(err error, dir string) error {
	var input *InputError
	if err == nil || dir == "" || errors.As(err, &input) {
		return err
	}
	if n, ok := free(dir); ok && n < scarce {
		return &InputError{fmt.Errorf("state directory %s: the disk is full, %d bytes are free: free some space, or choose another with --state-dir; results so far are kept (%w)", dir, n, err)}
	}
	return err
}

// explainOutput says what did not fit where.
func explainOutput(err error, path string, size int) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	dir := filepath.Dir(path)
	n, _ := free(dir)
	return &InputError{fmt.Errorf("write %s: the disk is full: %d bytes are needed and %d are free; free some space, or choose another directory with --output-dir (what was measured is kept, the same command goes on)", path, size, n)}
}
