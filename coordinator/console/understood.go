package console

import (
	"fmt"
	"io"
	"strings"

	"assay/coordinator/run"
	"assay/shared/config"
)

// fewReasons is how many operations are named that stay float.
const fewReasons = 10

// Understood writes a job as it is understood: every key with where its value came from and the value, then what model and data
// hold and how much there is to do. A blank line stands between settings whose keys differ in their first part. It writes once; the error is w's.
func Understood(w io.Writer, settings []config.Setting, u *run.Understood) error {
	var b strings.Builder
	key, from := 0, 0
	for _, s := range settings {
		key, from = max(key, len([]rune(s.Key))), max(from, len([]rune(s.From)))
	}
	section := ""
	for _, s := range settings {
		top, _, _ := strings.Cut(s.Key, ".")
		if top != section && section != "" {
			b.WriteString("\n")
		}
		section = top
		fmt.Fprintf(&b, "%-*s  %-*s  %s\n", key, s.Key, from, s.From, s.Value)
	}
	b.WriteString("\n")
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s%s\n", name, fmt.Sprintf(format, args...))
	}
	many := func(name string, items []string) {
		for i, s := range items {
			if i > 0 {
				name = ""
			}
			line(name, "%s", s)
		}
	}
	line("model", "%s, opset %d", plural(u.Nodes, "operation"), u.Opset)
	many("inputs", u.Inputs)
	many("outputs", u.Outputs)
	line("measured", "%s", u.Measured)
	line("can be INT8", "%s in %s", plural(u.Operations, "operation"), plural(u.Groups, "group"))
	many("stay float", reasons(u))
	line("samples", "%s to measure on, %s to calibrate on%s", count(int64(u.Search)), count(int64(u.Calibration)), labelled(u.Labelled))
	if u.Pictures {
		line("pictures", "%s", preprocessing(u))
	}
	many("note", u.Notes)
	line("inferences", "%s if everything in INT8 keeps the limit", count(u.Least))
	if u.Ranking > 0 {
		line("", "%s more for a ranking of all groups, and up to %s for every group that is tried in float", count(u.Ranking), count(u.Revert))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func labelled(ok bool) string {
	if ok {
		return "; labelled"
	}
	return "; without labels"
}

// preprocessing says what becomes of pictures.
func preprocessing(u *run.Understood) string {
	switch {
	case u.Unknown:
		return "how the model wants them is not given (--like, --resize, --crop, --scale, --mean, --std, --channels)"
	case u.Preprocessing == "":
		return "as they are, resized to the model's size where it differs"
	}
	return u.Preprocessing
}

// reasons names the first operations that stay float, each with the cause.
func reasons(u *run.Understood) []string {
	var out []string
	for i, r := range u.AlwaysFloat {
		if i == fewReasons {
			return append(out, fmt.Sprintf("and %d more", len(u.AlwaysFloat)-i))
		}
		out = append(out, fmt.Sprintf("%s (%s): %s", r.Node, r.Op, r.Why))
	}
	return out
}
