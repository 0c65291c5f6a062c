// Package mapped gives the bytes of large files without reading them first: weights beside a model, arrays of samples. What the bytes
// mean may not enter it, nor may files that are written.
//
// A file that another program shortens while it is mapped takes the process down when the missing bytes are read, but under Careful. Files
// that people keep are replaced and seldom rewritten, so that is accepted where bytes are read all the time; small files are better read.
package mapped

import (
	"errors"
	"os"
	"runtime/debug"
)

// ErrIrregular says that a path leads to no regular file: a pipe, a device or a folder. It is not opened, since that may block.
var ErrIrregular = errors.New("is no regular file")

// File gives the bytes of a regular file, read-only, for the life of the process: writing to them is a fault. They begin at the start of a
// page; an empty file has none. Their memory is the system's cache, which it takes back and fills again as it likes. Systems without
// mappings read the file as a whole. Errors are *os.PathError. Safe for concurrent use.
func File(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "map", Path: path, Err: ErrIrregular}
	}
	if info.Size() == 0 {
		return nil, nil
	}
	return mapFile(path, info.Size())
}

// ErrShortened says that bytes of a file are not there any more.
var ErrShortened = errors.New("was shortened while it was read")

// Careful runs f, which reads mapped bytes in this goroutine. Where their file has become shorter meanwhile it gives ErrShortened, and
// what f did so far stays. Other panics of f go on. Safe for concurrent use.
func Careful(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }: // a fault at an address, as package runtime reports it
			err = ErrShortened
		default:
			panic(r)
		}
	}()
	return f()
}
