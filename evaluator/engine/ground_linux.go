package engine

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve is a range of n addresses that cost nothing before they are written, in the system's usual pages: a virtual machine whose host takes free memory back
// gets large ones from it anew each time. The garbage collector knows nothing of it: abandon ends it. Where the system refuses, it is ordinary memory.
func reserve(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return make([]byte, n)
	}
	return b
}

// abandon ends what reserve gave; ordinary memory is left to the garbage collector.
func abandon(b []byte) { _ = unix.Munmap(b) }

// forsake gives the memory of whole pages of b back to the system; what is read there next is zero or what was there.
func forsake(b []byte) {
	page := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	if n := (len(b) - skip) / page * page; n > 0 {
		_ = unix.Madvise(b[skip:skip+n], unix.MADV_DONTNEED)
	}
}
