package config

import (
	"fmt"
	"strings"
)

// Describe says in a few lines what the job asks for, defaults included: what golden files compare. It
// depends on the job alone.
func (j *Job) Describe() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	if j.File != "" {
		line("job", "%s", j.File)
	}
	line("model", "%s", or(j.Model, "none"))
	line("data", "%s%s", or(j.Data.Source, "none"), j.Data.describe())
	line("calibration", "%s", j.Calibration.describe())
	line("quantize", "%s", j.Quantize.describe())
	for _, n := range j.Quantize.IgnoredNames {
		line("float", "node %s", n.Text)
	}
	for _, n := range j.Quantize.IgnoredTypes {
		line("float", "every %s", n.Text)
	}
	if j.Aware {
		line("limit", "%s", j.describeLimit())
		line("search", "%s", j.describeSearch())
	} else {
		line("limit", "none: everything INT8 is the result")
	}
	line("output", "%s", j.OutputDir)
	return b.String()
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (d Data) describe() string {
	out := ", labels by folder"
	if d.Labels != "" {
		out = ", labels " + d.Labels
	}
	if d.Like != "" {
		out += ", like " + d.Like
	}
	if f := d.Prep.Flags(); f != "" {
		out += " (" + f + ")"
	}
	return out
}

func (c Calibration) describe() string {
	of := "the samples searched"
	switch {
	case c.Every > 0:
		of = fmt.Sprintf("one sample in %d; the others are searched", c.Every)
	case c.Source != "":
		of = c.Source
	}
	if c.Shuffle {
		return fmt.Sprintf("at most %d drawn with seed %d of %s", c.Count, c.Seed, of)
	}
	return fmt.Sprintf("at most the first %d of %s", c.Count, of)
}

func (q Quantize) describe() string {
	preset, weights := or(q.Preset, "as fits the model"), "one scale an output channel"
	if q.Mode != "" {
		preset += ", " + q.Mode + " activations"
	}
	if q.PerTensor {
		weights = "one scale a tensor"
	}
	out := fmt.Sprintf("placement %s, preset %s, weights with %s", q.Placement, preset, weights)
	if q.Transformer {
		out += ", a transformer"
	}
	if q.NoFastBias {
		out += ", biases uncorrected"
	}
	return out
}

func (j *Job) describeLimit() string {
	unit := ""
	if j.Relative {
		unit = " of the float model's value"
	}
	names := make([]string, len(j.Metrics))
	for i, m := range j.Metrics {
		names[i] = m.Name
	}
	of := or(strings.Join(names, ", "), "accuracy, or agreement with the float model where there are no labels")
	return fmt.Sprintf("a drop of %s%s in %s", j.Drop, unit, of)
}

func (j *Job) describeSearch() string {
	out := fmt.Sprintf("groups ranked on %d samples", j.Subset)
	if j.Iterations != Unlimited {
		out += fmt.Sprintf(", at most %d reverts tried", j.Iterations)
	}
	if j.KeepWorse {
		return out + ", worse reverts stay"
	}
	return out
}
