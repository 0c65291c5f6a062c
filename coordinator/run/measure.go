package run

import (
	"fmt"
	"slices"
	"strings"

	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/metric"
)

// scored reports whether a job's metrics compare what the model says with numbers instead of classes.
func scored(j *config.Job) bool {
	return slices.ContainsFunc(j.Metrics, func(s metric.Spec) bool { return s.Type == "pearson" || s.Type == "spearman" })
}

// checkMetrics refuses metrics that cannot be measured together, and those that need answers of the float model in place of
// labels.
func checkMetrics(j *config.Job) error {
	agreement := j.Agreement
	for _, m := range j.Metrics {
		agreement = agreement || m.Type == "agreement"
	}
	if agreement {
		return &InputError{fmt.Errorf("%s: agreement with the float model is not supported: take annotation_free and metrics of type agreement out, and give labels", j.File)}
	}
	for _, m := range j.Metrics {
		if scored(j) && m.Type == "accuracy" {
			return &InputError{fmt.Errorf("metric %s counts classes, and the others compare with scores: labels cannot be both; keep one kind", m.Name)}
		}
	}
	return nil
}

// checkLabels refuses data without the labels that the job's metrics need.
func checkLabels(j *config.Job, search *dataset.Set) error {
	switch {
	case scored(j) && len(search.Scores) == 0:
		return &InputError{fmt.Errorf("data: %s has no scores, and %s needs them: give --labels FILE (.npy, or a number a line)", j.Data.Source, j.Metrics[0].Name)}
	case !scored(j) && len(search.Labels) == 0:
		return &InputError{fmt.Errorf("data: %s has no labels, and accuracy needs them: give --labels FILE (lines of file name and class number, or .npy), or put the images of each class into a folder of its own", j.Data.Source)}
	}
	return nil
}

// meterOf says what is measured: the job's metrics on the annotations that the data has.
func meterOf(j *config.Job, m *model, search *dataset.Set) (metric.Meter, error) {
	out := metric.Meter{Adapter: metric.Classification, Output: m.output, Metrics: j.Metrics, Labels: search.Labels, Scores: search.Scores}
	if len(out.Metrics) == 0 {
		out.Metrics = []metric.Spec{{Name: "accuracy@top1", Type: "accuracy", TopK: 1}}
	}
	if scored(j) {
		out.Adapter, out.Labels = metric.Regression, nil
		if search.Rows > 1 {
			out.Adapter = metric.Similarity
			var err error
			if out.Mask, err = maskOf(j, m); err != nil {
				return out, err
			}
		}
	}
	if err := out.Check(); err != nil {
		return out, &InputError{err}
	}
	return out, nil
}

// maskOf is the input that marks the positions of a sequence, "" when the output has none.
func maskOf(j *config.Job, m *model) (string, error) {
	var names, masks []string
	for _, p := range m.graph.Graph.Inputs {
		names = append(names, p.Name)
		if strings.Contains(strings.ToLower(p.Name), "mask") {
			masks = append(masks, p.Name)
		}
	}
	for _, p := range m.graph.Graph.Outputs {
		if p.Name == m.output && p.Type.Shape != nil && len(p.Type.Shape) == 2 {
			return "", nil // one embedding a row
		}
	}
	switch mask := j.Data.Mask; {
	case mask == "none":
		return "", nil
	case mask != "" && slices.Contains(names, mask):
		return mask, nil
	case mask != "":
		return "", &InputError{fmt.Errorf("engine.mask: the model has no input %q; it has %s", mask, strings.Join(names, ", "))}
	case slices.Contains(names, "attention_mask"):
		return "attention_mask", nil
	case len(masks) == 1:
		return masks[0], nil
	case len(masks) > 1:
		return "", &InputError{fmt.Errorf("engine.mask: name the input that marks the positions which count, one of %s", strings.Join(masks, ", "))}
	}
	return "", nil
}

// chooseOutput takes the output that the job names.
func (m *model) chooseOutput(name string) error {
	if name == "" {
		return nil
	}
	var names []string
	for _, p := range m.graph.Graph.Outputs {
		if p.Name == name {
			m.output = name
			return nil
		}
		names = append(names, p.Name)
	}
	return &InputError{fmt.Errorf("--output: the model has no output %q; it has %s", name, strings.Join(names, ", "))}
}
