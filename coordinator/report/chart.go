package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// The chart's size and margins in its own units.
const (
	chartW, chartH        = 1000.0, 300.0
	left, right, top, low = 64.0, 16.0, 18.0, 40.0
)

// chart draws the first metric over the full evaluations, with the limit as a dashed line.
func chart(d *Decisions) template.HTML {
	m := d.Metrics[0]
	names, values := []string{"float", "all INT8"}, []float64{float64(m.Float), float64(m.Int8)}
	for i, s := range d.Steps {
		names, values = append(names, fmt.Sprint(i+1)), append(values, float64(first(s.Values)))
	}
	limit := limitValue(d, m)
	lo, hi := limit, limit
	for _, v := range values {
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	pad := max((hi-lo)*0.12, 1e-4)
	lo, hi = lo-pad, hi+pad
	x := func(i int) float64 {
		return left + (chartW-left-right)*(float64(i)+0.5)/float64(len(values))
	}
	y := func(v float64) float64 { return top + (chartH-top-low)*(hi-v)/(hi-lo) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s per step">`, chartW, chartH, template.HTMLEscapeString(m.Name))
	for _, t := range ticks(lo, hi) {
		fmt.Fprintf(&b, `<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="var(--faint)"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`, left, chartW-right, y(t), y(t), left-8, y(t)+4, tickText(t, hi-lo))
	}
	fmt.Fprintf(&b, `<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="var(--soft)" stroke-dasharray="6 5"/>`, left, chartW-right, y(limit), y(limit))
	var line strings.Builder
	for i, v := range values {
		if !math.IsNaN(v) {
			fmt.Fprintf(&line, "%.1f,%.1f ", x(i), y(v))
		}
	}
	fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="var(--line)" stroke-width="2"/>`, strings.TrimSpace(line.String()))
	every := max(1, len(values)/25)
	for i, v := range values {
		if i < 2 || (i-1)%every == 0 {
			fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`, x(i), chartH-14, names[i])
		}
		if math.IsNaN(v) {
			continue
		}
		colour := "var(--bad)"
		if within(m, v, limit) {
			colour = "var(--good)"
		}
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="5" fill="%s"><title>%s: %.4f</title></circle>`, x(i), y(v), colour, names[i], v)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers and escaped names only
}

// limitValue is the value of the metric right on the limit.
func limitValue(d *Decisions, m Metric) float64 {
	allowed := float64(m.Limit)
	if d.Job.DropType == "relative" {
		allowed *= math.Abs(float64(m.Float))
	}
	if m.Direction != "higher-better" {
		return float64(m.Float) + allowed
	}
	return float64(m.Float) - allowed
}

func within(m Metric, v, limit float64) bool {
	const rounding = 1e-9
	if m.Direction != "higher-better" {
		return v <= limit+rounding
	}
	return v >= limit-rounding
}

// ticks are three to seven round numbers between lo and hi.
func ticks(lo, hi float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/3)))
	for _, f := range []float64{5, 2} {
		if (hi-lo)/(step*f) >= 3 {
			step *= f
			break
		}
	}
	var out []float64
	for t := math.Ceil(lo/step) * step; t <= hi; t += step {
		out = append(out, t)
	}
	return out
}

// tickText prints a tick with as many digits as the span needs.
func tickText(t, span float64) string {
	digits := max(0, int(math.Ceil(1-math.Log10(span))))
	return fmt.Sprintf("%.*f", min(digits, 6), t)
}
