package report

import (
	"fmt"
	"math"
	"strings"
)

// higherBetter is the word of metrics whose larger values are better.
const higherBetter = "higher-better"

// telling is the metric that the result is told by: the first that misses its limit, else the first.
func telling(d *Decisions) Metric {
	for _, m := range d.Metrics {
		if !d.Met && !m.Met {
			return m
		}
	}
	return d.Metrics[0]
}

// headline is the result in one or two sentences.
func headline(d *Decisions) string {
	m := telling(d)
	final := fmt.Sprintf("%s is %s", m.Name, distance(d, float64(m.Drop)))
	switch {
	case d.Model.Groups == 0:
		return "The model has no operation that can be INT8; the written file is the float model."
	case d.Met && len(d.FloatGroups) == 0 && m.Drop <= 0:
		return fmt.Sprintf("Everything that can be INT8 is INT8, and %s. Nothing had to go back to float.", final)
	case d.Met && len(d.FloatGroups) == 0:
		return fmt.Sprintf("Everything that can be INT8 is INT8: %s, and %s is allowed. Nothing had to go back to float.", final, allowed(d, m))
	case d.Met && len(d.FloatGroups) == d.Model.Groups:
		return "Every group had to go back to float to keep the limit: the written file is the float model."
	case d.Met:
		return fmt.Sprintf("%s went back to float. Now %s; with everything INT8 it was %s.", groupsOf(len(d.FloatGroups), d.Model.Groups), final, distance(d, fall(d, m)))
	}
	if d.Reason == "iterations" && len(d.Steps) == 0 {
		return fmt.Sprintf("Everything that can be INT8 is INT8, as the job asks: %s, and %s is allowed. With AccuracyAwareQuantization and a max_iter_num above 0 groups would go back to float.", final, allowed(d, m))
	}
	return fmt.Sprintf("No model within the limit was found. In the best one %s, and %s is allowed. The search ended because %s.", final, allowed(d, m), because(d.Reason, len(d.Steps)))
}

// allowed is the limit in words.
func allowed(d *Decisions, m Metric) string {
	if m.Limit == 0 {
		return "no drop"
	}
	return amount(d, float64(m.Limit))
}

// because says why a search ended without meeting the limit after so many steps.
func because(reason string, steps int) string {
	if t, ok := map[string]string{
		"all-float": "no group was left to give back", "iterations": plural(steps, "revert") + " had been tried, as many as max_iter_num allows", "stopped": "it was asked to stop",
		"nothing-to-quantize": "there is nothing to quantize",
	}[reason]; ok {
		return t
	}
	return reason
}

func groupsOf(n, all int) string {
	if n == 1 {
		return fmt.Sprintf("One of %d groups", all)
	}
	return fmt.Sprintf("%d of %d groups", n, all)
}

// counts says that the first metric counts samples, so that single ones turn wrong or right.
func (d *Decisions) counts() bool {
	exact := d.Metrics[0].Exact
	return len(exact) > 0 && strings.Contains(exact[0], "/")
}

// changes says how many samples have another outcome. Where the float model's answers stand for labels none can turn right.
func changes(d *Decisions) string {
	all := count(int64(d.Samples.Search))
	if d.Flips.Wrong+d.Flips.Right == 0 {
		return fmt.Sprintf("no sample of %s got another outcome", all)
	}
	if strings.HasPrefix(d.Metrics[0].Name, "agreement") {
		return fmt.Sprintf("%s of %s got another answer", plural(d.Flips.Wrong, "sample"), all)
	}
	return fmt.Sprintf("%s became wrong, %s became right, of %s", plural(d.Flips.Wrong, "sample"), count(int64(d.Flips.Right)), all)
}

// distance says a drop in words.
func distance(d *Decisions, drop float64) string {
	switch {
	case math.IsNaN(drop):
		return "no number"
	case drop == 0:
		return "exactly the float model's"
	case drop < 0:
		return amount(d, -drop) + " better than the float model's"
	}
	return amount(d, drop) + " worse than the float model's"
}

// amount is the size of a drop: a part of the float model's value in percent, or in the metric's own unit.
func amount(d *Decisions, v float64) string {
	if d.Job.DropType == "relative" {
		return fmt.Sprintf("%.2f%%", 100*v)
	}
	return fixed(Number(v))
}

// fall is the drop of the all-INT8 model in the unit of the limit.
func fall(d *Decisions, m Metric) float64 {
	v := float64(m.Float - m.Int8)
	if m.Direction != higherBetter {
		v = -v
	}
	if d.Job.DropType == "relative" {
		v /= math.Abs(float64(m.Float))
	}
	return v
}

// verdictText says in words what a step led to. Behind the last step of a search that missed its limit nothing is tried or ranked.
func verdictText(v string, last bool) string {
	if last {
		if t, ok := map[string]string{
			"kept": "kept; the search ended", "forgiven": "worse, kept; the search ended", "rolled-back": "worse: undone; the search ended", "kept-worse": "worse, kept; the search ended",
			"other-metric": "this metric holds, another does not; the search ended",
		}[v]; ok {
			return t
		}
	}
	if t, ok := map[string]string{
		"within": "within the limit: done", "all-float": "no group is left", "kept": "kept; the next of the same ranking is tried", "forgiven": "worse, kept this once",
		"rolled-back": "worse: undone, and ranked again", "kept-worse": "worse, kept; ranked again", "other-metric": "this metric holds, another does not; ranked again",
	}[v]; ok {
		return t
	}
	return v
}

// fixed prints a metric's value; what is no number is n/a.
func fixed(n Number) string {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return "n/a"
	}
	return fmt.Sprintf("%.4f", float64(n))
}

// signed prints a difference with its sign, so that +0.0000 is a small one and 0.0000 none.
func signed(n Number) string {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return "n/a"
	}
	if n == 0 {
		return fixed(0)
	}
	return fmt.Sprintf("%+.4f", float64(n))
}

// percent prints a share; what is neither nothing nor everything is not rounded to it.
func percent(f float64) string {
	switch {
	case f > 0 && f < 0.001:
		return "< 0.1%"
	case f < 1 && f > 0.999:
		return "> 99.9%"
	}
	return fmt.Sprintf("%.1f%%", 100*f)
}

// milliseconds prints a time of one sample with three digits that count.
func milliseconds(ms float64) string {
	switch {
	case ms < 0.1:
		return fmt.Sprintf("%.1f µs", 1000*ms)
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.2f s", ms/1000)
}

// bytes prints a file's size.
func bytesText(n int) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(int64(n)) + " " + what + "s"
}

// count writes 12345 as 12,345.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// fit lists as many names as stand in so many characters, and at least one.
func fit(names []string, width int) string {
	n, used := 0, 0
	for n < len(names) && (n == 0 || used+2+len(names[n]) <= width) {
		used += 2 + len(names[n])
		n++
	}
	return shorten(names, n)
}

// shorten lists at most n names.
func shorten(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}
