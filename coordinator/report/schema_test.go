package report

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/cause"
)

// row is a line of the table in SCHEMA.md.
var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")

// TestSchema: SCHEMA.md lists every field of report.json, in the order of the file, with its type, and no other.
func TestSchema(t *testing.T) {
	page, err := os.ReadFile("SCHEMA.md")
	require.NoError(t, err)
	fieldTable, ruleTable, ok := strings.Cut(string(page), "\n## ")
	require.True(t, ok)
	var documented, rules []string
	for _, m := range row.FindAllStringSubmatch(fieldTable, -1) {
		documented = append(documented, m[1]+": "+m[2])
	}
	for _, m := range row.FindAllStringSubmatch(ruleTable, -1) {
		rules = append(rules, m[1]+": "+m[2])
	}
	var known []string
	for _, r := range cause.Rules() {
		known = append(known, r.Kind+": "+r.Text)
	}
	require.Equal(t, known, rules)
	var fields []string
	walk(reflect.TypeFor[Report](), "", &fields)
	require.Equal(t, fields, documented)
}

// walk lists the fields below t as "path: type".
func walk(t reflect.Type, at string, out *[]string) {
	for f := range fields(t) {
		path := strings.TrimPrefix(at+"."+f.Tag.Get("json"), ".")
		*out = append(*out, path+": "+typeName(f.Type))
		inner := f.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			if inner.Kind() == reflect.Slice {
				path += "[]"
			}
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			walk(inner, path, out)
		}
	}
}

func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// typeName is the type in the words of the page.
func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Number]():
		return "number or null"
	case t.Kind() == reflect.Pointer && t.Elem() == reflect.TypeFor[Number]():
		return "number or null"
	case t.Kind() == reflect.Pointer:
		return typeName(t.Elem()) + " or null"
	case t.Kind() == reflect.Slice:
		return "list of " + strings.TrimSuffix(typeName(t.Elem()), " or null") + "s"
	case t.Kind() == reflect.Map:
		return "object of " + typeName(t.Elem()) + "s"
	}
	return map[reflect.Kind]string{
		reflect.Struct: "object", reflect.String: "string", reflect.Bool: "boolean", reflect.Float64: "number",
		reflect.Int: "integer", reflect.Int64: "integer", reflect.Uint64: "integer",
	}[t.Kind()]
}

// TestListsAreNeverNull: a program may loop over every list of every example.
func TestListsAreNeverNull(t *testing.T) {
	nullable := map[string]bool{}
	var all []string
	walk(reflect.TypeFor[Report](), "", &all)
	for _, f := range all {
		path, kind, _ := strings.Cut(f, ": ")
		nullable[path] = strings.HasSuffix(kind, " or null")
	}
	for name, r := range examples() {
		text, err := r.JSON()
		require.NoError(t, err)
		var tree any
		require.NoError(t, json.Unmarshal(text, &tree))
		nulls(tree, "", func(path string) {
			require.True(t, nullable[path] || strings.HasSuffix(path, "values[]") || strings.HasSuffix(path, "drops[]"), "%s: %s is null", name, path)
		})
	}
}

// nulls calls found with the path of every null.
func nulls(v any, path string, found func(string)) {
	switch x := v.(type) {
	case nil:
		found(path)
	case []any:
		for _, e := range x {
			nulls(e, path+"[]", found)
		}
	case map[string]any:
		for k, e := range x {
			nulls(e, strings.TrimPrefix(path+"."+k, "."), found)
		}
	}
}
