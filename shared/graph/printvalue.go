package graph

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"assay/shared/tensor"
)

// inlineElements is the largest constant that is written element by element.
const inlineElements = 32

// attr writes name=value.
func (p *printer) attr(a Attr) string {
	return ident(a.Name) + "=" + p.value(a)
}

func (p *printer) value(a Attr) string {
	if a.Ref != "" {
		return fmt.Sprintf("ref %s %s", ident(a.Ref), a.Kind)
	}
	switch a.Kind {
	case KindFloat:
		return formatFloat32(a.Float)
	case KindInt:
		return strconv.FormatInt(a.Int, 10)
	case KindString:
		return strconv.Quote(string(a.Str))
	case KindTensor:
		return p.typedTensor(a.Tensor)
	case KindGraph:
		return p.nested(a.Graph)
	case KindFloats:
		return listed(a.Kind, a.Floats, false, formatFloat32)
	case KindInts:
		return listed(a.Kind, a.Ints, false, func(n int64) string { return strconv.FormatInt(n, 10) })
	case KindStrings:
		return listed(a.Kind, a.Strs, false, func(s []byte) string { return strconv.Quote(string(s)) })
	case KindTensors:
		return listed(a.Kind, a.Tensors, true, p.typedTensor)
	case KindGraphs:
		return listed(a.Kind, a.Graphs, true, p.nested)
	}
	return "raw " + strconv.Quote(string(a.Raw))
}

// listed writes a list, with its kind in front when the items do not show it. named is set for tensors and graphs,
// whose items look like words.
func listed[T any](kind Kind, items []T, named bool, format func(T) string) string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = format(item)
	}
	s := "[" + strings.Join(out, ",") + "]"
	if named || len(items) == 0 {
		return kind.String() + s
	}
	return s
}

// formatFloat32 writes a float so that it reads back as a float with the same pattern.
func formatFloat32(f float32) string {
	if f != f {
		if bits := math.Float32bits(f); bits != canonicalNaN {
			return "nan:" + strconv.FormatUint(uint64(bits), 16)
		}
		return "nan"
	}
	if math.IsInf(float64(f), 0) {
		return infinity(float64(f))
	}
	s := strconv.FormatFloat(float64(f), 'g', -1, 32)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func (p *printer) typedTensor(t *tensor.Tensor) string {
	return fmt.Sprintf("tensor %s %s", FixedType(t.DType, t.Shape...), p.content(t))
}

// content writes the elements of a constant in the shortest of the forms that give the same bytes again. A digest of 16
// digits can collide only for a reader of text; Digest writes all 64.
func (p *printer) content(t *tensor.Tensor) string {
	n, size := t.Len(), t.DType.Size()
	if n <= inlineElements {
		words := make([]string, n)
		for i := range words {
			word, ok := "", false
			if size <= 8 {
				word, ok = formatElement(t.DType, getElement(t.Data, size, i))
			}
			if !ok {
				return "bytes " + strconv.Quote(hex.EncodeToString(t.Data))
			}
			words[i] = word
		}
		return "[" + strings.Join(words, ", ") + "]"
	}
	if size <= 8 && uniform(t.Data, size) {
		if word, ok := formatElement(t.DType, getElement(t.Data, size, 0)); ok {
			return "fill " + word
		}
	}
	d := t.Digest()
	key := digestPrefix + hex.EncodeToString(d[:])[:p.digits]
	if p.table != nil {
		p.table[key] = t
	}
	return key
}

// uniform reports whether all elements equal the first.
func uniform(data []byte, size int) bool {
	for i := size; i < len(data); i++ {
		if data[i] != data[i-size] {
			return false
		}
	}
	return true
}
