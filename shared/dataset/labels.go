package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
// semicolon; the rest, trimmed and without the quotes of CSV, is the name. Empty lines, lines that begin with # and a
// header line of CSV are skipped; a byte order mark and carriage returns are dropped. All faulty lines are reported.
func parseLabels(file string, b []byte) ([]label, error) {
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return nil, fmt.Errorf("%s: the label file is no UTF-8 text", file)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	var out []label
	var bad lines
	n := 0
	for text := range strings.SplitSeq(string(b), "\n") {
		n++
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		l, err := parseLabel(text)
		if err != nil {
			if len(out) == 0 && bad.n == 0 && strings.ContainsAny(text, ",;") && strings.IndexFunc(text, digit) < 0 {
				continue // "filename,label"
			}
			bad.add("%s:%d: %s", file, n, err)
			continue
		}
		l.line = n
		out = append(out, l)
	}
	return out, bad.err("labels")
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

func parseLabel(text string) (label, error) {
	i := strings.LastIndexAny(text, " \t,;")
	field := strings.Trim(text[i+1:], `"`)
	class, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
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

// match finds the samples of label lines among the files of a folder: by the name as it stands, with / for \, without
// the folder's own name in front, and in any Unicode normal form. All faults are reported together: lines without a
// file, and files with two lines.
func match(file, folder string, ls []label, files []string) (picks []int, unnamed int, err error) {
	index := make(map[string]int, len(files))
	for i, f := range files {
		index[canonical(f)] = i
	}
	used := map[int]int{}
	var bad lines
	for _, l := range ls {
		if l.name == "" {
			bad.add("%s:%d: a class without a file name", file, l.line)
			continue
		}
		i, ok := index[canonical(l.name)]
		if !ok {
			i, ok = index[strings.TrimPrefix(canonical(l.name), canonical(filepath.Base(folder))+"/")]
		}
		switch first := used[i]; {
		case !ok:
			bad.add("%s:%d: %s is not in %s", file, l.line, l.name, folder)
		case first > 0:
			bad.add("%s:%d: %s stands in line %d already", file, l.line, l.name, first)
		default:
			used[i] = l.line
			picks = append(picks, i)
		}
	}
	if err := bad.err("labels"); err != nil {
		return nil, 0, err
	}
	if len(picks) == 0 {
		return nil, 0, errors.Join(fmt.Errorf("labels: %s names no sample", file))
	}
	return picks, len(files) - len(picks), nil
}

// sorted is a stable order of names on every machine: by their bytes.
func sorted(names []string) []string {
	slices.Sort(names)
	return names
}
