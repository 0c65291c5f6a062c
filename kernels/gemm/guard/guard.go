// Package guard is for tests of kernels: memory whose neighbours cannot be touched unnoticed. Nothing but a test may
// import it.
//
// A slice from Slice ends where a page without access begins, so an access past its end stops the test binary; before its
// start lie canaries, which are compared when the test ends. A read before the start goes unseen.
package guard

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Element is what kernels read and write.
type Element interface {
	uint8 | int8 | int16 | int32 | float32
}

const canary = 0xa5

// Slice returns n elements, zeroed, that end at a page without access. At the end of the test it is released, after a write
// before its start was reported; a system that gives no such pages ends the test at once.
func Slice[T Element](t testing.TB, n int) []T {
	t.Helper()
	var v T
	size, page := n*int(unsafe.Sizeof(v)), unix.Getpagesize()
	whole := (size + page) / page * page // at least one byte of canaries
	mem, err := unix.Mmap(-1, 0, whole+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatalf("map %d bytes: %v", whole+page, err)
	}
	if err := unix.Mprotect(mem[whole:], unix.PROT_NONE); err != nil {
		t.Fatalf("protect the page behind %d bytes: %v", whole, err)
	}
	before := mem[:whole-size]
	for i := range before {
		before[i] = canary
	}
	t.Cleanup(func() {
		for i, b := range before {
			if b != canary {
				t.Errorf("byte %d before a slice of %d was written", len(before)-i, size)
				break
			}
		}
		if err := unix.Munmap(mem); err != nil {
			t.Errorf("unmap: %v", err)
		}
	})
	if n == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[whole-size])), n)
}

// Copy returns a Slice with the elements of s, which is left alone.
func Copy[T Element](t testing.TB, s []T) []T {
	t.Helper()
	c := Slice[T](t, len(s))
	copy(c, s)
	return c
}
