package metric

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
)

// tag begins every encoded meter: the type's name separates its digests from those of other types, and the number
// changes with the form of the bytes or the layout of a record.
const tag = "assay.metric.Meter/1"

// Encode gives the canonical bytes: msgpack arrays in the order of the fields, labels as little-endian int32.
func (m Meter) Encode() []byte {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b) // its errors are those of the buffer, which has none
	e.UseCompactInts(true)
	_ = e.EncodeArrayLen(5)
	_ = e.EncodeString(tag)
	_ = e.EncodeString(m.Adapter)
	_ = e.EncodeString(m.Output)
	_ = e.EncodeArrayLen(len(m.Metrics))
	for _, s := range m.Metrics {
		_ = e.EncodeArrayLen(3)
		_ = e.EncodeString(s.Name)
		_ = e.EncodeString(s.Type)
		_ = e.EncodeUint(uint64(s.TopK))
	}
	labels := make([]byte, 0, len(m.Labels)*4)
	for _, l := range m.Labels {
		labels = binary.LittleEndian.AppendUint32(labels, uint32(l))
	}
	_ = e.EncodeBytes(labels)
	return b.Bytes()
}

// Decode is the inverse of Encode. It accepts canonical bytes only and checks the meter. Memory is bounded by a small
// multiple of len(b).
func Decode(b []byte) (Meter, error) {
	m, err := decode(msgpack.NewDecoder(bytes.NewReader(b)))
	if err != nil {
		return Meter{}, fmt.Errorf("meter: %d bytes that are no meter: %w", len(b), err)
	}
	if err := m.Check(); err != nil {
		return Meter{}, err
	}
	if !slices.Equal(m.Encode(), b) {
		return Meter{}, fmt.Errorf("meter: it is not in its canonical form")
	}
	return m, nil
}

func decode(d *msgpack.Decoder) (m Meter, err error) {
	if err := fields(d, 5); err != nil {
		return m, err
	}
	var head [3]string
	for i := range head {
		if head[i], err = name(d); err != nil {
			return m, err
		}
	}
	if head[0] != tag {
		return m, fmt.Errorf("it begins with %q, %q is needed (written by another version?)", head[0], tag)
	}
	m.Adapter, m.Output = head[1], head[2]
	n, err := d.DecodeArrayLen()
	if err != nil || n < 0 || n > maxSpecs {
		return m, fmt.Errorf("%d metrics, at most %d are allowed: %w", n, maxSpecs, orBad(err))
	}
	for range n {
		s, err := spec(d)
		if err != nil {
			return m, err
		}
		m.Metrics = append(m.Metrics, s)
	}
	raw, err := d.DecodeBytes()
	if err != nil || len(raw)%4 != 0 {
		return m, fmt.Errorf("labels of %d bytes: %w", len(raw), orBad(err))
	}
	for ; len(raw) > 0; raw = raw[4:] {
		m.Labels = append(m.Labels, int32(binary.LittleEndian.Uint32(raw)))
	}
	return m, nil
}

var errBad = fmt.Errorf("out of range")

func orBad(err error) error {
	if err == nil {
		return errBad
	}
	return err
}

func fields(d *msgpack.Decoder, want int) error {
	n, err := d.DecodeArrayLen()
	if err == nil && n != want {
		err = fmt.Errorf("a record of %d fields, %d are needed", n, want)
	}
	return err
}

func name(d *msgpack.Decoder) (string, error) {
	s, err := d.DecodeString()
	if err == nil && len(s) > maxName {
		err = fmt.Errorf("a name of %d bytes, at most %d are allowed", len(s), maxName)
	}
	return s, err
}

func spec(d *msgpack.Decoder) (s Spec, err error) {
	if err = fields(d, 3); err != nil {
		return s, err
	}
	if s.Name, err = name(d); err != nil {
		return s, err
	}
	if s.Type, err = name(d); err != nil {
		return s, err
	}
	s.TopK, err = d.DecodeUint32()
	return s, err
}
