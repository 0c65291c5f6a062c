package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"assay/shared/tensor"
)

// label is one line of a label file; name is "" where a line has a class only.
type label struct {
	line  int
	name  string
	class int32
}

// maxClass bounds a class index.
const maxClass = 1 << 24

// parseLabels reads a label text. The class is the last field of a line, set apart by blanks, tabs, a comma or a
// semicolon; the rest, trimmed and without the quotes of CSV, is the name. Empty lines, a header line of CSV, and lines
// that begin with # and are no label are skipped. All faulty lines are reported.
func parseLabels(file string, b []byte) ([]label, error) {
	all, err := textLines(file, b)
	if err != nil {
		return nil, err
	}
	var out []label
	var bad lines
	for n, text := range all {
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "# ") || strings.HasPrefix(text, "#\t") {
			continue
		}
		l, err := parseLabel(text)
		switch {
		case err != nil && text[0] == '#':
		case err != nil && len(out) == 0 && bad.n == 0 && strings.ContainsAny(text, ",;\t") && strings.IndexFunc(text, digit) < 0:
			// "filename,label"
		case err != nil:
			bad.add("%s:%d: %s", file, n+1, err)
		default:
			l.line = n + 1
			out = append(out, l)
		}
	}
	return out, bad.err("labels")
}

// textLines are the lines of a text in UTF-8, or in UTF-16 with its byte order mark as Windows writes it. Lines end with
// \n, \r\n or \r. Other bytes are an error that names the line.
func textLines(file string, b []byte) ([]string, error) {
	var text string
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		text = wide(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		text = wide(b[2:], binary.BigEndian)
	default:
		text = string(bytes.TrimPrefix(b, []byte("\ufeff")))
	}
	out := strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
	for n, line := range out {
		switch {
		case !utf8.ValidString(line):
			return nil, fmt.Errorf("%s:%d: it is no UTF-8 text: save the file as UTF-8 (it may be Latin-1)", file, n+1)
		case strings.IndexByte(line, 0) >= 0:
			return nil, fmt.Errorf("%s:%d: it is no text: there is a zero byte", file, n+1)
		}
	}
	return out, nil
}

// wide decodes UTF-16; half a character becomes one that stands for it.
func wide(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

// blank makes the separators of fields one.
func blank(r rune) rune {
	if strings.ContainsRune("\t,;", r) {
		return ' '
	}
	return r
}

// parseLabel reads a line "name class", or a class alone. The class, 0 to maxClass, stands last, behind a blank, a comma or a
// semicolon; name and class may be in double quotes.
func parseLabel(text string) (label, error) {
	i := strings.LastIndexAny(text, " \t,;")
	field := strings.Trim(text[i+1:], `"`)
	class, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		if first, rest, ok := strings.Cut(strings.Map(blank, text), " "); ok && strings.Trim(first, `"0123456789`) == "" && strings.ContainsFunc(first, digit) {
			return label{}, fmt.Errorf("%.40q is no class index; the class stands last: %q", field, strings.TrimSpace(rest)+" "+strings.Trim(first, `"`))
		}
		return label{}, fmt.Errorf("%.40q is no class index; a line is \"name class\", and the class counts from 0", field)
	}
	if class < 0 || class > maxClass {
		return label{}, fmt.Errorf("class %d is outside 0..%d", class, maxClass)
	}
	name := strings.TrimRight(text[:i+1], " \t,;")
	if len(name) > 1 && name[0] == '"' && name[len(name)-1] == '"' {
		name = strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
	}
	return label{name: name, class: int32(class)}, nil
}

// classes reads labels that go by the order of n samples: a .npy or idx of integers, or a text of one class a line.
// where[i] says where label i stands.
func classes(file string, n int) (out []int32, where []string, err error) {
	short := filepath.Base(file)
	if e := ext(file); e == ".npy" || e == ".npz" || isIdx(file) {
		out, err = arrayClasses(file)
	} else {
		out, where, err = textClasses(file)
	}
	if err != nil {
		return nil, nil, err
	}
	if len(out) != n {
		return nil, nil, fmt.Errorf("labels: %s has %d labels, the data has %d samples", file, len(out), n)
	}
	if where == nil {
		for i := range out {
			where = append(where, fmt.Sprintf("%s[%d]", short, i))
		}
	}
	return out, where, nil
}

// textClasses reads the classes of a text file in its order: out[i] is that of the i-th line that is neither empty nor a
// comment, where[i] is file:line of it, for messages.
func textClasses(file string) (out []int32, where []string, err error) {
	b, err := readFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("labels: %w", err)
	}
	ls, err := parseLabels(filepath.Base(file), b)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range ls {
		out = append(out, l.class)
		where = append(where, fmt.Sprintf("%s:%d", filepath.Base(file), l.line))
	}
	return out, where, nil
}

// arrayClasses reads integer labels of shape [n] or [n, 1]; whole floats are taken too.
func arrayClasses(file string) ([]int32, error) {
	arrays, err := readArrays(file)
	if err != nil {
		return nil, err
	}
	if len(arrays) != 1 {
		return nil, fmt.Errorf("labels: %s has %d arrays, one is needed", file, len(arrays))
	}
	t := arrays[0].Tensor
	if len(t.Shape) == 0 || t.Len() != t.Shape[0] {
		return nil, fmt.Errorf("labels: %s has shape %v: one class index a sample is needed", file, t.Shape)
	}
	if t.DType == tensor.Float32 || t.DType == tensor.Float64 {
		if t, err = whole(t); err != nil {
			return nil, fmt.Errorf("labels: %s: %w", file, err)
		}
	}
	v, err := t.Ints()
	if err != nil {
		return nil, fmt.Errorf("labels: %s: %w", file, err)
	}
	out := make([]int32, len(v))
	for i, x := range v {
		if x < 0 || x > maxClass {
			return nil, fmt.Errorf("labels: %s[%d]: class %d is outside 0..%d", file, i, x, maxClass)
		}
		out[i] = int32(x)
	}
	return out, nil
}

// whole turns floats without a fraction into int64.
func whole(t *tensor.Tensor) (*tensor.Tensor, error) {
	f, err := convert(t, tensor.Float64)
	if err != nil {
		return nil, err
	}
	v := tensor.View[float64](f)
	out := make([]int64, len(v))
	for i, x := range v {
		if x != math.Trunc(x) || math.Abs(x) > maxClass {
			return nil, fmt.Errorf("element %d is %v: a class index is needed", i, x)
		}
		out[i] = int64(x)
	}
	return tensor.Of(tensor.Int64, t.Shape, out), nil
}

// sorted is a stable order of names on every machine: by their bytes.
func sorted(names []string) []string {
	slices.Sort(names)
	return names
}
