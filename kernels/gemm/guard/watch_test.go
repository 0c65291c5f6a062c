package guard

import (
	"fmt"
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// watched is a test whose complaints are kept, not reported, and whose end is called by hand.
type watched struct {
	testing.TB
	errors []string
	end    []func()
}

func (w *watched) Helper()                   {}
func (w *watched) Cleanup(f func())          { w.end = append(w.end, f) }
func (w *watched) Errorf(s string, a ...any) { w.errors = append(w.errors, fmt.Sprintf(s, a...)) }

// finish ends the test and gives what it complained about.
func (w *watched) finish() []string {
	for _, f := range w.end {
		f()
	}
	return w.errors
}

// poke writes b at distance d from the first byte of s.
func poke(s []uint8, d int, b byte) { *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(s)), d)) = b }

// TestAWriteBeforeASliceIsReported, at the nearest byte and at the farthest of the page, once, with its distance.
func TestAWriteBeforeASliceIsReported(t *testing.T) {
	page := unix.Getpagesize()
	for _, n := range []int{1, 100, page - 1, page, page + 1} {
		room := (n+page)/page*page - n
		for _, d := range []int{1, room} {
			w := &watched{TB: t}
			poke(Slice[uint8](w, n), -d, 0)
			require.Equal(t, []string{fmt.Sprintf("byte %d before a slice of %d was written", d, n)}, w.finish())
		}
		w := &watched{TB: t}
		s := Slice[uint8](w, n)
		poke(s, 0, 0)
		poke(s, n-1, 0)
		require.Empty(t, w.finish(), "its own bytes may be written")
	}
}

// TestAnAccessPastASliceFaults: the first byte behind the last element cannot be read or written, in every length.
func TestAnAccessPastASliceFaults(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	page := unix.Getpagesize()
	for _, n := range []int{1, 7, page - 1, page, page + 1} {
		s := Slice[uint8](t, n)
		require.Panics(t, func() { poke(s, n, 0) }, "write behind %d", n)
		require.Panics(t, func() { s[0] = *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(s)), n)) }, "read behind %d", n)
	}
	wide := Slice[int32](t, 3)
	require.Zero(t, (uintptr(unsafe.Pointer(&wide[0]))+12)%uintptr(page), "elements of four bytes end at the page as well")
}

// TestACopyIsItsOwnMemory: writing one of the two leaves the other.
func TestACopyIsItsOwnMemory(t *testing.T) {
	from := []float32{1, 2, 3}
	to := Copy(t, from)
	to[1], from[2] = 7, 9
	require.Equal(t, []float32{1, 2, 9}, from)
	require.Equal(t, []float32{1, 7, 3}, to)
}
