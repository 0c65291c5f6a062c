package graph

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"assay/shared/tensor"
)

// maxTextBytes bounds the constants of one text together, because `fill 0` claims any size with a few letters.
const maxTextBytes = 64 << 20

// digestPrefix opens the name of a constant that stands in a table.
const digestPrefix = "sha256:"

// tensor reads the content of a constant of type t. A constant by digest costs nothing of the budget: its bytes are the
// caller's.
func (p *parser) tensor(t Type) (*tensor.Tensor, error) {
	shape, ok := t.Fixed()
	if !ok || t.DType.Size() == 0 {
		return nil, fmt.Errorf("type must have an element type of fixed size and a shape of numbers")
	}
	x := &tensor.Tensor{DType: t.DType, Shape: shape}
	how := p.peek()
	if how.kind == tokWord && strings.HasPrefix(how.text, digestPrefix) {
		p.next()
		return p.fromTable(x, how.text)
	}
	if err := p.spend(x); err != nil {
		return nil, err
	}
	if p.accept("[") {
		return x, p.elements(x)
	}
	if p.next(); how.kind != tokWord {
		return nil, fmt.Errorf("%s where elements are expected", how)
	}
	if how.text == "bytes" {
		data, err := hex.DecodeString(p.next().text)
		if err != nil {
			return nil, fmt.Errorf("bytes: %w", err)
		}
		x.Data = data
		return x, x.Check()
	}
	x = tensor.New(t.DType, shape...)
	switch how.text {
	case "fill":
		return x, p.fill(x)
	case "ramp":
		return x, p.ramp(x)
	case "random":
		seed, err := p.number("a seed", 64)
		randomize(x, uint64(seed))
		return x, err
	}
	return nil, fmt.Errorf("%s where [, fill, ramp, random, bytes or sha256: is expected", how)
}

// spend takes a constant's bytes from the budget of the text.
func (p *parser) spend(x *tensor.Tensor) error {
	size := x.DType.Size()
	for _, d := range x.Shape {
		if d > 0 && size > p.budget/d {
			return fmt.Errorf("shape %v: constants of a text may take %d bytes together", x.Shape, maxTextBytes)
		}
		size *= d
	}
	p.budget -= size
	return nil
}

// fromTable takes a constant from the caller's table; type and shape of the text have to be those of the tensor.
func (p *parser) fromTable(x *tensor.Tensor, key string) (*tensor.Tensor, error) {
	t := p.table[key]
	if t == nil {
		return nil, fmt.Errorf("%s is not in the table of constants", key)
	}
	if t.DType != x.DType || !slices.Equal(t.Shape, x.Shape) {
		return nil, fmt.Errorf("%s is %s%v in the table", key, t.DType, t.Shape)
	}
	return t, nil
}

// elements reads numbers up to the closing bracket; inner brackets are for the reader's eye. The buffer grows with the
// tokens that are there and not with what the shape claims.
func (p *parser) elements(x *tensor.Tensor) error {
	size, want := x.DType.Size(), x.Len()
	x.Data = make([]byte, 0, min(want, len(p.tokens)-p.at)*size)
	for depth := 1; depth > 0; {
		t := p.next()
		switch {
		case t.kind == tokPunct && t.text == "[":
			depth++
		case t.kind == tokPunct && t.text == "]":
			depth--
		case t.kind == tokPunct && t.text == ",":
		case t.kind != tokWord:
			return fmt.Errorf("%s in a list of elements", t)
		case len(x.Data) == want*size:
			return fmt.Errorf("more than the %d elements of shape %v", want, x.Shape)
		default:
			bits, err := parseElement(x.DType, t.text)
			if err != nil {
				return err
			}
			x.Data = append(x.Data, make([]byte, size)...)
			putElement(x.Data, size, len(x.Data)/size-1, bits)
		}
	}
	if len(x.Data) != want*size {
		return fmt.Errorf("%d elements for the %d of shape %v", len(x.Data)/size, want, x.Shape)
	}
	return nil
}

// fill writes one element everywhere.
func (p *parser) fill(x *tensor.Tensor) error {
	bits, err := parseElement(x.DType, p.next().text)
	if err != nil {
		return err
	}
	for i := range x.Len() {
		putElement(x.Data, x.DType.Size(), i, bits)
	}
	return nil
}

// ramp fills with START + i*STEP, integers wrapping around, floats computed in float64 and rounded once.
func (p *parser) ramp(x *tensor.Tensor) error {
	words := []string{p.next().text, p.next().text}
	switch x.DType {
	case tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16:
		start, err1 := strconv.ParseFloat(words[0], 64)
		step, err2 := strconv.ParseFloat(words[1], 64)
		if err1 != nil || err2 != nil || math.IsNaN(start) || math.IsNaN(step) {
			return fmt.Errorf("ramp %q %q: two numbers are expected", words[0], words[1])
		}
		for i := range x.Len() {
			putElement(x.Data, x.DType.Size(), i, floatBits(x.DType, start+float64(step*float64(i))))
		}
		return nil
	}
	start, err1 := strconv.ParseInt(words[0], 10, 64)
	step, err2 := strconv.ParseInt(words[1], 10, 64)
	if err1 != nil || err2 != nil || x.DType.Size() > 8 || x.DType == tensor.Complex64 {
		return fmt.Errorf("ramp %q %q: two integers are expected", words[0], words[1])
	}
	for i := range x.Len() {
		bits := uint64(start + int64(i)*step)
		if x.DType.Bits() < 8 {
			bits = uint64(tensor.Unpack(x.DType, []byte{byte(bits)}, 1)[0])
		}
		putElement(x.Data, x.DType.Size(), i, bits)
	}
	return nil
}

// randomize fills with bytes r of a splitmix64 stream: floats (r-128)/128, so -1 <= x < 1 and sums of them are exact;
// signed integers r-128, unsigned ones r, bool and types of less than a byte r's lowest bits. Equal seeds give equal constants on every machine.
func randomize(x *tensor.Tensor, seed uint64) {
	for i := range x.Len() {
		z := seed + uint64(i+1)*0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		r := int64((z ^ z>>31) >> 56)
		bits := uint64(r)
		switch x.DType {
		case tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16:
			bits = floatBits(x.DType, float64(r-128)/128)
		case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64:
			bits = uint64(r - 128)
		case tensor.Bool:
			bits &= 1
		case tensor.Uint4, tensor.Int4, tensor.Uint2, tensor.Int2, tensor.Float4E2M1:
			bits = uint64(tensor.Unpack(x.DType, []byte{byte(r)}, 1)[0])
		}
		if size := x.DType.Size(); size <= 8 {
			putElement(x.Data, size, i, bits)
		}
	}
}
