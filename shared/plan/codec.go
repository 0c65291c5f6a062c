package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/vmihailenco/msgpack/v5"
)

// MaxDepth bounds the nesting of arrays in an encoding; nothing in this house nests deeper than 6.
const MaxDepth = 16

// String returns the digest as 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Short returns the first 8 hexadecimal digits, for messages.
func (d Digest) Short() string { return hex.EncodeToString(d[:4]) }

// IsZero reports whether d names nothing.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText makes digests readable in JSON.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is the inverse of MarshalText. After an error d is the zero digest.
func (d *Digest) UnmarshalText(b []byte) error {
	v, err := ParseDigest(string(b))
	*d = v
	return err
}

// ParseDigest reads 64 hexadecimal digits, in either case.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != 2*len(d) {
		return Digest{}, fmt.Errorf("digest %.80q has %d characters, 64 hexadecimal digits are needed", s, len(s))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, fmt.Errorf("digest %.80q: %w", s, err)
	}
	return d, nil
}

// DigestOf names v: SHA-256 of Encode(kind, v), so it is also the name under which a store keeps that encoding.
func DigestOf(kind string, v any) Digest { return sha256.Sum256(Encode(kind, v)) }

// Encode writes v, or what v points to, canonically: "assay." + kind + NUL, then msgpack in which a struct is the array of its
// fields in order, integers take their shortest form, floats keep their width and their bits, byte slices and byte arrays are
// binary, and nil and empty slices are the same. The prefix keeps equal fields of different types apart.
//
// v is made of structs with exported fields, slices, arrays, strings, numbers and bools only; anything else within (a map, a
// pointer, an interface) is a fault of the program and panics.
func Encode(kind string, v any) []byte {
	var b bytes.Buffer
	b.WriteString(prefix(kind))
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	write(msgpack.NewEncoder(&b), rv)
	return b.Bytes()
}

// Decode reads what Encode wrote under the same kind into the value that ptr points to, in place of what was there; empty slices
// become nil, and nothing of b is kept. It refuses any other bytes: a foreign prefix, another spelling of the same value, something
// behind the end; the value is then of no use. It allocates in proportion to len(b). What the numbers mean (a valid axis, a
// known group) is for the caller to check.
func Decode(kind string, b []byte, ptr any) error {
	p := prefix(kind)
	if !strings.HasPrefix(string(b[:min(len(b), len(p))]), p) {
		return fmt.Errorf("%s: encoding of %d bytes does not begin with %q", kind, len(b), p)
	}
	r := bytes.NewReader(b[len(p):])
	d := reader{dec: msgpack.NewDecoder(r), r: r}
	v := reflect.ValueOf(ptr).Elem()
	v.SetZero() // lists grow from nothing, so memory of the old value, which others may hold, is not written to
	if err := d.read(v, 0); err != nil {
		return fmt.Errorf("%s: byte %d of %d: %w", kind, len(b)-r.Len(), len(b), err)
	}
	if r.Len() > 0 {
		return fmt.Errorf("%s: %d bytes stand behind the end", kind, r.Len())
	}
	if !bytes.Equal(Encode(kind, v.Interface()), b) {
		return fmt.Errorf("%s: encoding is not the canonical one", kind)
	}
	return nil
}

func prefix(kind string) string { return "assay." + kind + "\x00" }

// write cannot fail: a bytes.Buffer takes everything.
func write(e *msgpack.Encoder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		_ = e.EncodeBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		_ = e.EncodeInt(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		_ = e.EncodeUint(v.Uint())
	case reflect.Float32:
		_ = e.EncodeFloat32(float32(v.Float()))
	case reflect.Float64:
		_ = e.EncodeFloat64(v.Float())
	case reflect.String:
		_ = e.EncodeString(v.String())
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			raw := make([]byte, v.Len())
			reflect.Copy(reflect.ValueOf(raw), v)
			_ = e.EncodeBytes(raw)
			return
		}
		_ = e.EncodeArrayLen(v.Len())
		for i := range v.Len() {
			write(e, v.Index(i))
		}
	case reflect.Struct:
		_ = e.EncodeArrayLen(v.NumField())
		for i := range v.NumField() {
			write(e, v.Field(i))
		}
	default:
		panic(fmt.Sprintf("plan: %s cannot be encoded canonically", v.Type()))
	}
}

type reader struct {
	dec *msgpack.Decoder
	r   *bytes.Reader
}

func (d reader) read(v reflect.Value, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("nested deeper than %d", MaxDepth)
	}
	switch v.Kind() {
	case reflect.Bool:
		x, err := d.dec.DecodeBool()
		v.SetBool(x)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		x, err := d.dec.DecodeInt64()
		if err == nil && v.OverflowInt(x) {
			return fmt.Errorf("%d does not fit %s", x, v.Type())
		}
		v.SetInt(x)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		x, err := d.dec.DecodeUint64()
		if err == nil && v.OverflowUint(x) {
			return fmt.Errorf("%d does not fit %s", x, v.Type())
		}
		v.SetUint(x)
		return err
	case reflect.Float32:
		x, err := d.dec.DecodeFloat32()
		v.Set(reflect.ValueOf(x).Convert(v.Type()))
		return err
	case reflect.Float64:
		x, err := d.dec.DecodeFloat64()
		v.SetFloat(x)
		return err
	case reflect.String:
		x, err := d.dec.DecodeString()
		v.SetString(x)
		return err
	case reflect.Slice, reflect.Array:
		return d.list(v, depth)
	case reflect.Struct:
		return d.fields(v, depth)
	}
	panic(fmt.Sprintf("plan: %s cannot be decoded canonically", v.Type()))
}

func (d reader) fields(v reflect.Value, depth int) error {
	n, err := d.dec.DecodeArrayLen()
	if err != nil {
		return err
	}
	if n != v.NumField() {
		return fmt.Errorf("%s has %d fields, %d were written (by another version?)", v.Type(), v.NumField(), n)
	}
	for i := range n {
		if err := d.read(v.Field(i), depth+1); err != nil {
			return fmt.Errorf("%s: %w", v.Type().Field(i).Name, err)
		}
	}
	return nil
}

func (d reader) list(v reflect.Value, depth int) error {
	elem := v.Type().Elem()
	if elem.Kind() == reflect.Uint8 {
		raw, err := d.dec.DecodeBytes()
		if err != nil {
			return err
		}
		if v.Kind() == reflect.Array {
			if len(raw) != v.Len() {
				return fmt.Errorf("%d bytes where %d are needed", len(raw), v.Len())
			}
		} else if len(raw) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), len(raw), len(raw)))
		}
		reflect.Copy(v, reflect.ValueOf(raw))
		return nil
	}
	n, err := d.dec.DecodeArrayLen()
	if err != nil {
		return err
	}
	// Invariant: an element takes at least one byte, so a length beyond what is left is a lie and costs no memory.
	if n < 0 || n > d.r.Len() {
		return fmt.Errorf("list of %d elements in %d bytes: %w", n, d.r.Len(), io.ErrUnexpectedEOF)
	}
	if v.Kind() == reflect.Array && n != v.Len() {
		return fmt.Errorf("%d elements where %d are needed", n, v.Len())
	}
	for i := range n {
		if v.Kind() == reflect.Slice {
			if i == v.Cap() {
				v.Grow(max(1, min(n-i, max(i, 4)))) // grows with what was really read
			}
			v.SetLen(i + 1)
		}
		if err := d.read(v.Index(i), depth+1); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}
