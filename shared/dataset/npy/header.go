// Package npy reads arrays in NumPy's .npy form (versions 1 to 3) and archives of them (.npz). It gives little-endian
// row-major tensors whatever order and endianness the file has. Models and preprocessing may not enter.
//
// Every size of a header is checked against the bytes that follow before anything is allocated; reading costs at most
// twice the file. No function writes to its input.
package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"assay/shared/tensor"
)

// maxHeader and maxRank bound a header; NumPy's own are far below.
const (
	maxHeader = 1 << 20
	maxRank   = 32
)

// header is what the head of a .npy says about the bytes behind it.
type header struct {
	dtype   tensor.DType
	big     bool
	fortran bool
	shape   []int
	data    int // where the elements begin
}

const magic = "\x93NUMPY"

// parse reads the head and checks that the elements are there, all of them.
func parse(b []byte) (header, error) {
	if len(b) < 10 || string(b[:6]) != magic {
		return header{}, errors.New("it is no .npy file: the first bytes are not \\x93NUMPY")
	}
	start, size := 10, int(binary.LittleEndian.Uint16(b[8:]))
	switch b[6] {
	case 1:
	case 2, 3:
		if len(b) < 12 {
			return header{}, errors.New("truncated within its header")
		}
		n := binary.LittleEndian.Uint32(b[8:])
		if n > maxHeader {
			return header{}, fmt.Errorf("a header of %d bytes, at most %d are read", n, maxHeader)
		}
		start, size = 12, int(n)
	default:
		return header{}, fmt.Errorf(".npy version %d is unknown; known are 1 to 3", b[6])
	}
	if size > len(b)-start {
		return header{}, fmt.Errorf("truncated: the header has %d bytes, %d follow", size, len(b)-start)
	}
	d, err := dict(string(b[start : start+size]))
	if err != nil {
		return header{}, fmt.Errorf("header: %w", err)
	}
	h, err := d.header()
	if err != nil {
		return header{}, fmt.Errorf("header: %w", err)
	}
	h.data = start + size
	return h, h.fits(len(b) - h.data)
}

// fits checks the promised elements against the bytes left.
func (h header) fits(left int) error {
	n := uint64(h.dtype.Size())
	for _, d := range h.shape {
		if d > 0 && n > (1<<40)/uint64(d) {
			return fmt.Errorf("truncated: shape %v of %s needs more than %d bytes, %d follow", h.shape, h.dtype, uint64(1)<<40, left)
		}
		n *= uint64(d)
	}
	if n > uint64(left) {
		return fmt.Errorf("truncated: shape %v of %s needs %d bytes, %d follow", h.shape, h.dtype, n, left)
	}
	return nil
}

// fields are the three entries of the header's dictionary, as text; the shape of a single number is empty, and shaped tells it from
// none.
type fields struct {
	descr, fortran, shape string
	shaped                bool
}

func (f fields) header() (h header, err error) {
	if h.dtype, h.big, err = element(f.descr); err != nil {
		return h, err
	}
	switch f.fortran {
	case "True":
		h.fortran = true
	case "False":
	default:
		return h, fmt.Errorf("fortran_order is %.20q: True or False is needed", f.fortran)
	}
	if !f.shaped {
		return h, errors.New("shape is missing")
	}
	for part := range strings.SplitSeq(f.shape, ",") {
		part = strings.TrimSuffix(strings.TrimSpace(part), "L")
		if part == "" {
			continue
		}
		n, err := strconv.ParseUint(part, 10, 40)
		if err != nil || len(h.shape) == maxRank {
			return h, fmt.Errorf("shape (%.60s) is impossible", f.shape)
		}
		h.shape = append(h.shape, int(n))
	}
	return h, nil
}

// dict reads the Python dictionary of a header. Its keys may stand in any order; values are a quoted string, a name and
// a tuple.
func dict(s string) (f fields, err error) {
	s = strings.TrimSpace(s)
	body, opened := strings.CutPrefix(s, "{")
	body, closed := strings.CutSuffix(body, "}")
	if !opened || !closed {
		return f, errors.New("no dictionary in braces")
	}
	for rest := strings.TrimSpace(body); rest != ""; {
		var key, value string
		if key, rest, err = entry(rest); err != nil {
			return f, err
		}
		if value, rest, err = item(rest); err != nil {
			return f, fmt.Errorf("%s: %w", key, err)
		}
		switch key {
		case "descr":
			f.descr = value
		case "fortran_order":
			f.fortran = value
		case "shape":
			f.shape, f.shaped = value, true
		default:
			return f, fmt.Errorf("key %.40q is unknown", key)
		}
		rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), ","))
	}
	return f, nil
}

// entry takes "'key':" off s.
func entry(s string) (key, rest string, err error) {
	key, rest, err = quoted(s)
	if err != nil {
		return "", "", err
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(rest), ":")
	if !ok {
		return "", "", fmt.Errorf("no colon behind %.40q", key)
	}
	return key, strings.TrimSpace(rest), nil
}

// quoted reads a Python string in single or double quotes, without escapes, and gives what is behind it.
func quoted(s string) (text, rest string, err error) {
	if s == "" || s[0] != '\'' && s[0] != '"' {
		return "", "", fmt.Errorf("a quoted string is needed at %.20q", s)
	}
	text, rest, ok := strings.Cut(s[1:], s[:1])
	if !ok {
		return "", "", errors.New("a quoted string does not end")
	}
	return text, rest, nil
}

// item takes a value off s: the inside of a string or of a tuple, or a name.
func item(s string) (value, rest string, err error) {
	switch {
	case s == "":
		return "", "", errors.New("a value is missing")
	case s[0] == '(':
		value, rest, ok := strings.Cut(s[1:], ")")
		if !ok {
			return "", "", errors.New("a tuple does not end")
		}
		return value, rest, nil
	case s[0] == '\'' || s[0] == '"':
		return quoted(s)
	case s[0] == '[':
		return "", "", errors.New("structured element types (records) are not read: save one plain array per model input")
	}
	i := strings.IndexByte(s, ',')
	if i < 0 {
		i = len(s)
	}
	return strings.TrimSpace(s[:i]), s[i:], nil
}

// elements are NumPy's type codes without the byte order.
var elements = map[string]tensor.DType{
	"f2": tensor.Float16, "f4": tensor.Float32, "f8": tensor.Float64, "b1": tensor.Bool, "?": tensor.Bool,
	"i1": tensor.Int8, "i2": tensor.Int16, "i4": tensor.Int32, "i8": tensor.Int64,
	"u1": tensor.Uint8, "u2": tensor.Uint16, "u4": tensor.Uint32, "u8": tensor.Uint64,
}

// element reads a type such as "<f4", ">i8" or "|u1".
func element(descr string) (d tensor.DType, big bool, err error) {
	code := strings.TrimLeft(descr, "<>|=")
	d, ok := elements[code]
	if !ok || len(descr)-len(code) > 1 {
		return d, false, fmt.Errorf("element type %.20q is not read; numbers and bools are (save text, objects and complex numbers otherwise)", descr)
	}
	return d, strings.HasPrefix(descr, ">"), nil
}
