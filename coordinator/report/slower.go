package report

import (
	"fmt"
	"strings"
)

// slower says, when the written model was found not to be faster than the float one, what was measured and what costs time; nil
// otherwise. short makes names short.
func (r *Report) slower(short func(string) string) []string {
	s, o := r.Run.Speed, r.Decisions.Output
	if s == nil || !s.NotFaster || r.Decisions.Model.Groups == 0 {
		return nil
	}
	out := []string{fmt.Sprintf("The written model is not faster than the float one here: one sample takes %s, in float %s.", milliseconds(s.Final), milliseconds(s.Float))}
	if o.Quantize+o.Dequantize > 0 {
		out = append(out, fmt.Sprintf("Values change from float to INT8 at %s and back at %s: each costs a pass over a tensor.", plural(o.Quantize, "place"), plural(o.Dequantize, "place")))
	}
	if len(o.Unfused) > 0 {
		names := each(o.Unfused, short)
		out = append(out, fmt.Sprintf("%s between INT8 and INT8 %s no integer form and %s in float: %s.", plural(len(names), "operation"), verb(len(names), "has", "have"), verb(len(names), "runs", "run"), shorten(names, 8)))
	}
	if d := r.Decisions; d.MACShare < 0.5 {
		out = append(out, fmt.Sprintf("Only %s of the multiply-adds are INT8.", percent(d.MACShare)))
	}
	if len(out) == 1 {
		out = append(out, "Nothing in the graph explains it: the model is probably too small for INT8 to show.")
	}
	if p := r.Decisions.Job.Placement; p == "pot" && len(o.Unfused) > 0 {
		out = append(out, "Placement regions quantizes only what runs in integers.")
	}
	return out
}

func verb(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// each applies f to a list.
func each(list []string, f func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

// shortName leaves prefix out.
func shortName(prefix string) func(string) string {
	return func(s string) string { return strings.TrimPrefix(s, prefix) }
}
