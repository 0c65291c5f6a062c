package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/plan"
)

// Bucket is a store in a JetStream object store. A server that does not answer, because it is busy or restarts, is asked
// again for a minute.
type Bucket struct{ os jetstream.ObjectStore }

// NewBucket wraps an object store bucket that exists.
func NewBucket(os jetstream.ObjectStore) *Bucket { return &Bucket{os} }

// Put implements Store. Two puts of the same object at the same time both write; the bytes are equal, so either stands.
func (s *Bucket) Put(ctx context.Context, b []byte) (plan.Digest, error) {
	d := DigestOf(b)
	if ok, err := s.Has(ctx, d); err != nil || ok {
		return d, err
	}
	err := Patiently(ctx, func(ctx context.Context) error {
		_, err := s.os.PutBytes(ctx, name(d), b)
		return err
	})
	if err != nil {
		return plan.Digest{}, fmt.Errorf("object %.8x of %d bytes: put: %w: %w", d[:], len(b), ErrUnavailable, err)
	}
	return d, nil
}

// Get implements Store. What has begun is not cancelled: nats.go leaves a goroutine behind for good when that happens
// while it subscribes. So the object is looked up first: a store out of reach is found out within ctx.
func (s *Bucket) Get(ctx context.Context, d plan.Digest) (b []byte, err error) {
	if ok, err := s.Has(ctx, d); err != nil {
		return nil, err
	} else if !ok {
		return nil, fmt.Errorf("object %.8x: %w", d[:], ErrAbsent)
	}
	err = Patiently(ctx, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryTime)
		defer cancel()
		b, err = s.os.GetBytes(ctx, name(d))
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return nil, fmt.Errorf("object %.8x: %w", d[:], ErrAbsent)
	case errors.Is(err, jetstream.ErrDigestMismatch):
		return nil, fmt.Errorf("object %.8x: %w: %w", d[:], errDamaged, err)
	case err != nil:
		return nil, fmt.Errorf("object %.8x: get: %w: %w", d[:], ErrUnavailable, err)
	}
	return b, verify(d, b)
}

// Has implements Store.
func (s *Bucket) Has(ctx context.Context, d plan.Digest) (bool, error) {
	err := Patiently(ctx, func(ctx context.Context) error {
		_, err := s.os.GetInfo(ctx, name(d))
		return err
	})
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return false, nil
	}
	return false, fmt.Errorf("object %.8x: look up: %w: %w", d[:], ErrUnavailable, err)
}

// tryTime bounds one request, patience all tries together.
const (
	tryTime  = 20 * time.Second
	patience = time.Minute
)

// Patiently repeats a request that a JetStream server left without an answer, because it is busy, restarts or is
// disconnected, for a minute or as long as ctx lives; one try has 20 seconds. request must bear being repeated, also where an
// earlier try took effect. Its last error is returned as it is, ctx's when it ended between two tries.
func Patiently(ctx context.Context, request func(context.Context) error) error {
	deadline := time.Now().Add(patience)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		try, cancel := context.WithTimeout(ctx, tryTime)
		err := request(try)
		cancel()
		if !unanswered(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func unanswered(err error) bool {
	for _, e := range []error{context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, jetstream.ErrNoStreamResponse, nats.ErrDisconnected, nats.ErrConnectionReconnecting} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
