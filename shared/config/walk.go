package config

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// entry is one value of the file that is no object: its place and its JSON text. A list has an entry of its own with the
// number of its elements.
type entry struct {
	pos     Pos
	literal hujson.Literal
	length  int
}

// walker checks a file against the schema and collects its values by concrete path, such as
// compression.algorithms[0].params.ignored.scope[2].
type walker struct {
	file    string
	text    []byte
	entries map[string]entry
	errors  Errors
}

// fail notes an error at pos.
func (w *walker) fail(pos Pos, key, format string, args ...any) {
	w.errors = append(w.errors, &Error{File: w.file, Pos: pos, Key: key, Text: fmt.Sprintf(format, args...)})
}

// sorted is all errors in the order of the file.
func (w *walker) sorted() Errors {
	slices.SortStableFunc(w.errors, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return w.errors
}

// value checks v, which stands at path, against n.
func (w *walker) value(n *node, v hujson.Value, path string) {
	pos := positionAt(w.text, v.StartOffset)
	if n.key.refused != "" {
		w.refused(n, v, path, pos)
		return
	}
	if n.key.kind == free {
		return
	}
	switch x := v.Value.(type) {
	case *hujson.Object:
		if n.key.kind&object == 0 {
			w.fail(pos, path, "an object; want %v", n.key.kind)
			return
		}
		w.entries[path] = entry{pos: pos}
		w.object(n, x, path)
	case *hujson.Array:
		if n.key.kind&list == 0 {
			w.fail(pos, path, "a list; want %v", n.key.kind)
			return
		}
		w.entries[path] = entry{pos: pos, length: len(x.Elements)}
		for i, e := range x.Elements {
			w.value(n.element, e, fmt.Sprintf("%s[%d]", path, i))
		}
	case hujson.Literal:
		if text := w.literal(n.key, x); text != "" {
			w.fail(pos, path, "%s", text)
			return
		}
		w.entries[path] = entry{pos: pos, literal: x}
	}
}

// refused reports a key that is not supported, unless it asks for what is done anyway.
func (w *walker) refused(n *node, v hujson.Value, path string, pos Pos) {
	if x, ok := v.Value.(hujson.Literal); ok && slices.Contains(n.key.accept, string(x)) {
		return
	}
	hint := ""
	if len(n.key.accept) > 0 {
		hint = " (only " + strings.Join(n.key.accept, " or ") + " is taken)"
	}
	w.fail(pos, path, "not supported: %s%s", n.key.refused, hint)
}

// object checks the members of x: each known, none twice.
func (w *walker) object(n *node, x *hujson.Object, path string) {
	first := map[string]Pos{}
	for _, m := range x.Members {
		name := m.Name.Value.(hujson.Literal).String()
		pos := positionAt(w.text, m.Name.StartOffset)
		at := strings.TrimPrefix(path+"."+name, ".")
		if before, twice := first[name]; twice {
			w.fail(pos, at, "given twice, on lines %d and %d; keep one", before.Line, pos.Line)
			continue
		}
		first[name] = pos
		c := n.child(name)
		if c == nil {
			w.fail(pos, clip(at), "unknown key%s", w.hint(n, name))
			continue
		}
		w.value(c, m.Value, at)
	}
}

// clip bounds what a message repeats of the file.
func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}

// hint says what an unknown key may have meant: a key of this section, or one that has its place elsewhere.
func (w *walker) hint(n *node, name string) string {
	for _, k := range keysOf() {
		if k.name() == name && k.kind != 0 && !strings.HasSuffix(k.path, "[]") {
			return "; " + name + " belongs in " + strings.TrimSuffix(strings.TrimSuffix(k.path, name), ".")
		}
	}
	if len(n.children) == 0 {
		return ""
	}
	var all []string
	for _, c := range n.children {
		all = append(all, c.key.name())
	}
	if s := suggest(name, all); s != "" {
		return s
	}
	return "; known are " + strings.Join(n.names(), ", ")
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// literal says what is wrong with x as a value of k, "" if nothing is.
func (w *walker) literal(k key, x hujson.Literal) string {
	shown := clip(string(x))
	switch x.Kind() {
	case '"':
		s := x.String()
		switch {
		case k.kind&text == 0:
			return fmt.Sprintf("%s is a string; want %s", shown, wanted(k))
		case s == "":
			return fmt.Sprintf("empty; want %s", wanted(k))
		case strings.ContainsRune(s, 0):
			return "contains a zero byte"
		case k.instead[s] != "":
			return fmt.Sprintf("%s is not supported: %s", shown, k.instead[s])
		case k.words != nil && !slices.Contains(k.words, s):
			return fmt.Sprintf("%s; want %s%s", shown, wanted(k), suggest(s, k.words))
		}
	case '0':
		return w.number(k, shown, string(x))
	case 't', 'f':
		if k.kind&truth == 0 {
			return fmt.Sprintf("%s; want %s", shown, wanted(k))
		}
	default:
		return fmt.Sprintf("%s; want %s, or leave the key out", shown, wanted(k))
	}
	return ""
}

// number says what is wrong with the number x.
func (w *walker) number(k key, shown, x string) string {
	if k.kind&(number|whole) == 0 || k.kind&number == 0 && !wholeNumber.MatchString(x) || !inRange(k, x) {
		return fmt.Sprintf("%s; want %s", shown, wanted(k))
	}
	return ""
}

// inRange reports whether x is a number of moderate size within the bounds of k, exactly.
func inRange(k key, x string) bool {
	v, ok := decimal(x)
	if !ok {
		return false
	}
	if k.min != "" {
		lo, _ := decimal(k.min)
		if c := v.Cmp(lo); c < 0 || c == 0 && k.over {
			return false
		}
	}
	if k.max != "" {
		hi, _ := decimal(k.max)
		if v.Cmp(hi) > 0 {
			return false
		}
	}
	if k.kind&number == 0 {
		return new(big.Rat).Abs(v).Cmp(maxWhole) <= 0
	}
	return true
}

// maxWhole is the largest whole number that every reader of JSON keeps.
var maxWhole = new(big.Rat).SetInt64(1 << 53)

// decimalNumber is a number as JSON has it, or with a sign or a point where people write them too.
var decimalNumber = regexp.MustCompile(`^[-+]?[0-9]*\.?[0-9]*([eE][-+]?[0-9]+)?$`)

// decimal reads a number exactly; false for what is none, and for one with more digits or a larger exponent than anybody means:
// exact arithmetic would take its memory.
func decimal(x string) (*big.Rat, bool) {
	if !decimalNumber.MatchString(x) {
		return nil, false
	}
	if f, err := strconv.ParseFloat(x, 64); err != nil || len(x) > 40 || f != 0 && (f > 1e30 || f < -1e30) {
		return nil, false
	}
	if _, e, ok := strings.Cut(strings.ToLower(x), "e"); ok {
		if n, err := strconv.Atoi(e); err != nil || n < -60 || n > 60 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(x)
}

// alternatives is "a", "a or b", "a, b or c".
func alternatives(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// wanted describes the values of k.
func wanted(k key) string {
	if len(k.words) > 0 {
		return alternatives(k.words)
	}
	out := k.kind.String()
	switch {
	case k.min != "" && k.max != "":
		out += fmt.Sprintf(" of %s to %s", k.min, k.max)
	case k.min != "" && k.over:
		out += " above " + k.min
	case k.min != "":
		out += " of " + k.min + " or more"
	}
	return out
}
