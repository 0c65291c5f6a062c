package lint

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkPackageComments wants exactly one file of each package to explain it.
func checkPackageComments(t *tree) []violation {
	var bad []violation
	dirs, files := t.packages()
	for _, dir := range dirs {
		var with []*file
		code := 0
		for _, f := range files[dir] {
			if f.isTest() {
				continue
			}
			code++
			if f.syntax.Doc != nil {
				with = append(with, f)
			}
		}
		switch {
		case code > 0 && len(with) == 0:
			bad = append(bad, violation{dir, 0, "no file has a package comment"})
		case len(with) > 1:
			bad = append(bad, t.at(with[1], with[1].syntax.Name, "a second package comment beside %s", with[0].path))
		}
	}
	return bad
}

// vague are names that say nothing of what a package is for.
var vague = []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "base", "lib"}

func checkNames(t *tree) []violation {
	var bad []violation
	dirs, files := t.packages()
	for _, dir := range dirs {
		if slices.Contains(vague, path.Base(dir)) || slices.Contains(vague, files[dir][0].syntax.Name.Name) {
			bad = append(bad, violation{dir, 0, "a package is named after what it is for"})
		}
	}
	return bad
}

// rooms are the only directories at the root that hold Go code.
var rooms = []string{"coordinator", "evaluator", "shared", "kernels", "deployments"}

func checkTopLevel(t *tree) []violation {
	var bad []violation
	for _, d := range t.dirs {
		if !strings.Contains(d, "/") && d != "." && !slices.Contains(rooms, d) {
			bad = append(bad, violation{d, 0, "the root holds " + strings.Join(rooms, ", ") + " and no other folder"})
		}
	}
	for _, f := range t.files {
		if f.dir() == "." {
			bad = append(bad, violation{f.path, 0, "no Go file lies at the root"})
		}
	}
	return bad
}

// checkSleeps forbids time.Sleep in tests: they wait for a signal or for a condition with a deadline.
func checkSleeps(t *tree) []violation {
	var bad []violation
	for _, f := range t.files {
		if !f.isTest() {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
					bad = append(bad, t.at(f, s, "a test sleeps: wait for a signal instead"))
				}
			}
			return true
		})
	}
	return bad
}

// maxLines is the length at which a file surely holds more than one idea.
const maxLines = 600

func checkSizes(t *tree) []violation {
	var bad []violation
	for _, f := range t.files {
		if n := f.lines(); n > maxLines && !f.generated() {
			bad = append(bad, violation{f.path, 0, "longer than 600 lines: look for the names its parts would have"})
		}
	}
	return bad
}

// later matches words that leave work behind in comments.
var later = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX|HA` + `CK)\b`)

func checkLater(t *tree) []violation {
	var bad []violation
	for _, f := range t.files {
		if f.generated() {
			continue
		}
		for _, g := range f.syntax.Comments {
			for _, c := range g.List {
				if later.MatchString(c.Text) {
					bad = append(bad, t.at(f, c, "a comment puts work off: do it, or write an issue"))
				}
			}
		}
	}
	return bad
}
