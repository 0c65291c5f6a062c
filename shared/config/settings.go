package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Setting is one key of a job with the value that holds and where it came from: a place in the job file, a flag, or the
// default.
type Setting struct{ Key, Value, From string }

// given is a value as the job file has it.
type given struct {
	key, value string
	pos        Pos
}

// flagKeys says which key each flag stands for, by the field of Flags; "" for flags that stand for none.
var flagKeys = map[string]string{
	"Model": "model.model", "Data": "engine.data_source", "Labels": "engine.labels", "Output": "engine.output", "Like": "engine.like",
	"Mean": "engine.mean", "Std": "engine.std", "Scale": "engine.scale", "Resize": "engine.resize", "Crop": "engine.crop", "Pad": "engine.pad",
	"Fraction": "engine.central_fraction", "Reader": "engine.reader", "Layout": "engine.layout", "Channels": "engine.channels",
	"MaxDrop": params + ".maximal_drop", "DropType": params + ".drop_type", "Preset": params + ".preset", "Placement": "compression.placement",
	"Metric": params + ".metrics", "Seed": params + ".seed", "MaxIter": params + ".max_iter_num", "OutputDir": "run.output_dir",
	"StateDir": "run.state_dir", "Evaluators": "run.evaluators", "NATS": "run.nats", "Memory": "run.memory", "JSON": "",
}

// calibKey is the key that a --calib stands for.
func calibKey(s string) string {
	switch c, err := ParseCalibration(s, Calibration{}); {
	case err != nil || c.Source != "":
		return "engine.calibration_source"
	case c.Every > 0:
		return "engine.calibration_every"
	}
	return params + ".stat_subset_size"
}

// replaced says what a flag takes out of the file besides its own key.
var replaced = map[string][]string{
	"Like":   {"engine.mean", "engine.std", "engine.scale", "engine.resize", "engine.crop", "engine.pad", "engine.central_fraction", "engine.channels", "engine.reader", "engine.orient", "engine.preprocessing"},
	"Data":   {"engine.labels"},
	"Model":  {"model.model_name"},
	"Metric": {params + ".metrics"},
	"Preset": {params + ".activations.mode"},
}

// Settings lists every key that is supported, in the order of JOBFILE.md, with f applied: what the file or a flag gives with its
// value as it is written, the others with their default in words.
func (j *Job) Settings(f Flags) []Setting {
	flags, gone := f.keys()
	var out []Setting
	seen := map[string]bool{}
	for _, k := range keysOf() {
		if k.refused != "" || k.kind&(text|number|whole|truth|list) == 0 {
			continue
		}
		key := strings.TrimSuffix(k.path, "[]")
		if s, ok := flags[key]; ok {
			if !seen[key] {
				out = append(out, s)
			}
			seen[key] = true
			continue
		}
		rows := j.rows(k.path)
		by := gone[key]
		switch {
		case seen[key]:
		case len(rows) > 0 && by != "":
			out = append(out, Setting{shortKey(key), "replaced", by})
		case len(rows) > 0:
			out = append(out, rows...)
		case k.path == key && !inList(k.path) && !j.listed(k.path):
			out = append(out, Setting{shortKey(key), k.initial, "default"})
		}
	}
	return out
}

// keys are the settings that the given flags make, by key, and the flags by the keys that they take out of the file.
func (f Flags) keys() (made map[string]Setting, gone map[string]string) {
	made, gone = map[string]Setting{}, map[string]string{}
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		field, x := v.Type().Field(i), v.Field(i)
		if x.IsZero() {
			continue
		}
		name := "--" + flagName(field)
		for x.Kind() == reflect.Pointer {
			x = x.Elem()
		}
		for _, key := range replaced[field.Name] {
			gone[key] = name
		}
		key := flagKeys[field.Name]
		if field.Name == "Calib" {
			key = calibKey(x.String())
			for _, other := range []string{"engine.calibration_source", "engine.calibration_every"} {
				gone[other] = name
			}
		}
		if key != "" {
			made[key] = Setting{shortKey(key), fmt.Sprint(x.Interface()), name}
		}
	}
	return made, gone
}

var upper = regexp.MustCompile(`([a-z])([A-Z])`)

// flagName is the flag of a field, by kong's rule.
func flagName(f reflect.StructField) string {
	if n := f.Tag.Get("name"); n != "" {
		return n
	}
	return strings.ToLower(upper.ReplaceAllString(f.Name, "$1-$2"))
}

// rows are the file's values of one row of the table; elements of lists have their index.
func (j *Job) rows(path string) []Setting {
	var out []Setting
	for _, g := range j.given {
		if index.ReplaceAllString(g.key, "[]") == path {
			out = append(out, Setting{shortKey(g.key), g.value, filepath.Base(j.File) + ":" + fmt.Sprint(g.pos.Line)})
		}
	}
	return out
}

// listed reports whether the file gives elements of the list at path.
func (j *Job) listed(path string) bool {
	return slices.ContainsFunc(j.given, func(g given) bool { return strings.HasPrefix(index.ReplaceAllString(g.key, "[]"), path+"[]") })
}

var index = regexp.MustCompile(`\[\d+\]`)

// inList reports whether a key stands in an element of a list: it has no default of its own then.
func inList(path string) bool {
	return strings.Contains(strings.Replace(path, "algorithms[]", "algorithms", 1), "[]")
}

// shortKey writes the parameters of the one algorithm as JOBFILE.md does.
func shortKey(key string) string {
	for _, p := range []string{params, here} {
		if rest, ok := strings.CutPrefix(key, p); ok {
			return "…params" + rest
		}
	}
	return key
}

// givenBy collects the values of a checked file, in its order.
func givenBy(w *walker) []given {
	var out []given
	for key, e := range w.entries {
		if e.literal == nil {
			continue
		}
		value := string(e.literal)
		if e.literal.Kind() == '"' {
			value = e.literal.String()
		}
		out = append(out, given{key, value, e.pos})
	}
	slices.SortFunc(out, func(a, b given) int {
		if a.pos.Line != b.pos.Line {
			return a.pos.Line - b.pos.Line
		}
		return a.pos.Column - b.pos.Column
	})
	return out
}
