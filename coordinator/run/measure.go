package run

import (
	"fmt"
	"slices"
	"strings"

	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/graph"
	"assay/shared/metric"
)

// scored reports whether a job's metrics compare what the model says with numbers instead of classes.
func scored(j *config.Job) bool { return asks(j, "pearson", "spearman") }

// asks reports whether a metric of the job is of one of the types.
func asks(j *config.Job, types ...string) bool {
	return slices.ContainsFunc(j.Metrics, func(s metric.Spec) bool { return slices.Contains(types, s.Type) })
}

// The metrics that compare with the float model.
const (
	typeAgreement = "agreement"
	typeSQNR      = "sqnr"
	typeRows      = "rows"
)

// unlabelled reports whether a meter needs the float model's answers in place of labels.
func unlabelled(m metric.Meter) bool {
	return slices.ContainsFunc(m.Metrics, func(s metric.Spec) bool { return s.Type == typeAgreement || s.Type == typeSQNR || s.Type == typeRows })
}

// checkMetrics refuses metrics that cannot be measured together: each kind reads other annotations.
func checkMetrics(j *config.Job) error {
	kinds := map[string]string{"accuracy": "classes", "pearson": "scores", "spearman": "scores", typeAgreement: "the float model's classes", typeSQNR: "the float model's outputs", typeRows: "the rows of the float model's outputs"}
	if j.Agreement && asks(j, "accuracy", "pearson", "spearman") {
		return &InputError{fmt.Errorf("%s: annotation_free measures agreement with the float model, and metric %s needs labels: keep one of them", or(j.File, "job"), j.Metrics[0].Name)}
	}
	for _, m := range j.Metrics {
		if a, b := kinds[j.Metrics[0].Type], kinds[m.Type]; a != b {
			return &InputError{fmt.Errorf("%s: metric %s compares with %s, and %s with %s: a job can measure one of them", or(j.File, "--metric"), j.Metrics[0].Name, a, m.Name, b)}
		}
	}
	return nil
}

// or is s, or other where s is empty.
func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// checkLabels refuses data without the labels that the job's metrics need.
func checkLabels(j *config.Job, search *dataset.Set) error {
	switch {
	case scored(j) && len(search.Scores) == 0:
		return &InputError{fmt.Errorf("data: %s has no scores, and %s needs them: give --labels FILE (.npy, or a number a line)", j.Data.Source, j.Metrics[0].Name)}
	case asks(j, "accuracy") && len(search.Labels) == 0:
		return &InputError{fmt.Errorf("data: %s has no labels, and accuracy needs them: give --labels FILE (lines of file name and class number, or .npy), put the images of each class into a folder of its own, or measure agreement with the float model by --metric agreement", j.Data.Source)}
	}
	return nil
}

// meterOf says what is measured: the job's metrics on the annotations that the data has, accuracy where it names none, and
// agreement with the float model where there are no labels. note tells the user what was concluded. A meter's digest is
// part of the problem, so whatever is concluded here decides which stored results count.
func meterOf(j *config.Job, m *model, search *dataset.Set, note func(string)) (metric.Meter, error) {
	out := metric.Meter{Metrics: j.Metrics}
	var err error
	switch {
	case scored(j):
		out.Adapter, out.Output, out.Scores = metric.Regression, m.outputs[0], search.Scores
		if search.Rows > 1 {
			out.Adapter = metric.Similarity
			out.Mask, err = maskOf(j, m)
		}
	case j.Agreement || asks(j, typeAgreement, typeSQNR, typeRows) || len(j.Metrics) == 0 && len(search.Labels) == 0:
		out, err = freeMeter(j, m, note)
	default:
		out.Adapter, out.Output, out.Labels = metric.Classification, m.outputs[0], search.Labels
		if len(out.Metrics) == 0 {
			out.Metrics = []metric.Spec{{Name: "accuracy@top1", Type: "accuracy", TopK: 1}}
		}
	}
	if err != nil {
		return out, err
	}
	if err := out.Check(); err != nil {
		return out, &InputError{err}
	}
	return out, nil
}

