// Package wire is what coordinator and evaluators say to each other: tasks, results, claims, failures and heartbeats as
// msgpack, and the subjects they travel on. Messages carry digests, never tensors. A connection, a graph or a decision may
// not enter.
//
// Every message is a concrete versioned struct with one spelling. A decoder refuses an unknown version, more bytes than
// MaxMessage, lists and texts beyond the stated bounds before it allocates for them, and every spelling but that of Encode
// (missing or further fields, trailing bytes); whatever it is fed it answers with an error.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/vmihailenco/msgpack/v5"

	"assay/shared/plan"
)

// Versions of the layouts below. One rises when a field changes its meaning or place. Results have their own, since they are
// stored for ever and the other messages are of the moment.
const (
	Version       = 2
	ResultVersion = 1
)

// Bounds that encoders keep and decoders check.
const (
	MaxMessage = 512 << 10 // bytes of one message, under JetStream's default payload of 1 MiB
	MaxCells   = 64        // plans x blocks of one task
	MaxWords   = 1 << 12   // words of one plan: 262,144 groups; no list of any message is longer
	MaxText    = 4 << 10   // bytes of one text
)

// ErrVersion is wrapped by every decoder that meets a message of another version: the sender runs another release.
var ErrVersion = errors.New("message of another version")

// Task is a parcel of cells for one delivery: every plan on every block, blocks outermost so that plans share prefixes.
// Number is the coordinator's own name for this sending of it, unique within Job; claims and failures repeat it. Deadline is
// Unix seconds after which nobody waits for it, 0 for none. Invariants: 1 <= len(Plans)*len(Blocks) <= MaxCells, and each plan
// is canonical.
type Task struct {
	V        uint8 // Version
	Problem  plan.Digest
	Plans    []plan.Plan
	View     plan.Digest
	Blocks   []uint32
	What     plan.What
	Ref      plan.Digest
	Job      string
	Number   uint64
	Deadline int64
}

// Result is the value of one cell, as plan.What describes it. Records is empty when the value is too large for a message: then
// Object, else zero, names it in the object store. Node, tier, build and time stand in the message's headers, since they are no
// part of the value.
type Result struct {
	V       uint8 // ResultVersion
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

// Claim says that a node begins to work on a delivery of task Number. Should the delivery end without a word, the claim
// tells whose silence it was, and Started (the node's start in Unix nanoseconds) whether that process still lives.
type Claim struct {
	V       uint8
	Job     string
	Number  uint64
	Node    string
	Started int64
}

// Class says what a failure means for its task.
type Class uint8

// The classes of failures.
const (
	Broken    Class = iota + 1 // the cell would fail again anywhere
	BadInput                   // the same, and a setting or the user's data is the cause
	Transient                  // the moment is to blame (a time-out, a store that does not answer): send it again
	Leaving                    // the node was told to stop: send it again
	Stuck                      // no sample was finished for minutes; the node has stopped to vouch for the task
)

// Failure says how a delivery of task Number ended, or got stuck, without all its results. Cell is the one in work, zero
// when none was begun.
type Failure struct {
	V      uint8
	Class  Class
	Job    string
	Number uint64
	Cell   plan.Digest
	Node   string
	Text   string
}

// Heartbeat is what a node says of itself every HeartbeatEvery. Slots is the number of tasks that it works on at a time;
// Started tells two processes of one name apart.
type Heartbeat struct {
	V        uint8
	Node     string
	Started  int64 // Unix nanoseconds
	Numerics string
	Tier     string
	Build    string
	Slots    uint16
	Done     uint64 // cells since the start
	Leaving  bool
}

// message is every type that travels.
type message interface {
	Task | Result | Claim | Failure | Heartbeat
}

// Encode writes a message as it is, V too, which the sender sets. One beyond the bounds is an error; what a decoder checks beyond
// them (the number of cells, the class) is not looked at.
func Encode[M message](m M) ([]byte, error) {
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
	if err := bounded(b.Bytes()); err != nil {
		return nil, fmt.Errorf("message %T: %w", m, err)
	}
	return b.Bytes(), nil
}

// Clip keeps a text within what a message may hold: of a longer one the beginning, up to MaxText bytes in whole characters.
func Clip(s string) string {
	if len(s) > MaxText {
		s = strings.ToValidUTF8(s[:MaxText], "")
	}
	return s
}
