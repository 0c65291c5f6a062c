package wire

import (
	"bytes"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

// DecodeTask reads a Task and checks its bounds.
func DecodeTask(b []byte) (Task, error) {
	t, err := decode[Task]("task", b, Version)
	if err != nil {
		return Task{}, err
	}
	if cells := len(t.Plans) * len(t.Blocks); cells == 0 || cells > MaxCells {
		return Task{}, fmt.Errorf("task of %d plans on %d blocks: between 1 and %d cells are allowed", len(t.Plans), len(t.Blocks), MaxCells)
	}
	for i, p := range t.Plans {
		if n := len(p.Float); n > 0 && p.Float[n-1] == 0 {
			return Task{}, fmt.Errorf("task: the last of the %d words of groups of plan %d is empty", n, i)
		}
	}
	return t, nil
}

// DecodeResult reads a Result.
func DecodeResult(b []byte) (Result, error) { return decode[Result]("result", b, ResultVersion) }

// DecodeClaim reads a Claim.
func DecodeClaim(b []byte) (Claim, error) { return decode[Claim]("claim", b, Version) }

// DecodeHeartbeat reads a Heartbeat.
func DecodeHeartbeat(b []byte) (Heartbeat, error) { return decode[Heartbeat]("heartbeat", b, Version) }

// DecodeFailure reads a Failure.
func DecodeFailure(b []byte) (Failure, error) {
	f, err := decode[Failure]("failure", b, Version)
	if err == nil && (f.Class < Broken || f.Class > Stuck) {
		return Failure{}, fmt.Errorf("failure of class %d, which does not exist", f.Class)
	}
	return f, err
}

// decode reads a message whose layout has the wanted version. The version is the first element of every message, so that
// one of another version is recognised before its layout is trusted.
func decode[M message](what string, b []byte, want uint8) (m M, err error) {
	var none M
	if len(b) > MaxMessage {
		return none, fmt.Errorf("%s of %d bytes is over the bound of %d", what, len(b), MaxMessage)
	}
	version, err := peekVersion(b)
	if err != nil {
		return none, fmt.Errorf("%s: %w", what, err)
	}
	if version != want {
		return none, fmt.Errorf("%s of version %d, this program speaks %d (update the older side): %w", what, version, want, ErrVersion)
	}
	if err := bounded(b); err != nil {
		return none, fmt.Errorf("%s: %w", what, err)
	}
	if err := msgpack.Unmarshal(b, &m); err != nil {
		return none, fmt.Errorf("%s: %w", what, err)
	}
	again, err := Encode(m)
	if err != nil {
		return none, fmt.Errorf("%s: %w", what, err)
	}
	if !bytes.Equal(again, b) {
		return none, fmt.Errorf("%s of %d bytes is not spelled as this program spells it", what, len(b))
	}
	return m, nil
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
