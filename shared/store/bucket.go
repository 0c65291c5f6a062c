package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/plan"
)

// Bucket is a store in a JetStream object store.
type Bucket struct{ os jetstream.ObjectStore }

// NewBucket wraps an object store bucket that exists.
func NewBucket(os jetstream.ObjectStore) *Bucket { return &Bucket{os} }

// Put implements Store. Two puts of the same object at the same time both write; the bytes are equal, so either stands.
func (s *Bucket) Put(ctx context.Context, b []byte) (plan.Digest, error) {
	d := DigestOf(b)
	if ok, err := s.Has(ctx, d); err != nil || ok {
		return d, err
	}
	if _, err := s.os.PutBytes(ctx, name(d), b); err != nil {
		return plan.Digest{}, fmt.Errorf("object %.8x of %d bytes: put: %w: %w", d[:], len(b), ErrUnavailable, err)
	}
	return d, nil
}

// getTime bounds the fetch of one object.
const getTime = 30 * time.Second

// Get implements Store. What has begun is not cancelled: nats.go leaves a goroutine behind for good when that happens
// while it subscribes.
func (s *Bucket) Get(ctx context.Context, d plan.Digest) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("object %.8x: get: %w", d[:], err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), getTime)
	defer cancel()
	b, err := s.os.GetBytes(ctx, name(d))
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
	_, err := s.os.GetInfo(ctx, name(d))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return false, nil
	}
	return false, fmt.Errorf("object %.8x: look up: %w: %w", d[:], ErrUnavailable, err)
}
