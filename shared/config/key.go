package config

import "strings"

// kind is the set of JSON types that a key takes.
type kind uint8

const (
	text   kind = 1 << iota // a string
	number                  // a number, kept as it is written
	whole                   // a number without fraction and exponent
	truth                   // true or false
	object                  // keys of its own
	list                    // elements of its own
	free                    // anything: keys of a refused subtree, attribute values
)

// String names the types for error messages.
func (k kind) String() string {
	var words []string
	for _, w := range []struct {
		k kind
		s string
	}{
		{text, "a string"}, {number, "a number"}, {whole, "a whole number"}, {truth, "true or false"},
		{object, "an object {...}"}, {list, "a list [...]"}, {free, "anything"},
	} {
		if k&w.k != 0 {
			words = append(words, w.s)
		}
	}
	return alternatives(words)
}

// key is one row of the table of keys.
type key struct {
	path    string            // dotted; name[] is an element of list name
	kind    kind              // what it takes
	words   []string          // the strings it takes; nil for any
	instead map[string]string // words of POT that are not supported: why, and what to do
	min     string            // smallest number, as JSON; "" for none
	over    bool              // min itself is excluded
	max     string            // largest number; "" for none
	initial string            // what holds when the key is absent, in words
	refused string            // why it is not supported and what to do; "" when it is
	accept  []string          // JSON literals that a refused key takes nevertheless: they ask for what is done anyway
	aware   bool              // known to AccuracyAwareQuantization only
	own     bool              // ours and not POT's
	doc     string
}

// name is the last part of the path without [].
func (k key) name() string {
	p := strings.TrimSuffix(k.path, "[]")
	return p[strings.LastIndexByte(p, '.')+1:]
}
