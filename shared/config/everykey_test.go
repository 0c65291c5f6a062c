package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// jobWith is a job file that says nothing but name: value at the place of key path, and the line where that stands.
func jobWith(path, name, value string) (file string, line int) {
	parts := strings.Split(path, ".")
	open, shut := "{", "}"
	line = 1
	for _, p := range parts[:len(parts)-1] {
		p, of, in := strings.TrimSuffix(p, "[]"), "{", "}"
		if strings.HasSuffix(path, p+"[]") || strings.Contains(path, p+"[].") {
			of, in = "[{", "}]"
		}
		open, shut = open+fmt.Sprintf("\n%q: %s", p, of), in+shut
		if p == "algorithms" && path != "compression.algorithms[].name" {
			open += `"name": "AccuracyAwareQuantization",`
		}
		line++
	}
	return fmt.Sprintf("%s\n%q: %s\n%s", open, name, value, shut), line + 1
}

// complaints are the lines of Parse's error, none when the file is taken.
func complaints(file string) []string {
	if _, err := Parse("job.json", []byte(file)); err != nil {
		return strings.Split(err.Error(), "\n")
	}
	return nil
}

// leaves are the keys that stand in an object, not in a list of values.
func leaves() (out []key) {
	for _, k := range keysOf() {
		if !strings.HasSuffix(k.path, "[]") {
			out = append(out, k)
		}
	}
	return out
}

// TestEveryKeyRefusesEveryOtherType, with line, column of the value and the whole path.
func TestEveryKeyRefusesEveryOtherType(t *testing.T) {
	values := []struct {
		kind  kind
		value string
	}{{truth, "true"}, {text, `"zebra"`}, {number, "1.5"}, {list, "[]"}, {object, "{}"}}
	for _, k := range leaves() {
		if k.kind&free != 0 || k.refused != "" {
			continue
		}
		for _, v := range values {
			if k.kind&v.kind != 0 {
				continue
			}
			file, line := jobWith(k.path, k.name(), v.value)
			want := fmt.Sprintf("job.json:%d:%d: %s: ", line, len(k.name())+5, strings.ReplaceAll(k.path, "[]", "[0]"))
			require.Contains(t, strings.Join(complaints(file), "\n"), want, "%s\n%s", k.path, file)
		}
	}
}

// TestEveryMisspeltKeyIsToldItsSpelling: one letter more, with line and column of the key.
func TestEveryMisspeltKeyIsToldItsSpelling(t *testing.T) {
	for _, k := range leaves() {
		if k.refused != "" || len(k.name()) < 4 {
			continue
		}
		file, line := jobWith(k.path, k.name()+"q", "1")
		want := fmt.Sprintf("job.json:%d:1: %sq: unknown key (did you mean %s?)", line, strings.ReplaceAll(k.path, "[]", "[0]"), k.name())
		require.Contains(t, strings.Join(complaints(file), "\n"), want, file)
	}
}

// TestEveryRefusedKeySaysWhy, unless it asks for what is done anyway.
func TestEveryRefusedKeySaysWhy(t *testing.T) {
	for _, k := range leaves() {
		if k.refused == "" {
			continue
		}
		file, _ := jobWith(k.path, k.name(), `"zebra"`)
		require.Contains(t, strings.Join(complaints(file), "\n"), k.refused, k.path)
		for _, v := range k.accept {
			file, _ := jobWith(k.path, k.name(), v)
			require.NotContains(t, strings.Join(complaints(file), "\n"), k.refused, "%s: %s", k.path, v)
		}
	}
}
