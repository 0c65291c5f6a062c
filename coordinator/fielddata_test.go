package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
	"assay/shared/dataset/npy"
	"assay/shared/metric"
	"assay/shared/tensor"
)

// runData checks what is read of pictures, labels and arrays.
func (c *fieldCase) runData(t *testing.T, w *world) error {
	if c.Check.Arrays != nil {
		return c.runArrays(t, w)
	}
	args := []string{"run", "-m", filepath.Join(c.dir, c.Model), "--data", filepath.Join(c.dir, "images"), "--labels", filepath.Join(c.dir, "labels.txt"),
		"--scale", fmt.Sprint(c.Check.Preprocessing.Scale), "--output-dir", w.path("out"), "--state-dir", w.path("state")}
	code, _, stderr := w.execute(t.Context(), args...)
	if c.Check.Data == "refuse" {
		return refused(w, code, stderr, c.Check.Mentions)
	}
	if code != exitMet && code != exitMissed {
		return fmt.Errorf("exit code %d: %s", code, stderr)
	}
	r, err := report.Parse(w.read("out/report.json"))
	if err != nil {
		return err
	}
	var want float64
	require.NoError(t, json.Unmarshal(c.Check.Accuracy, &want))
	got := float64(r.Decisions.Metrics[0].Float)
	return all(
		expect(r.Decisions.Samples.Search == len(c.Check.Labels), "%d samples are read, there are %d", r.Decisions.Samples.Search, len(c.Check.Labels)),
		expect(got == want, "the float accuracy is %g, it should be %g", got, want))
}

