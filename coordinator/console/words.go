package console

import (
	"fmt"
	"math"
	"strings"
	"time"

	"assay/coordinator/run"
)

// loaded says what there is to work on, and how much work that is.
func loaded(l run.Loaded) []string {
	return []string{
		fmt.Sprintf("model     %s\n          %s, opset %d, %s multiply-adds a sample", l.Model, plural(l.Nodes, "operation"), l.Opset, large(l.MACs)),
		fmt.Sprintf("data      %s\n          %s samples to measure on, %s to calibrate on", l.Data, count(int64(l.Search)), count(int64(l.Calibration))),
		fmt.Sprintf("estimate  %s inferences if everything in INT8 keeps the limit; more if layers have to be searched", count(l.Inferences)),
	}
}

// quantizable says what the search can choose from.
func quantizable(q run.Quantizable) string {
	text := fmt.Sprintf("can be    INT8: %s in %s", plural(q.Operations, "operation"), plural(q.Groups, "group"))
	if q.AlwaysFloat > 0 {
		text += fmt.Sprintf("; %s float in any case", stay(q.AlwaysFloat))
	}
	return text
}

// probed is the table of what was tried.
func probed(p run.Probe) []string {
	out := []string{fmt.Sprintf("  %-16s right of %-6d poorer than the best by accident?", "--like", p.Samples)}
	for _, t := range p.Tried {
		row := fmt.Sprintf("  %-16s %-15d %s", t.Like, t.Correct, accident(t.Chance))
		switch {
		case t.Misfit != "":
			row = fmt.Sprintf("  %-16s does not fit: %s", t.Like, t.Misfit)
		case t.Best:
			row = fmt.Sprintf("  %-16s %-15d best", t.Like, t.Correct)
		}
		out = append(out, row)
	}
	switch {
	case p.Like != "" && p.Flags != "":
		out = append(out, fmt.Sprintf("taken     --like %s, which is %s", p.Like, p.Flags))
	case p.Like != "":
		out = append(out, fmt.Sprintf("taken     --like %s", p.Like))
	}
	return out
}

// accident says how likely it is that a difference means nothing.
func accident(p float64) string {
	switch {
	case p < 1e-4:
		return "no: less than 1 in 10,000"
	case p < 0.01:
		return fmt.Sprintf("no: 1 in %s", count(int64(math.Round(1/p))))
	}
	return fmt.Sprintf("perhaps: %.0f in 100", max(1, 100*p))
}

func stay(n int) string {
	if n == 1 {
		return "1 operation stays"
	}
	return fmt.Sprintf("%s operations stay", count(int64(n)))
}

// phase says in a sentence what begins.
func phase(p run.Phase) string {
	switch p.Name {
	case run.PhaseDecode:
		return fmt.Sprintf("reading %s from %s", plural(p.Samples, "sample"), strings.Join(p.Subject, ", "))
	case run.PhaseStatistics:
		return "calibrating: ranges of the float model's values" + cost(p)
	case run.PhaseProbe:
		return fmt.Sprintf("no preprocessing is given: trying %s on %s", plural(p.Models, "usual one"), plural(p.Samples, "sample")) + cost(p)
	case run.PhaseBaseline:
		return fmt.Sprintf("measuring the float model on %s", plural(p.Samples, "sample")) + cost(p)
	case run.PhaseStart:
		return fmt.Sprintf("measuring the model with everything INT8 on %s", plural(p.Samples, "sample")) + cost(p)
	case run.PhaseRank:
		return ranking(p)
	case run.PhaseRevert:
		return fmt.Sprintf("giving %s back to float", some(p.Subject)) + cost(p)
	case run.PhaseVerify:
		return "reading the written file back and measuring it" + cost(p)
	case run.PhaseExplain:
		return fmt.Sprintf("looking for causes in the values of %s", plural(p.Models, "group")) + cost(p)
	case run.PhaseSpeed:
		return "timing the float, the INT8 and the final model here, one sample at a time"
	}
	return fmt.Sprintf("%s: %s", p.Name, plural(p.Models, "model")) + cost(p)
}

// ranking announces a ranking; the first one says how much a search is likely to need.
func ranking(p run.Phase) string {
	text := fmt.Sprintf("ranking %s: each alone in float, on %s", plural(p.Models, "group"), plural(p.Samples, "sample")) + cost(p)
	if len(p.Undone) > 0 {
		text = fmt.Sprintf("  worse than before: %s in INT8 again\n", isAre(p.Undone)) + text
	}
	if p.Over {
		text = "over the limit, so layers are searched that go back to float\n" + text
		if p.Remaining > p.Inferences {
			text += fmt.Sprintf("; about %s in all", count(p.Remaining))
		}
	}
	return text
}

