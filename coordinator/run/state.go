package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"assay/shared/broker"
)

// State is a job's memory on disk, one directory a model, held by one opener at a time until Close.
type State struct {
	Dir  string
	lock *os.File
}

// What a state directory holds beside memoryFile.
const (
	lockFile   = "lock"
	brokerDir  = "broker"
	decodedDir = "decoded"
)

// DefaultStateDir is where results are kept when the user names no directory: one directory per model, named after the file
// and the first six bytes of its content's SHA-256, in the user's cache. It makes nothing.
func DefaultStateDir(modelPath string, content [32]byte) (string, error) {
	base, err := StatesDir()
	if err != nil {
		return "", err
	}
	stem := strings.TrimSuffix(filepath.Base(modelPath), filepath.Ext(modelPath))
	return filepath.Join(base, fmt.Sprintf("%s-%x", stem, content[:6])), nil
}

// OpenState makes dir if needed and locks it, without waiting; the error names the holder when somebody, also in this process, has it. The lock is
// flock's: it goes with the process, however that ends, and means little on a network's file system. The text in the file is for people
// only; that it is written anew is how States knows when the directory was used last.
func OpenState(dir string) (*State, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("state directory: %w (choose another with --state-dir)", err)
	}
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w (choose another with --state-dir)", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("state directory %s is in use by %s: wait for it, or choose another with --state-dir", dir, strings.TrimSpace(string(holder)))
		}
		return nil, fmt.Errorf("state directory %s: lock: %w", dir, err)
	}
	host, _ := os.Hostname()
	if err := f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "process %d on %s\n", os.Getpid(), host)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("state directory %s: %w", dir, err)
		}
	}
	return &State{Dir: dir, lock: f}, nil
}

// Broker is the directory of the embedded broker, which makes it.
func (s *State) Broker() string { return filepath.Join(s.Dir, brokerDir) }

// embed starts the broker on what the directory holds. That it does not start is the directory's fault, and so bad input.
func (s *State) embed() (*broker.Broker, error) {
	b, err := broker.Embed(s.Broker())
	if err != nil {
		return nil, &InputError{fmt.Errorf("state directory: %w (choose another with --state-dir, or remove what is damaged: it is computed again)", err)}
	}
	return b, nil
}

// Decoded is the directory of what pictures became, see shelf.
func (s *State) Decoded() string { return filepath.Join(s.Dir, decodedDir) }

// Close gives the directory free. Whatever writes there must have ended.
func (s *State) Close() error { return s.lock.Close() }