// runArrays: every array gives the same float results, so each is told by its labels.
func (c *fieldCase) runArrays(t *testing.T, w *world) error {
	for _, name := range c.Check.Arrays {
		code, _, stderr := w.execute(t.Context(), "run", "-m", filepath.Join(c.dir, c.Model), "--data", filepath.Join(c.dir, name), "--labels", c.labels(t, w),
			"--output-dir", w.path("out"), "--state-dir", w.path("state-"+name))
		if code != exitMet && code != exitMissed {
			return fmt.Errorf("%s: exit code %d: %s", name, code, stderr)
		}
		r, err := report.Parse(w.read("out/report.json"))
		if err != nil {
			return err
		}
		if m := r.Decisions.Metrics[0]; m.Float != 1 {
			return fmt.Errorf("%s: the classes are not those of the float results: %v", name, m)
		}
		data := c.Inputs
		c.Inputs = slices.Clone(c.Inputs)
		c.Inputs[0].Test = files{name}
		err = c.checkFloat(t, w)
		if c.Inputs = data; err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// runMetric checks drops and scores.
func (c *fieldCase) runMetric(t *testing.T) error {
	if b, err := os.ReadFile(filepath.Join(c.dir, "rows.json")); err == nil {
		return checkRows(t, b)
	}
	var accuracy map[string]float64
	require.NoError(t, json.Unmarshal(c.Check.Accuracy, &accuracy))
	scores, err := npy.Decode(c.read(t, "logits.npy"))
	require.NoError(t, err)
	labels, err := npy.Decode(c.read(t, "labels.npy"))
	require.NoError(t, err)
	ints, err := labels.Ints()
	require.NoError(t, err)
	for k, want := range accuracy {
		top, err := json.Number(k).Int64()
		require.NoError(t, err)
		m := metric.Meter{Adapter: metric.Classification, Output: "y", Metrics: []metric.Spec{{Name: k, Type: "accuracy", TopK: uint32(top)}}}
		var samples []uint32
		for i, l := range ints {
			m.Labels, samples = append(m.Labels, int32(l)), append(samples, uint32(i))
		}
		records, err := m.PerSample(map[string]*tensor.Tensor{"y": scores}, samples)
		if err != nil {
			return err
		}
		if got := m.Value(0, records).F; math.Abs(got-want) > 1e-15 {
			return fmt.Errorf("top-%s is %g, want %g", k, got, want)
		}
	}
	return nil
}

func checkRows(t *testing.T, b []byte) error {
	var rows []struct {
		Float, Quantized json.Number
		Higher           bool        `json:"higher_is_better"`
		Type             string      `json:"drop_type"`
		Max              json.Number `json:"maximal_drop"`
		Drop             float64
		Met              bool
	}
	require.NoError(t, json.Unmarshal(b, &rows))
	for i, r := range rows {
		limit, err := metric.ParseLimit(r.Max.String(), r.Type == "relative")
		require.NoError(t, err)
		base, err := metric.ParseValue(r.Float.String())
		require.NoError(t, err)
		value, err := metric.ParseValue(r.Quantized.String())
		require.NoError(t, err)
		d := metric.HigherBetter
		if !r.Higher {
			d = metric.HigherWorse
		}
		drop := limit.Drop(d, base, value).F
		if math.Abs(drop-r.Drop) > 1e-9 || limit.Allows(d, base, value) != r.Met {
			return fmt.Errorf("row %d: drop %g, met %v", i, drop, limit.Allows(d, base, value))
		}
	}
	return nil
}

// runSearch carries out a whole job with the case's settings.
func (c *fieldCase) runSearch(t *testing.T, w *world) error {
	if err := c.checkFloat(t, w); err != nil {
		return fmt.Errorf("float: %w", err)
	}
	labels, err := filepath.Abs(filepath.Join(c.dir, "labels.npy"))
	require.NoError(t, err)
	code, stdout, stderr := w.execute(t.Context(), "run", c.jobWith(t, w, json.RawMessage(c.read(t, "compression.json")), labels))
	want := map[bool]int{true: exitMet, false: exitMissed}[*c.Check.Met]
	if code != want {
		return fmt.Errorf("exit code %d, want %d: %s", code, want, stderr)
	}
	r, err := report.Parse(w.read("out/report.json"))
	if err != nil {
		return err
	}
	d := r.Decisions
	float := []string{}
	for _, g := range d.FloatGroups {
		float = append(float, g.Operations...)
	}
	errs := []error{
		expect(float64(d.Metrics[0].Float) == c.Check.FloatMetric, "the float metric is %v, want %g", d.Metrics[0].Float, c.Check.FloatMetric),
		expect(slices.Equal(float, c.Check.FloatLayers), "float are %q, want %q", float, c.Check.FloatLayers),
	}
	if c.Check.Ranking != nil && !*c.Check.Ranking {
		errs = append(errs, expect(len(d.Rankings) == 0, "a ranking was made"))
	}
	if c.Check.Quantize == "nothing" {
		errs = append(errs, expect(strings.Contains(stdout+stderr, "no quantizable layer"), "no notice: %s", stdout+stderr), c.unchanged(t, w))
	}
	return all(errs...)
}

// runConfig reads the case's job files by the command.
func (c *fieldCase) runConfig(t *testing.T, w *world) error {
	jobs, err := filepath.Glob(filepath.Join(c.dir, "job*.json"))
	require.NoError(t, err)
	var errs []error
	for _, job := range jobs {
		name := filepath.Base(job)
		where := []string{"--output-dir", w.path(name + "/out"), "--state-dir", w.path(name + "/state"), "--scale", "255"}
		code, _, stderr := w.execute(t.Context(), append([]string{"run", job}, where...)...)
		mentions := c.Check.Mentions
		switch {
		case name == "job_twice.json":
			mentions = []string{"stat_subset_size", "10", "11"}
		case name != "job.json":
			mentions = []string{"stat_subset_size", "1 or more"}
		case c.Check.Job == "accept":
			errs = append(errs, c.accepted(w, name, code, stderr))
			continue
		}
		errs = append(errs, refused(w, code, stderr, mentions))
	}
	return all(errs...)
}

// accepted: the job ran on as many calibration samples as it says, or on all of the four there are.
func (c *fieldCase) accepted(w *world, name string, code int, stderr string) error {
	if code != exitMet && code != exitMissed {
		return fmt.Errorf("%s: exit code %d: %s", name, code, stderr)
	}
	r, err := report.Parse(w.read(name + "/out/report.json"))
	if err != nil {
		return err
	}
	want := 4
	if n, ok := c.Check.Value["stat_subset_size"]; ok {
		want = n
	}
	return expect(r.Decisions.Samples.Calibration == want, "%d samples calibrate, want %d", r.Decisions.Samples.Calibration, want)
}
