package run

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"assay/shared/config"
	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/quant"
)

// Understood is what a job is before anything of it is evaluated: what the model has, what the data holds, and how much
// there is to do.
type Understood struct {
	Opset, Nodes    int            // the file's, and of the graph after normalisation
	Inputs, Outputs []string       // name and type
	Measured        string         // the metrics, the outputs that they look at, and the limit
	Operations      int            // that can be INT8
	Groups          int            // that go back to float as a whole
	AlwaysFloat     []quant.Reason // operations that could be INT8 in principle and are not
	Search          int            // samples of every full evaluation
	Calibration     int            // samples that give ranges
	Labelled        bool
	Pictures        bool   // samples are decoded
	Preprocessing   string // as flags; "" when nothing is done
	Unknown         bool   // pictures whose preprocessing is not given
	Notes           []string

	Least   int64 // inferences if everything INT8 keeps the limit
	Ranking int64 // of one ranking of all groups
	Revert  int64 // of one revert, at most
}

// measured says what may not drop, and by how much. Which metric stands in for labels is known when the float model has run.
func measured(j *config.Job, outputs []string, labelled bool) string {
	var names []string
	for _, m := range j.Metrics {
		names = append(names, m.Name)
	}
	switch {
	case len(names) > 0:
	case labelled && !j.Agreement:
		names = []string{"accuracy@top1"}
	default:
		names = []string{"agreement with the float model (sqnr if it is no classifier)"}
	}
	limit := fmt.Sprintf("a drop of %s is allowed", j.Drop)
	if j.Relative {
		limit = fmt.Sprintf("a drop of %s of the float model's value is allowed", j.Drop)
	}
	return fmt.Sprintf("%s of %s; %s", strings.Join(names, ", "), strings.Join(outputs, ", "), limit)
}

// Understand reads model, data and job as Job does and evaluates nothing. It needs no state directory and writes nothing; samples are not
// decoded, so broken ones are not found. Mistakes are the InputErrors of Job.
func Understand(ctx context.Context, j *config.Job) (*Understood, error) {
	w := &work{job: j}
	if err := w.check(); err != nil {
		return nil, err
	}
	search, calibration, err := openData(ctx, j, w.model)
	if err != nil {
		return nil, err
	}
	if err := checkLabels(j, search); err != nil {
		return nil, err
	}
	own, rest, err := j.Calibration.Split(search.Len())
	if err != nil {
		return nil, &InputError{err}
	}
	u := &Understood{
		Opset: w.model.graph.FileOpset, Nodes: len(w.model.graph.Graph.Nodes), Measured: measured(j, w.model.outputs, len(search.Labels) > 0),
		Search: len(rest), Calibration: len(own), Labelled: len(search.Labels) > 0, Pictures: search.Pictures(),
		Preprocessing: j.Data.Prep.Flags(), Unknown: search.Pictures() && !j.Data.Prepared, Notes: search.Notes,
	}
	if calibration != nil {
		u.Calibration = len(j.Calibration.Pick(calibration.Len()))
	}
	u.ports(w.model.graph.Graph)
	params, built, err := preview(w.model.graph, quantConfig(j, nil))
	if err != nil {
		return nil, &InputError{err}
	}
	groups := quant.GroupOps(w.model.graph, params)
	u.Operations, u.Groups, u.AlwaysFloat = distinct(groups), len(groups), built.Float
	n := int64(u.Search)
	u.Least = int64(u.Calibration) + 3*n
	if j.Aware {
		u.Ranking, u.Revert = int64(u.Groups)*min(n, int64(j.Subset)), n
	}
	return u, nil
}

// preview is what quant.Build gives before anything was measured, as if every value were 1. Groups and reasons are those of a
// run, except where ranges decide about them (a Split whose parts differ widely); scales mean nothing.
func preview(m *graph.Model, cfg quant.Config) (*plan.Params, *quant.Report, error) {
	taps, err := quant.Taps(m, cfg)
	if err != nil {
		return nil, nil, err
	}
	var ones []byte
	for range quant.RecordSize(taps) / 8 {
		ones = binary.LittleEndian.AppendUint64(ones, math.Float64bits(1))
	}
	st, err := quant.NewStats(taps, [][]byte{ones}, nil)
	if err != nil {
		return nil, nil, err
	}
	return quant.Build(m, cfg, st)
}

func (u *Understood) ports(g *graph.Graph) {
	for _, p := range g.Inputs {
		u.Inputs = append(u.Inputs, fmt.Sprintf("%s: %s", p.Name, p.Type))
	}
	for _, p := range g.Outputs {
		u.Outputs = append(u.Outputs, fmt.Sprintf("%s: %s", p.Name, p.Type))
	}
}
