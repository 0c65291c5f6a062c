package dataset

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/vmihailenco/msgpack/v5"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// tag begins every encoded manifest: the type's name separates its digests from those of other types, and the number
// changes with the form of the bytes.
const tag = "assay.dataset.Inputs/1"

// Encode gives the canonical bytes: msgpack arrays in the order of the fields, compact integers, no maps.
func (in Inputs) Encode() []byte {
	var b bytes.Buffer
	w := writer{msgpack.NewEncoder(&b)}
	w.UseCompactInts(true)
	w.array(4)
	w.str(tag)
	w.str(in.Decoder)
	w.uint(in.Count)
	w.array(len(in.Streams))
	for _, s := range in.Streams {
		w.stream(s)
	}
	return b.Bytes()
}

// writer drops the errors of the encoder: a bytes.Buffer has none.
type writer struct{ *msgpack.Encoder }

func (w writer) array(n int)   { _ = w.EncodeArrayLen(n) }
func (w writer) str(s string)  { _ = w.EncodeString(s) }
func (w writer) uint(n uint32) { _ = w.EncodeUint(uint64(n)) }
func (w writer) bytes(b []byte) {
	_ = w.EncodeBytes(b)
}

func (w writer) floats(v []float32) {
	w.array(len(v))
	for _, x := range v {
		_ = w.EncodeFloat32(x)
	}
}

func (w writer) stream(s Stream) {
	w.array(11)
	w.str(s.Input)
	w.uint(uint32(s.DType))
	w.uint(uint32(s.Want))
	w.str(s.From)
	w.str(s.To)
	_ = w.EncodeBool(s.Swap)
	_ = w.EncodeFloat32(s.Scale)
	w.floats(s.Mean)
	w.floats(s.Std)
	w.uint(s.Rows)
	w.array(len(s.Pieces))
	for _, p := range s.Pieces {
		w.array(3)
		w.bytes(p.Digest[:])
		w.array(len(p.Shape))
		for _, d := range p.Shape {
			w.uint(d)
		}
		w.uint(p.Count)
	}
}

// Decode is the inverse of Encode. It accepts canonical bytes only, so one manifest has one digest, and it checks the
// manifest. Memory is bounded by a small multiple of len(b).
func Decode(b []byte) (Inputs, error) {
	r := reader{src: bytes.NewReader(b)}
	r.Decoder = msgpack.NewDecoder(r.src)
	in := r.inputs()
	if r.err != nil {
		return Inputs{}, fmt.Errorf("inputs: %d bytes that are no manifest: %w", len(b), r.err)
	}
	if err := in.Check(); err != nil {
		return Inputs{}, err
	}
	if !slices.Equal(in.Encode(), b) {
		return Inputs{}, fmt.Errorf("inputs: the manifest is not in its canonical form")
	}
	return in, nil
}

// reader keeps the first error; after it every method returns a zero value.
type reader struct {
	*msgpack.Decoder
	src *bytes.Reader
	err error
}

// array reads the length of an array of at most limit elements, each of which takes a byte at least.
func (r *reader) array(limit int) int {
	if r.err != nil {
		return 0
	}
	n, err := r.DecodeArrayLen()
	if err == nil && (n < 0 || n > limit || n > r.src.Len()) {
		err = fmt.Errorf("a list of %d elements, at most %d are possible", n, min(limit, r.src.Len()))
	}
	if r.err = err; err != nil {
		return 0
	}
	return n
}

func (r *reader) fixed(n int) {
	if got := r.array(n); r.err == nil && got != n {
		r.err = fmt.Errorf("a record of %d fields, %d are needed", got, n)
	}
}

func (r *reader) str() (s string) {
	if r.err == nil {
		s, r.err = r.DecodeString()
	}
	if len(s) > maxName && r.err == nil {
		r.err = fmt.Errorf("a name of %d bytes, at most %d are allowed", len(s), maxName)
	}
	return s
}

func (r *reader) uint() (n uint32) {
	if r.err == nil {
		n, r.err = r.DecodeUint32()
	}
	return n
}

func (r *reader) float() (x float32) {
	if r.err == nil {
		x, r.err = r.DecodeFloat32()
	}
	return x
}

func (r *reader) floats() []float32 {
	var v []float32
	for n := r.array(maxChannels); n > 0 && r.err == nil; n-- {
		v = append(v, r.float())
	}
	return v
}

func (r *reader) inputs() (in Inputs) {
	r.fixed(4)
	if t := r.str(); r.err == nil && t != tag {
		r.err = fmt.Errorf("it begins with %q, %q is needed (written by another version?)", t, tag)
	}
	in.Decoder = r.str()
	in.Count = r.uint()
	for n := r.array(maxStreams); n > 0 && r.err == nil; n-- {
		in.Streams = append(in.Streams, r.stream())
	}
	if r.err == nil && r.src.Len() > 0 {
		r.err = fmt.Errorf("%d bytes follow its end", r.src.Len())
	}
	return in
}

func (r *reader) stream() (s Stream) {
	r.fixed(11)
	s.Input = r.str()
	s.DType, s.Want = tensor.DType(r.uint()), tensor.DType(r.uint())
	s.From, s.To = r.str(), r.str()
	if r.err == nil {
		s.Swap, r.err = r.DecodeBool()
	}
	s.Scale, s.Mean, s.Std, s.Rows = r.float(), r.floats(), r.floats(), r.uint()
	for n := r.array(r.src.Len()); n > 0 && r.err == nil; n-- {
		s.Pieces = append(s.Pieces, r.piece())
	}
	return s
}

func (r *reader) piece() (p Piece) {
	r.fixed(3)
	if r.err == nil {
		var b []byte
		if b, r.err = r.DecodeBytes(); r.err == nil && len(b) != len(plan.Digest{}) {
			r.err = fmt.Errorf("a digest of %d bytes", len(b))
		}
		copy(p.Digest[:], b)
	}
	for n := r.array(maxRank); n > 0 && r.err == nil; n-- {
		p.Shape = append(p.Shape, r.uint())
	}
	p.Count = r.uint()
	return p
}
