package console

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"assay/coordinator/report"
	"assay/coordinator/run"
)

// progressEvery is how often JSON and terminals hear of progress at most.
const progressEvery = 500 * time.Millisecond

// JSON writes one object a line, with its keys in alphabetic order, in one write. Every one has "event": note, probed, loaded, quantizable,
// phase, progress or step, or behind them result, which is Result's, and all fields of that event every time; package run says what they mean. Values that are no number are null, lists
// never are. Times are in seconds, seconds_left 0 while nothing can be said. Of progress, which comes twice a second at most, total is the best
// guess of all inferences and least what is certain; early and late are total and seconds_left of a search that ends early or late; unsure says
// that it is not known whether a search is needed, rough that seconds_left rests on one sample or on first cells. While samples are decoded,
// samples_read of samples, seconds_left leaves a search out.
func JSON(w io.Writer) Listener {
	var mu sync.Mutex
	var last time.Time
	emit := func(event string, fields map[string]any) {
		fields["event"] = event
		b, err := json.Marshal(fields)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, "%s\n", b)
	}
	return Listener{Close: func() {}, Events: run.Events{
		Note: func(text string) { emit("note", map[string]any{"text": text}) },
		Loaded: func(l run.Loaded) {
			emit("loaded", map[string]any{
				"model": l.Model, "nodes": l.Nodes, "opset": l.Opset, "macs": l.MACs, "data": l.Data,
				"samples_calibration": l.Calibration, "samples_search": l.Search, "inferences": l.Inferences,
			})
		},
		Probed: func(p run.Probe) {
			tried := []map[string]any{}
			for _, t := range p.Tried {
				tried = append(tried, map[string]any{"like": t.Like, "correct": t.Correct, "chance": t.Chance, "best": t.Best, "misfit": t.Misfit})
			}
			emit("probed", map[string]any{"samples": p.Samples, "tried": tried, "like": p.Like, "flags": p.Flags})
		},
		Quantizable: func(q run.Quantizable) {
			emit("quantizable", map[string]any{"operations": q.Operations, "groups": q.Groups, "always_float": q.AlwaysFloat})
		},
		Phase: func(p run.Phase) {
			emit("phase", map[string]any{
				"name": p.Name, "subject": append([]string{}, p.Subject...), "models": p.Models, "samples": p.Samples,
				"inferences": p.Inferences, "seconds": p.Left.Seconds(), "undone": append([]string{}, p.Undone...),
			})
		},
		Step: func(m run.Measured) {
			emit("step", map[string]any{"kind": m.Kind, "operations": append([]string{}, m.Operations...), "value": number(m.Value), "noise": m.Noise, "drop": number(m.Drop), "met": m.Met})
		},
		Progress: func(p run.Progress) {
			mu.Lock()
			due := time.Since(last) >= progressEvery
			if due {
				last = time.Now()
			}
			mu.Unlock()
			if due {
				emit("progress", map[string]any{
					"phase": p.Phase, "done": p.Done, "total": p.Total, "least": p.Least, "reused": p.Reused, "slots": p.Slots,
					"seconds": p.Elapsed.Seconds(), "seconds_left": p.Left.Seconds(), "unsure": p.Unsure, "rough": p.Rough,
					"samples_read": p.Read, "samples": p.Samples,
					"early": map[string]any{"total": p.Soon.Total, "seconds_left": p.Soon.Left.Seconds()},
					"late":  map[string]any{"total": p.Late.Total, "seconds_left": p.Late.Left.Seconds()},
				})
			}
		},
	}}
}

// Result writes the last line of JSON, the event result: metrics and float_groups as in report.json, and the files that were written.
func Result(w io.Writer, r *run.Result) error {
	d := &r.Report.Decisions
	b, err := json.Marshal(map[string]any{
		"event": "result", "met": d.Met, "metrics": d.Metrics, "float_groups": append([]report.FloatGroup{}, d.FloatGroups...), "int8_mac_share": d.MACShare, "files": r.Files,
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// number is v, or nil where JSON has no number for it.
func number(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}
