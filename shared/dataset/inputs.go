package dataset

import (
	"fmt"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// Decoder names the rules by which files became bytes; it is part of Inputs, so that numbers computed from other pixels
// have another digest. Change it whenever one decoded byte may change.
const Decoder = "assay-pixels-1"

// Inputs is the manifest of the decoded samples; the SHA-256 of its encoding is plan.Problem.Inputs. Every stream holds
// Count samples; sample i of each belongs together.
type Inputs struct {
	Decoder string
	Count   uint32
	Streams []Stream
}

// Stream is the data of one model input.
//
// Rows is how many rows of the model's batch axis one sample fills: 1 as a rule; more when the user's samples carry a
// batch axis of their own; 0 when the input has no batch axis (rank 0), and then samples are fed one by one.
//
// A stored sample becomes a fed one in this order: channels reversed (Swap), affine and conversion to Want, layout.
type Stream struct {
	Input string
	DType tensor.DType // as stored
	Want  tensor.DType // as the model wants it: DType itself, or Float32
	From  string       // layout of the stored sample: NCHW, NHWC or "" (no channels)
	To    string       // layout the model wants: equal to From, or its counterpart
	Swap  bool         // reverse the order of the channels, before the affine
	Affine
	Rows   uint32
	Pieces []Piece
}

// Piece is Count samples of one shape, one after the other, as the stored object Digest: little-endian elements in row-major order
// and nothing else. Shape is the shape of one sample in layout From: without the batch axis when Rows is 0 or 1, beginning with
// Rows when it is more.
type Piece struct {
	Digest plan.Digest
	Shape  []uint32
	Count  uint32
}

// Bounds of a manifest. They only keep a hostile one from costing memory; real ones are far below.
const (
	maxStreams = 256
	maxRank    = 16
	maxSample  = 1 << 31 // bytes of one sample, stored or fed
)

// Check reports a manifest that Feed could not obey: streams of one input, types or layouts that no conversion exists for, pieces
// that hold other numbers of samples than Count, samples beyond 2 GiB. What the pieces hold is seen when they are fetched.
func (in Inputs) Check() error {
	if len(in.Streams) > maxStreams {
		return fmt.Errorf("inputs: %d streams, at most %d are allowed", len(in.Streams), maxStreams)
	}
	seen := make(map[string]bool, len(in.Streams))
	for _, s := range in.Streams {
		if seen[s.Input] {
			return fmt.Errorf("inputs: model input %q has two streams", s.Input)
		}
		seen[s.Input] = true
		if err := s.check(in.Count, s.Pieces...); err != nil {
			return fmt.Errorf("inputs: model input %q: %w", s.Input, err)
		}
	}
	return nil
}

// check reports a stream that Feed could not obey, if it had the given pieces.
func (s Stream) check(count uint32, pieces ...Piece) error {
	if s.DType.Size() == 0 || s.Want.Size() == 0 {
		return fmt.Errorf("element types %s and %s: both need a fixed size", s.DType, s.Want)
	}
	if s.Want != s.DType && (s.Want != tensor.Float32 || !floatable(s.DType)) {
		return fmt.Errorf("%s is stored and cannot be fed as %s", s.DType, s.Want)
	}
	if !s.Affine.None() && s.Want != tensor.Float32 {
		return fmt.Errorf("normalisation needs a float32 input, the model wants %s", s.Want)
	}
	if s.From != s.To && !(layout(s.From) && layout(s.To)) || s.From == "" && s.Swap {
		return fmt.Errorf("layouts %q and %q: NCHW or NHWC is needed to move or swap channels", s.From, s.To)
	}
	var n uint64
	for _, p := range pieces {
		if err := s.checkPiece(p); err != nil {
			return err
		}
		n += uint64(p.Count)
	}
	if n != uint64(count) {
		return fmt.Errorf("pieces hold %d samples, the manifest promises %d", n, count)
	}
	return nil
}

// checkPiece bounds the bytes of one sample and matches channels with the affine.
func (s Stream) checkPiece(p Piece) error {
	size := uint64(4)
	for _, d := range p.Shape {
		if size *= uint64(max(d, 1)); size > maxSample {
			return fmt.Errorf("a sample of shape %v is larger than %d bytes", p.Shape, maxSample)
		}
	}
	if len(p.Shape) > maxRank {
		return fmt.Errorf("a sample has rank %d, at most %d is allowed", len(p.Shape), maxRank)
	}
	if s.Rows > 1 && (len(p.Shape) == 0 || p.Shape[0] != s.Rows) {
		return fmt.Errorf("sample shape %v does not begin with its %d rows", p.Shape, s.Rows)
	}
	c, err := s.channels(p.Shape)
	if err != nil {
		return err
	}
	return s.Affine.check(c)
}

// row is the shape of one row: the sample's shape without its own batch axis.
func (s Stream) row(shape []uint32) []uint32 {
	if s.Rows > 1 {
		return shape[1:]
	}
	return shape
}

// channels is the number of channels of a sample in layout From, 1 where it has none.
func (s Stream) channels(shape []uint32) (int, error) {
	row := s.row(shape)
	switch {
	case s.From == "":
		return 1, nil
	case len(row) < 2:
		return 0, fmt.Errorf("sample shape %v has no room for layout %s", shape, s.From)
	case s.From == NCHW:
		return int(row[0]), nil
	}
	return int(row[len(row)-1]), nil
}

// The layouts of a row. The names are those of two-dimensional pictures; other ranks follow the same rule (channels
// first or last).
const (
	NCHW = "NCHW"
	NHWC = "NHWC"
)

func layout(s string) bool { return s == NCHW || s == NHWC }
