package run

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"assay/coordinator/report"
	"assay/kernels/numeric"
	"assay/shared/config"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/version"
)

// describe fills the report from what was decided and measured. decisions depend on job, data and model alone; run
// holds what differs between equal jobs (times, nodes, versions). What goes where is part of design.md 4.1.
func (w *work) describe(ctx context.Context) (*report.Report, error) {
	final := w.outcome.Plan
	macs, total, err := quant.MACShare(w.model.graph, w.params, final, w.cfg.InputShapes)
	if err != nil {
		return nil, err
	}
	d := report.Decisions{
		Job: report.Job{
			Placement: w.job.Quantize.Placement, ModelType: modelType(w.job), Preset: string(w.cfg.Preset), Weights: granularity(w.job), MaximalDrop: w.job.Drop,
			DropType: dropType(w.job), Subset: w.job.Subset, Iterations: w.job.Iterations,
			Inputs: w.problem.Inputs.String(), Meter: w.problem.Meter.String(),
		},
		Numerics: numeric.Version,
		Model:    report.Model{Name: w.job.Stem(), Digest: w.problem.Model.String(), Groups: len(w.params.Groups)},
		Samples:  report.Samples{Calibration: len(w.data.calibView.Samples), Search: len(w.data.searchView.Samples)},
		Output:   w.output,
	}
	if total > 0 {
		d.MACShare = float64(macs) / float64(total)
	}
	if err := w.operations(&d); err != nil {
		return nil, err
	}
	d.Fill(w.outcome, w.limit)
	if err := w.currents(&d); err != nil {
		return nil, err
	}
	d.Notes = append(d.Notes, noiseNotes(w.outcome, w.limit, w.meter)...)
	d.Notes = append(d.Notes, w.built.Warnings...)
	w.flips(&d)
	if err := w.causes(ctx, &d); err != nil {
		return nil, err
	}
	speed, err := w.speed(ctx)
	if err != nil {
		return nil, err
	}
	run := report.Run{
		Seconds: time.Since(w.start).Seconds(), Inferences: w.gauge.inferences(), CellsComputed: w.counts.computed, CellsReused: w.counts.reused, CellsUnused: w.cells.unused(),
		Nodes: []report.Node{}, Versions: map[string]string{"assay": version.String(), "go": runtime.Version()},
		Speed: speed, Command: w.command, Check: w.program(), State: w.seat.state.Dir,
	}
	for _, n := range w.cells.nodes.all() {
		run.Nodes = append(run.Nodes, report.Node(n))
	}
	return &report.Report{Decisions: d, Run: run}, nil
}

// cellName names a cell in the user's words: the operations in float, the first and the last sample.
func (w *work) cellName(r request) string {
	model := "the float model"
	if !r.plan.Params.IsZero() {
		model = "the INT8 model"
		var float []string
		for _, g := range r.plan.FloatGroups() {
			float = append(float, w.watch.operations(g)...)
		}
		if len(float) > 0 {
			model += " with " + strings.Join(float, ", ") + " in float"
		}
	}
	names := w.data.names
	if r.cell.What == plan.Taps {
		names = w.data.calibNames
	}
	name := func(i uint32) string {
		if int(i) < len(names) {
			return names[i]
		}
		return fmt.Sprint(i)
	}
	return fmt.Sprintf("%s (%s) on samples %s to %s", w.job.Model, model, name(r.block[0]), name(r.block[len(r.block)-1]))
}

func granularity(j *config.Job) string {
	if j.Quantize.PerTensor {
		return quant.PerTensor
	}
	return quant.PerChannel
}

func dropType(j *config.Job) string {
	if j.Relative {
		return "relative"
	}
	return "absolute"
}

// modelType is POT's word for the model's family, empty without one.
func modelType(j *config.Job) string {
	if j.Quantize.Transformer {
		return "transformer"
	}
	return ""
}
