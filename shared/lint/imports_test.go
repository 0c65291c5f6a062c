package lint

import (
	"strings"
)

// direction allows packages under from to import packages under to. The rows with the longest from that fits a package
// are the ones that count for it, so a room with rows of its own is closed to everything else. An empty to says that the
// room imports nothing of ours. A room may always import its own sub-packages.
type direction struct{ from, to, why string }

var directions = []direction{
	{"coordinator", "coordinator", "the command line joins its rooms"},
	{"coordinator", "shared", "both sides speak through shared"},
	{"coordinator/run", "coordinator", "the asker answers search and feeds report"},
	{"coordinator/run", "shared", "cells, tasks and objects are shared matter"},
	{"coordinator/run", "kernels/numeric", "the numerics version is part of every problem"},
	{"coordinator/run", "kernels/tier", "the report names the tier"},
	{"coordinator/run", "evaluator", "evaluators inside the own process"},
	{"coordinator/search", "shared/plan", "a decision is about plans"},
	{"coordinator/search", "shared/metric", "an answer is a value of a metric"},
	{"evaluator", "evaluator", "the node joins its rooms"},
	{"evaluator", "shared", "both sides speak through shared"},
	{"evaluator", "kernels/numeric", "a node pulls tasks of its numerics version"},
	{"evaluator", "kernels/tier", "a wish for a tier is checked at the start"},
	{"evaluator/bench", "evaluator/engine", "whole models run through the engine"},
	{"evaluator/bench", "evaluator/clock", "what others do meanwhile does not count"},
	{"evaluator/bench", "shared", "models are read, quantized and exported as in a run"},
	{"evaluator/bench", "kernels", "layers and the machine's peak are measured beside models"},
	{"evaluator/engine", "shared/graph", "the engine compiles graphs"},
	{"evaluator/engine", "shared/op", "operators bring their kernels"},
	{"evaluator/engine", "shared/tensor", "the engine runs tensors"},
	{"evaluator/engine/fuse", "shared/graph", "fusion is a pass"},
	{"evaluator/engine/fuse", "shared/tensor", "scales and zero points are tensors"},
	{"shared", "shared", "rooms of shared build on one another; the compiler forbids cycles"},
	{"shared/op", "kernels", "operators are evaluated by kernels, and only here"},
	{"shared/op", "shared/graph", "operators are nodes"},
	{"shared/op", "shared/tensor", "operators have tensors"},
	{"shared/graph", "shared/tensor", "constants are tensors"},
	{"shared/plan", "shared/tensor", "points have element types"},
	{"shared/tensor", "", "the floor of the house"},
	{"shared/wire", "shared/plan", "messages carry plans and digests"},
	{"shared/lint", "", "the rules know no room"},
	{"kernels", "kernels", "families share numeric, tier and tiles"},
	{"kernels/numeric", "", "the canonical forms stand alone"},
	{"kernels/tier", "", "a tier knows no kernel"},
}

func under(p, room string) bool { return p == room || strings.HasPrefix(p, room+"/") }

// rowsFor returns the indices of the rows that count for a package.
func rowsFor(dir string) []int {
	best := ""
	for _, d := range directions {
		if under(dir, d.from) && len(d.from) > len(best) {
			best = d.from
		}
	}
	var rows []int
	for i, d := range directions {
		if d.from == best {
			rows = append(rows, i)
		}
	}
	return rows
}

// checkImports finds imports that no row allows, and rows that no import needs. Tests may import what they like.
func checkImports(t *tree) []violation {
	var bad []violation
	used, present := map[int]bool{}, map[string]bool{}
	for _, f := range t.files {
		for _, d := range directions {
			if under(f.dir(), d.from) {
				present[d.from] = true
			}
		}
		if f.isTest() {
			continue
		}
		for i, p := range f.imports() {
			to, ours := strings.CutPrefix(p, module)
			if !ours {
				continue
			}
			allowed := false
			for _, r := range rowsFor(f.dir()) {
				d := directions[r]
				if d.to != "" && under(to, d.to) {
					used[r], allowed = true, true
				}
				allowed = allowed || under(to, d.from) && under(f.dir(), d.from)
			}
			if !allowed {
				bad = append(bad, t.at(f, f.syntax.Imports[i], "imports %s, which no row of directions allows", to))
			}
		}
	}
	for i, d := range directions {
		switch {
		case used[i]:
		case !present[d.from]:
			if len(t.files) > 100 { // constructed trees hold a few rooms only
				bad = append(bad, violation{d.from, 0, "a row of directions is stale: the room does not exist"})
			}
		case d.to != "" && len(t.files) > 100:
			bad = append(bad, violation{d.from, 0, "the row to " + d.to + " of directions is stale: nothing imports it (" + d.why + ")"})
		}
	}
	return bad
}

// testingLibraries may be imported by _test.go files only: a binary must not carry them.
var testingLibraries = []string{
	"testing", "net/http/httptest", "github.com/stretchr/testify", "go.uber.org/goleak", "github.com/cockroachdb/datadriven",
	"pgregory.net/rapid", "github.com/yalue/onnxruntime_go",
}

// checkTestingLibraries leaves out packages that only tests import, such as fixtures that several rooms share.
func checkTestingLibraries(t *tree) []violation {
	reached := map[string]bool{}
	for _, f := range t.files {
		for _, p := range f.imports() {
			if to, ours := strings.CutPrefix(p, module); ours && !f.isTest() {
				reached[to] = true
			}
		}
	}
	var bad []violation
	for _, f := range t.files {
		if f.isTest() || !reached[f.dir()] && f.syntax.Name.Name != "main" {
			continue
		}
		for i, p := range f.imports() {
			for _, l := range testingLibraries {
				if under(p, l) {
					bad = append(bad, t.at(f, f.syntax.Imports[i], "imports %s outside a test", p))
				}
			}
		}
	}
	return bad
}
