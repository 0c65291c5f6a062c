// Package wire is what coordinator and evaluators say to each other: tasks, results, failures and heartbeats as msgpack,
// and the subjects they travel on. Messages carry digests, never tensors. A connection, a graph or a decision may not
// enter.
//
// Every message is a concrete versioned struct. A decoder refuses an unknown version, more bytes than MaxMessage, trailing
// bytes, and lists beyond the stated bounds, before it allocates for them; whatever it is fed it answers with an error.
package wire

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"assay/shared/plan"
)

// Version is the layout of the messages below. It rises when a field changes its meaning or place.
const Version = 1

// Bounds that a decoder checks and an encoder keeps.
const (
	MaxMessage = 512 << 10 // bytes of one message, under JetStream's default payload of 1 MiB
	MaxCells   = 64        // plans x blocks of one task
	MaxWords   = 1 << 12   // words of one plan: 262,144 groups
	MaxText    = 4 << 10   // bytes of one text
)

// ErrVersion is wrapped by every decoder that meets a message of another version: the sender runs another release.
var ErrVersion = errors.New("message of another version")

// Task is a parcel of cells for one delivery: every plan on every block, blocks outermost so that plans share prefixes.
// Invariants: 1 <= len(Plans)*len(Blocks) <= MaxCells. Deadline is Unix seconds after which nobody waits for it, 0 for none.
type Task struct {
	V        uint8
	Problem  plan.Digest
	Plans    []plan.Plan
	View     plan.Digest
	Blocks   []uint32
	What     plan.What
	Ref      plan.Digest
	Job      string
	Deadline int64
}

// Result is the value of one cell. Records is empty when the value is too large for a message: then Object names it in
// the object store. Node, tier, build and time stand in the message's headers, since they are no part of the value.
type Result struct {
	V       uint8
	Cell    plan.Digest
	Records []byte
	Object  plan.Digest
	Faults  []SampleFault
}

// SampleFault says that one sample has no record and why. Sample is its index in the data set.
type SampleFault struct {
	Sample uint32
	Text   string
}

// Failure says that a cell cannot be computed and would fail again: nobody should retry it as it is. Input says that the
// user can mend it: a setting or the data is the cause.
type Failure struct {
	V    uint8
	Cell plan.Digest
	Job  string
	Node string
	Text string

	Input bool
}

// Heartbeat is what a node says of itself every HeartbeatEvery. Slots is the number of tasks that it works on at a time.
type Heartbeat struct {
	V        uint8
	Node     string
	Numerics string
	Tier     string
	Build    string
	Slots    uint16
	Done     uint64 // cells since the start
	Leaving  bool
}

// Encode writes any of the messages above.
func Encode[M Task | Result | Failure | Heartbeat](m M) ([]byte, error) {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.UseArrayEncodedStructs(true)
	e.UseCompactInts(true)
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("message %T: %w", m, err)
	}
	if b.Len() > MaxMessage {
		return nil, fmt.Errorf("message %T of %d bytes is over the bound of %d", m, b.Len(), MaxMessage)
	}
	return b.Bytes(), nil
}

// DecodeTask reads a Task and checks its bounds.
func DecodeTask(b []byte) (Task, error) {
	var t Task
	err := decode("task", b, &t, &t.V)
	switch cells := len(t.Plans) * len(t.Blocks); {
	case err != nil:
		return Task{}, err
	case cells == 0 || len(t.Plans) > MaxCells || len(t.Blocks) > MaxCells || cells > MaxCells:
		return Task{}, fmt.Errorf("task of %d plans on %d blocks: between 1 and %d cells are allowed", len(t.Plans), len(t.Blocks), MaxCells)
	case len(t.Job) > MaxText:
		return Task{}, fmt.Errorf("task: job name of %d bytes is over the bound of %d", len(t.Job), MaxText)
	}
	for i, p := range t.Plans {
		if len(p.Float) > MaxWords || len(p.Float) > 0 && p.Float[len(p.Float)-1] == 0 {
			return Task{}, fmt.Errorf("task: plan %d has %d words of groups, at most %d and none of them empty at the end", i, len(p.Float), MaxWords)
		}
	}
	return t, nil
}

// DecodeResult reads a Result.
func DecodeResult(b []byte) (Result, error) {
	var r Result
	if err := decode("result", b, &r, &r.V); err != nil {
		return Result{}, err
	}
	return r, nil
}

// DecodeFailure reads a Failure.
func DecodeFailure(b []byte) (Failure, error) {
	var f Failure
	if err := decode("failure", b, &f, &f.V); err != nil {
		return Failure{}, err
	}
	return f, nil
}

// DecodeHeartbeat reads a Heartbeat.
func DecodeHeartbeat(b []byte) (Heartbeat, error) {
	var h Heartbeat
	if err := decode("heartbeat", b, &h, &h.V); err != nil {
		return Heartbeat{}, err
	}
	return h, nil
}

// decode fills m from b. v points at m's version, which is the first element of every message, so that a message of
// another version is recognised before its layout is trusted.
func decode(what string, b []byte, m any, v *uint8) error {
	if len(b) > MaxMessage {
		return fmt.Errorf("%s of %d bytes is over the bound of %d", what, len(b), MaxMessage)
	}
	version, err := peekVersion(b)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if version != Version {
		return fmt.Errorf("%s of version %d, this program speaks %d (update the older side): %w", what, version, Version, ErrVersion)
	}
	if err := bounded(b); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	r := bytes.NewReader(b)
	d := msgpack.NewDecoder(r)
	if err := d.Decode(m); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if r.Len() > 0 {
		return fmt.Errorf("%s: %d bytes behind its end", what, r.Len())
	}
	*v = version
	return nil
}

// peekVersion reads the first element of the array that every message is.
func peekVersion(b []byte) (uint8, error) {
	d := msgpack.NewDecoder(bytes.NewReader(b))
	n, err := d.DecodeArrayLen()
	if err != nil || n < 1 {
		return 0, fmt.Errorf("not a message of this program (%d bytes)", len(b))
	}
	v, err := d.DecodeUint8()
	if err != nil {
		return 0, fmt.Errorf("no version in front: %w", err)
	}
	return v, nil
}
