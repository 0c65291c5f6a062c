// Package store keeps content-addressed objects: models, params, views, samples. An object's name is the SHA-256 of its
// bytes, so it never changes, two writers of the same object agree, and a reader can check what it got. A message, a
// decision or a format may not enter.
//
// Contract of every back end: Put of an object that is there is success and writes nothing; Get of one that is absent
// answers ErrAbsent; Get verifies the bytes and never hands out wrong ones; a back end out of reach answers ErrUnavailable;
// all are safe for concurrent use. Bytes given to Put are the caller's again when it returns, those got from Get are
// shared and read-only.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"assay/shared/plan"
)

// Store is where objects live. Beside the errors of the contract a call may end with that of its context, which an
// ErrUnavailable wraps where the back end was asked.
type Store interface {
	// Put stores b, which may be empty, and returns its name.
	Put(ctx context.Context, b []byte) (plan.Digest, error)
	// Get returns the object. Bytes that are not those of the name are an error, and neither absent nor unavailable.
	Get(ctx context.Context, d plan.Digest) ([]byte, error)
	// Has reports whether Put has stored the object; its bytes are not looked at.
	Has(ctx context.Context, d plan.Digest) (bool, error)
}

// ErrAbsent is wrapped by Get when no object has that name. It does not occur for a broker that cannot be reached.
var ErrAbsent = errors.New("object is not in the store")

// ErrUnavailable is wrapped when a store cannot be reached or used at the moment (full, too): the same call may succeed later.
// An absent or damaged object is none.
var ErrUnavailable = errors.New("the store does not answer")

// DigestOf names bytes: plain SHA-256, without the kind that plan.DigestOf puts in front.
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
