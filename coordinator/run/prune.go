package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Kept is a state directory as prune sees it. One that a job holds may change while it is looked at.
type Kept struct {
	Dir   string
	Bytes int64     // of everything below it, the user's own files included, as they take room on the disk: holes not counted
	Used  time.Time // when a job or replay opened it last
}

// StatesDir is where state directories are made when the user names none: assay in the user's cache directory. It need not exist. The
// error is that of a user without a home.
func StatesDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("state directory: %w (name one with --state-dir)", err)
	}
	return filepath.Join(base, "assay"), nil
}

// States lists the state directories directly below base, the one that was not used for longest first, equal ones by name. What is none is
// left out; a base that does not exist has none.
func States(base string) ([]Kept, error) {
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state directories: %w", err)
	}
	var out []Kept
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		k, err := StateAt(filepath.Join(base, e.Name()))
		if errors.Is(err, errNoState) {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	slices.SortStableFunc(out, func(a, b Kept) int { return a.Used.Compare(b.Used) })
	return out, nil
}

// errNoState marks a directory that no job made.
var errNoState = errors.New("not a state directory")

// StateAt describes one state directory, without locking it; an InputError when dir is none.
func StateAt(dir string) (Kept, error) {
	k := Kept{Dir: dir}
	lock, err := os.Stat(filepath.Join(dir, lockFile))
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, brokerDir))
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return k, &InputError{fmt.Errorf("%s is %w: report.json names a job's under run.state", dir, errNoState)}
	}
	if err != nil {
		return k, fmt.Errorf("state directory: %w", err)
	}
	k.Used = lock.ModTime()
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return skipGone(err)
		}
		info, err := e.Info()
		if err == nil {
			k.Bytes += occupied(info)
		}
		return skipGone(err)
	})
	if err != nil {
		return k, fmt.Errorf("state directory: %w", err)
	}
	return k, nil
}

// skipGone ignores that a running job removed a file meanwhile.
func skipGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// occupied is what a file takes on its disk, where that can be told: a broker makes files that are mostly holes.
func occupied(info fs.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512
	}
	return info.Size()
}

// Prune removes what jobs keep in a state directory, and the directory if nothing else is in it. One that a process holds
// is an InputError, and so is a directory that is none. A kill in between leaves a directory that StateAt may not
// recognise any more but OpenState does.
func Prune(dir string) error {
	if _, err := StateAt(dir); err != nil {
		return err
	}
	state, err := OpenState(dir)
	if err != nil {
		return &InputError{err}
	}
	defer state.Close()
	// The lock goes last: until then nobody can begin a job in what is left.
	for _, name := range []string{memoryFile, decodedDir, brokerDir, lockFile} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("prune: %w", err)
		}
	}
	_ = os.Remove(dir) // not when the user keeps files there
	return nil
}
