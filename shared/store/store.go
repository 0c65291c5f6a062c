// Package store keeps content-addressed objects: models, params, views, samples. An object's name is the SHA-256 of its
// bytes, so it never changes, two writers of the same object agree, and a reader can check what it got. A message, a
// decision or a format may not enter.
//
// Contract of every back end: Put of an object that is there is success and writes nothing; Get of one that is absent
// answers ErrAbsent; Get verifies the bytes and never hands out wrong ones; a back end out of reach answers ErrUnavailable;
// all are safe for concurrent use. Bytes given to
// Put and got from Get are read-only from then on.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"assay/shared/plan"
)

// Store is where objects live.
type Store interface {
	Put(ctx context.Context, b []byte) (plan.Digest, error)
	Get(ctx context.Context, d plan.Digest) ([]byte, error)
	Has(ctx context.Context, d plan.Digest) (bool, error)
}

// ErrAbsent is wrapped by Get when no object has that name. It does not occur for a broker that cannot be reached.
var ErrAbsent = errors.New("object is not in the store")

// ErrUnavailable is wrapped when a store cannot be reached or used at the moment: the same call may succeed later. An absent
// or damaged object is none.
var ErrUnavailable = errors.New("the store does not answer")

// DigestOf names bytes.
func DigestOf(b []byte) plan.Digest { return sha256.Sum256(b) }

// name is the spelling of a digest in back ends and messages.
func name(d plan.Digest) string { return hex.EncodeToString(d[:]) }

var errDamaged = errors.New("the store is damaged (remove the state directory, or the OBJECTS bucket, and run again)")

// verify is the one place where bytes are held against their name.
func verify(d plan.Digest, b []byte) error {
	if got := DigestOf(b); got != d {
		return fmt.Errorf("object %.8x has the bytes of object %.8x: %w", d[:], got[:], errDamaged)
	}
	return nil
}
