package outlet

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// failing is a writer that takes some bytes of its first write and then none.
type failing struct {
	err   error
	taken bytes.Buffer
}

func (f *failing) Write(b []byte) (int, error) {
	n, _ := f.taken.Write(b[:len(b)/2])
	return n, f.err
}

// TestOutlet: nothing follows a write that failed, and only a closed pipe interrupts, once.
func TestOutlet(t *testing.T) {
	for _, c := range []struct {
		err    error
		unread int
	}{{syscall.ENOSPC, 0}, {&os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}, 1}} {
		to, unread := &failing{err: c.err}, 0
		o := New(to, func() { unread++ })
		n, err := o.Write([]byte("whole\n"))
		require.Equal(t, 3, n)
		var f *Failure
		require.ErrorAs(t, err, &f)
		require.ErrorIs(t, err, c.err)
		n, err = o.Write([]byte("next\n"))
		require.Zero(t, n)
		require.ErrorIs(t, err, c.err)
		require.Equal(t, "who", to.taken.String())
		require.Equal(t, c.unread, unread)
	}
}

// TestConclude: a reader that went away ends a program with Unread whatever it did; a full disk is lost output on one side and nothing
// on the other.
func TestConclude(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
	for _, c := range []struct {
		name      string
		out, errs error
		want      int
		lost      error
	}{
		{"all is written", nil, nil, 3, nil},
		{"a courtesy is lost", nil, errors.New("disk"), 3, nil},
		{"nobody reads what it says", nil, syscall.EPIPE, Unread, nil},
		{"nobody reads what it answers", syscall.EPIPE, nil, Unread, nil},
		{"no room for the answer", full, nil, 3, syscall.ENOSPC},
		{"no room, and another file says so", syscall.EDQUOT, nil, 3, syscall.EDQUOT},
		{"no room, and nobody to tell", full, syscall.EPIPE, Unread, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			outlets := [2]*Outlet{}
			for i, err := range []error{c.out, c.errs} {
				outlets[i] = New(&failing{err: err}, func() {})
				_, _ = outlets[i].Write([]byte("answer\n"))
			}
			end, lost := Conclude(3, outlets[0], outlets[1])
			require.Equal(t, []any{c.want, c.lost}, []any{end, lost})
		})
	}
}
