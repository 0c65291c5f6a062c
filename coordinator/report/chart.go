package report

import (
	"fmt"
	"math"
	"strings"
)

// The chart's size, margins and marker size in its own units.
const (
	chartW, chartH        = 1000.0, 320.0
	left, right, top, low = 66.0, 92.0, 30.0, 34.0
	dot                   = 5.0
	fewSteps              = 14 // up to so many steps every point carries its value
	roomy                 = 12 // up to so many points stand so wide apart that the second one's name fits
	sparse                = 8  // up to so many points keep their values in the larger text of a narrow window, see page.css
)

// chart is values against a limit, laid out for chart.svg.tmpl. Line joins them.
type chart struct {
	Title, Line             string
	Width, Height           float64
	Left, Right, Axis, Foot float64
	Beside                  float64 // the limit's text
	Dot, Side               float64
	Ticks                   []tick
	Limit                   tick
	Points                  []point
	Many                    bool // points stand too close for their values in a narrow window
}

// tick is a horizontal line with its text.
type tick struct {
	Y, TextY, Text string
}

// point is one evaluation. Name and Value are empty where there is no room for them.
type point struct {
	Name, Title, Value string
	X, Y, ValueY       string
	Known, Within      bool
}

// evaluation is what the chart shows of one plan.
type evaluation struct {
	name, title string
	value       float64
	within      bool
}

// evaluations lists the float model, all INT8 and the steps. What a step's verdict calls within is within: the search
// compares exactly, floating point here could not.
func evaluations(d *Decisions) []evaluation {
	m := d.Metrics[0]
	out := []evaluation{
		{"float", "the float model", float64(m.Float), true},
		{"all INT8", "everything INT8", float64(m.Int8), d.Reason == "met" && len(d.Steps) == 0 || d.Model.Groups == 0},
	}
	for i, s := range d.Steps {
		out = append(out, evaluation{
			fmt.Sprint(i + 1), fmt.Sprintf("step %d: %s to float", i+1, shorten(d.operations(s.Group), 6)),
			float64(first(s.Values)), s.holds(m),
		})
	}
	return out
}

// holds reports whether the first metric's drop is within its limit after s.
func (s Step) holds(m Metric) bool {
	const rounding = 1e-12 // of a drop that equals the limit as a fraction
	return s.Verdict == "within" || float64(first(s.Drops)) <= float64(m.Limit)+rounding
}

// newChart lays the chart out.
func newChart(d *Decisions) chart {
	m, all := d.Metrics[0], evaluations(d)
	var values []float64
	for _, e := range all {
		values = append(values, e.value)
	}
	c, y := frame(m.Name+" after each step, against its limit", values, limitValue(d, m))
	c.Many = len(all) > sparse
	every := 1 + len(d.Steps)/25
	for i, e := range all {
		x := left + (chartW-left-right)*(float64(i)+0.5)/float64(len(all))
		p := point{Title: e.title + ": " + fixed(Number(e.value)), X: coordinate(x), Known: !math.IsNaN(e.value), Within: e.within}
		if p.Known {
			p.Y, p.ValueY = coordinate(y(e.value)), coordinate(y(e.value)-12)
			if valley(all, i) {
				p.ValueY = coordinate(y(e.value) + 22)
			}
		}
		if i < 2 || (i-2)%every == 0 {
			p.Name = e.name
		}
		if i == 1 && len(all) > roomy {
			p.Name = "INT8"
		}
		if len(d.Steps) <= fewSteps {
			p.Value = fixed(Number(e.value))
		}
		c.Points = append(c.Points, p)
	}
	c.join(func(int) bool { return true })
	return c
}

// frame is a chart without points, and the height of a value in it.
func frame(title string, values []float64, limit float64) (chart, func(float64) float64) {
	lo, hi := limit, limit
	for _, v := range values {
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	pad := max((hi-lo)*0.16, 1e-6*math.Abs(hi), 1e-9)
	lo, hi = lo-pad, hi+pad
	y := func(v float64) float64 { return top + (chartH-top-low)*(hi-v)/(hi-lo) }
	c := chart{
		Title: title, Width: chartW, Height: chartH,
		Left: left, Right: chartW - right, Axis: left - 8, Foot: chartH - 10, Beside: chartW - right + 8, Dot: dot, Side: 2 * dot,
	}
	for _, t := range ticks(lo, hi) {
		c.Ticks = append(c.Ticks, tick{coordinate(y(t)), coordinate(y(t) + 4), tickText(t, hi-lo)})
	}
	c.Limit = tick{coordinate(y(limit)), coordinate(y(limit) + 4), "limit " + fixed(Number(limit))}
	return c, y
}

// join draws the line through the known points that keep chooses.
func (c *chart) join(keep func(i int) bool) {
	var b strings.Builder
	for i, p := range c.Points {
		if p.Known && keep(i) {
			b.WriteString(p.X + "," + p.Y + " ")
		}
	}
	c.Line = b.String()
}

// valley reports whether the line comes down to point i from a side and from none up, so that its value reads better below.
func valley(all []evaluation, i int) bool {
	v := all[i].value
	before, after := i > 0 && all[i-1].value > v, i+1 < len(all) && all[i+1].value > v
	under := i > 0 && all[i-1].value < v || i+1 < len(all) && all[i+1].value < v
	return (before || after) && !under
}

// limitValue is the value of the metric right on the limit.
func limitValue(d *Decisions, m Metric) float64 {
	allowed := float64(m.Limit)
	if d.Job.DropType == "relative" {
		allowed *= math.Abs(float64(m.Float))
	}
	if m.Direction != higherBetter {
		return float64(m.Float) + allowed
	}
	return float64(m.Float) - allowed
}

func coordinate(v float64) string { return fmt.Sprintf("%.1f", v) }

// ticks are three to seven round numbers from lo to hi. One that lies on an end is not lost to rounding: a millionth of a
// step outside is on it.
func ticks(lo, hi float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/3)))
	for _, f := range []float64{5, 2} {
		if (hi-lo)/(step*f) >= 3 {
			step *= f
			break
		}
	}
	const on = 1e-6
	var out []float64
	for i := math.Ceil(lo/step - on); i*step <= hi+step*on && len(out) < 12; i++ {
		out = append(out, i*step)
	}
	return out
}

// tickText prints a tick with as many digits as the span needs.
func tickText(t, span float64) string {
	digits := max(0, int(math.Ceil(1-math.Log10(span))))
	if math.Abs(t) < span/1e6 {
		t = 0 // without a sign
	}
	return fmt.Sprintf("%.*f", min(digits, 9), t)
}