// cost says how many inferences p needs and how long that takes.
func cost(p run.Phase) string {
	switch {
	case p.Inferences == 0:
		return ": known already"
	case p.Left < time.Second:
		return ": " + plural(int(p.Inferences), "inference")
	}
	return fmt.Sprintf(": %s, about %s", plural(int(p.Inferences), "inference"), roughly(p.Left))
}

// doing is the short name of a phase, for a bar.
func doing(name string) string {
	if t, ok := map[string]string{
		run.PhaseDecode: "reading", run.PhaseProbe: "trying", run.PhaseBaseline: "measuring", run.PhaseStatistics: "calibrating", run.PhaseStart: "measuring", run.PhaseRank: "ranking",
		run.PhaseRevert: "reverting", run.PhaseVerify: "verifying", run.PhaseExplain: "explaining", run.PhaseSpeed: "timing",
	}[name]; ok {
		return t
	}
	return name
}

// step says what a full evaluation found.
func step(m run.Measured) string {
	switch m.Kind {
	case run.MeasuredFloat:
		return fmt.Sprintf("  float            %.4f", m.Value)
	case run.MeasuredINT8:
		return "  everything INT8  " + against(m)
	}
	return "  one more float   " + against(m)
}

// against says how a model stands against the limit.
func against(m run.Measured) string {
	if math.IsNaN(m.Value) {
		return "no number"
	}
	value := fmt.Sprintf("%.4f", m.Value)
	if m.Noise != "" {
		value += " (" + m.Noise + ")"
	}
	return fmt.Sprintf("%s  drop %s  %s", value, signed(m.Drop), verdict(m.Met))
}

// signed prints a drop with its sign: +0.0000 is a small one, 0.0000 none.
func signed(drop float64) string {
	if drop == 0 {
		return "0.0000"
	}
	return fmt.Sprintf("%+.4f", drop)
}

func verdict(met bool) string {
	if met {
		return "within the limit"
	}
	return "over the limit"
}

// progress says how far the whole job is. Where the ends of a search lie far apart, what is likely stands before them; else of a job whose
// search is open it names what is certain only.
func progress(p run.Progress) string {
	text := fmt.Sprintf("  %s: %s of about %s inferences", doing(p.Phase), count(p.Done), count(p.Total))
	switch {
	case p.Phase == run.PhaseDecode:
		text = fmt.Sprintf("  %s: %s of %s", doing(p.Phase), count(int64(p.Read)), plural(p.Samples, "sample"))
	case wide(p):
		text += fmt.Sprintf(" (%s to %s)", count(coarse(p.Soon.Total)), count(coarse(p.Late.Total)))
	case p.Unsure:
		text = fmt.Sprintf("  %s: %s of %s inferences or more", doing(p.Phase), count(p.Done), count(p.Least))
	case p.Phase == run.PhaseRank || p.Phase == run.PhaseRevert:
		text = fmt.Sprintf("  %s: %s of %s inferences or more", doing(p.Phase), count(p.Done), count(p.Total))
	}
	if p.Left > 0 {
		text += ", " + left(p)
	}
	return text
}

// left is the time left in words. While samples are decoded it leaves most of a search out.
func left(p run.Progress) string {
	switch {
	case p.Phase == run.PhaseDecode && p.Unsure && !wide(p):
		return fmt.Sprintf("roughly %s left or more", roughly(p.Left))
	case p.Rough || p.Unsure:
		return fmt.Sprintf("roughly %s left", roughly(p.Left)) + between(p)
	}
	return roughly(p.Left) + " left" + between(p)
}

// farApart is the ratio of all inferences, if a search takes long and if it ends early, from which both are told.
const farApart = 1.5

// wide reports whether the ends of a search lie far apart.
func wide(p run.Progress) bool {
	return p.Soon.Total > 0 && float64(p.Late.Total) >= farApart*float64(p.Soon.Total)
}

// between says in which time a search with wide ends leaves the job, if the words for both differ.
func between(p run.Progress) string {
	soon, late := roughly(p.Soon.Left), roughly(p.Late.Left)
	if !wide(p) || soon == late {
		return ""
	}
	return fmt.Sprintf(" (%s to %s)", soon, late)
}

// coarse keeps two digits of n.
func coarse(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}

// isAre names operations, as what is.
func isAre(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return some(names) + " are"
}

// some names at most three operations.
func some(names []string) string {
	switch n := len(names); {
	case n == 0:
		return "one group"
	case n > 3:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), n-3)
	}
	return strings.Join(names, ", ")
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

// large writes 41000000 as 41.0 million.
func large(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f billion", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f million", float64(n)/1e6)
	}
	return count(n)
}

// roughly writes a duration as people say it: 8 s, 3 min 20 s, 2 h 10 min.
func roughly(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", max(s, 1))
	case s < 600 && s%60 != 0:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 3600:
		return fmt.Sprintf("%d min", s/60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}
