//go:build unix

package mapped

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errTooLarge says that a file does not fit into the address space.
var errTooLarge = errors.New("more bytes than this machine can address")

func mapFile(path string, size int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the mapping outlives the descriptor
	if int64(int(size)) != size {
		return nil, &os.PathError{Op: "map", Path: path, Err: errTooLarge}
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "map", Path: path, Err: err}
	}
	return b, nil
}