// freeMeter compares with the float model: the class of a classifier, the outputs of anything else.
func freeMeter(j *config.Job, m *model, note func(string)) (metric.Meter, error) {
	kind, outputs := m.freeKind(j, note)
	out := metric.Meter{Metrics: j.Metrics}
	if len(out.Metrics) == 0 {
		out.Metrics = []metric.Spec{{Name: kind, Type: kind, TopK: 1}}
	}
	if kind == typeAgreement {
		out.Adapter, out.Output = metric.Classification, m.outputs[0]
		note(fmt.Sprintf("no labels are used: what counts is how often the INT8 model's class is the float model's (output %s as scores of %d classes; if it holds something else, give --metric %s)", out.Output, m.classes, typeSQNR))
		return out, nil
	}
	out.Adapter, out.Outputs = metric.Outputs, outputs
	if kind == typeRows {
		out.Adapter, out.Boxes = metric.Rows, boxesOf(m.graph.Graph, outputs)
		var boxes string
		if len(out.Boxes) > 0 {
			var with []string
			for _, b := range out.Boxes {
				with = append(with, outputs[b.Output])
			}
			boxes = fmt.Sprintf("; boxes of %s, which NonMaxSuppression compares, count by intersection over union", strings.Join(with, ", "))
		}
		note(fmt.Sprintf("no labels are used: what counts is which rows of %s both the float and the INT8 model give, in any order (F1): their number follows from the data, and a score next to a threshold is a row more or less; of each output the first %d rows of a sample are compared%s", strings.Join(outputs, ", "), metric.RowsAtMost, boxes))
		return out, nil
	}
	limit, err := j.Limit()
	if err != nil {
		return out, &InputError{err}
	}
	note(fmt.Sprintf("no labels are used: what counts is how near the INT8 model's outputs (%s) are to the float model's; a drop of %s is noise at %s", strings.Join(out.Outputs, ", "), j.Drop, decibels(1-limit.Float())))
	if s := switches(m.graph.Graph, outputs); len(s) > 0 {
		note(fmt.Sprintf("a Sigmoid makes %s: where its values are nearly 0 or 1, noise is the share that switches from one to the other, as at the borders of a segmenter's regions; a larger --max-drop may do", strings.Join(s, ", ")))
	}
	return out, nil
}

// freeKind chooses how outputs are compared with the float model's, and which, where the job does not say it: the class of a
// classifier, the values of outputs of fixed size, else rows. Of several outputs without a choice of the user's those that
// hold a selection, as NonMaxSuppression makes it, are left out.
func (m *model) freeKind(j *config.Job, note func(string)) (string, []string) {
	switch {
	case asks(j, typeRows):
		return typeRows, m.outputs
	case asks(j, typeAgreement) || !asks(j, typeSQNR) && m.classifies():
		return typeAgreement, m.outputs
	}
	selections := selected(m.graph.Graph)
	var fixed, left []string
	for _, name := range m.outputs {
		if selections[name] {
			left = append(left, name)
		} else {
			fixed = append(fixed, name)
		}
	}
	switch {
	case len(left) == 0:
	case len(fixed) > 0 && j.Data.Output == "":
		note(fmt.Sprintf("not measured: %s, whose number of rows follows from the data (--output %s --metric %s compares the rows)", strings.Join(left, ", "), strings.Join(left, ","), typeRows))
		return typeSQNR, fixed
	case !asks(j, typeSQNR) && len(fixed) == 0:
		return typeRows, m.outputs
	default:
		note(fmt.Sprintf("the number of rows of %s follows from the data, and another number counts as a whole loss in %s: --metric %s compares the rows", strings.Join(left, ", "), typeSQNR, typeRows))
	}
	return typeSQNR, m.outputs
}

// classifies reports whether the measured output looks like scores of classes: one output, and one row of floats a sample.
func (m *model) classifies() bool {
	if len(m.outputs) != 1 || m.classes < 2 || len(m.shape) < 2 || m.shape[0] != m.group || !m.floats {
		return false
	}
	return m.shape[1] == m.classes
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
		if p.Name == m.outputs[0] && p.Type.Shape != nil && len(p.Type.Shape) == 2 {
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

// chooseOutputs takes the outputs that the job names, with commas between; without a name all, and the first is what
// classes and scores are read from.
func (m *model) chooseOutputs(names string) (err error) {
	var all, others []string
	types := map[string]graph.Type{}
	for _, p := range m.graph.Graph.Outputs {
		all = append(all, p.Name)
		types[p.Name] = p.Type
		if !p.Type.DType.Container() {
			others = append(others, p.Name)
		}
	}
	defer func() {
		for _, name := range m.outputs {
			if t := types[name]; err == nil && t.DType.Container() {
				err = &InputError{fmt.Errorf("--output: output %q is %s, and metrics read tensors; those are [%s]", name, t, strings.Join(others, ", "))}
			}
		}
	}()
	m.outputs = all
	if names == "" {
		return nil
	}
	m.outputs = []string{names}
	if !slices.Contains(all, names) {
		m.outputs = strings.Split(names, ",")
	}
	for _, name := range m.outputs {
		if !slices.Contains(all, name) {
			return &InputError{fmt.Errorf("--output: the model has no output %q; it has %s", name, strings.Join(all, ", "))}
		}
	}
	return nil
}
