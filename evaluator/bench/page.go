package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"giga":      func(v float64) string { return fmt.Sprintf("%.0f", v/1e9) },
	"mega":      func(v float64) string { return fmt.Sprintf("%.1f", v/1e6) },
	"one":       func(v float64) string { return fmt.Sprintf("%.1f", v) },
	"two":       func(v float64) string { return fmt.Sprintf("%.2f", v) },
	"percent":   func(v float64) string { return fmt.Sprintf("%.0f", 100*v) },
	"megabytes": func(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) },
	// A ratio of 1 is 40 pixels, where page.html draws its line.
	"bar": func(v float64) string { return fmt.Sprintf("%.0f", 40*min(v, 4)) },
	"mark": func(v float64) string {
		switch {
		case v >= 1:
			return "faster"
		case v >= 0.85:
			return "near"
		}
		return "slower"
	},
}).Parse(pageText))

// html renders the page: one file that needs nothing else.
func (r *results) html() ([]byte, error) {
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{"R": r, "Groups": r.groups()})
	return b.Bytes(), err
}

func (r *results) write(path string) error {
	b, err := r.html()
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}
