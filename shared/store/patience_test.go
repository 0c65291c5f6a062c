package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"assay/shared/store"
)

// TestPatiently: a request without an answer is made again, one with an answer is not, whatever the answer is.
func TestPatiently(t *testing.T) {
	for name, c := range map[string]struct {
		answers []error
		calls   int
		want    error
	}{
		"answered":              {[]error{nil}, 1, nil},
		"refused":               {[]error{jetstream.ErrObjectNotFound, nil}, 1, jetstream.ErrObjectNotFound},
		"silent, then answered": {[]error{context.DeadlineExceeded, nil}, 2, nil},
		"away, then refused":    {[]error{fmt.Errorf("look up: %w", nats.ErrNoResponders), nats.ErrTimeout, jetstream.ErrMsgNotFound}, 3, jetstream.ErrMsgNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			err := store.Patiently(t.Context(), func(context.Context) error {
				calls++
				return c.answers[calls-1]
			})
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.calls, calls)
		})
	}
}

// TestPatientlyEndsWithItsContext: nobody waits for a server whose answer is not wanted any more.
func TestPatientlyEndsWithItsContext(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	calls := 0
	err := store.Patiently(ctx, func(context.Context) error {
		calls++
		cancel(cause)
		return nats.ErrTimeout
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, calls)
}
