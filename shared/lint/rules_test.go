package lint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// rules are all rules of the house. check returns the violations in a tree.
var rules = []struct {
	name  string
	check func(*tree) []violation
}{
	{"imports point one way", checkImports},
	{"no production code imports testing libraries", checkTestingLibraries},
	{"one comment per package", checkPackageComments},
	{"names say what a package is for", checkNames},
	{"the root holds rooms only", checkTopLevel},
	{"float products are rounded before they are summed", checkProducts},
	{"no CPU-dependent functions of package math", checkMath},
	{"tests wait for signals", checkSleeps},
	{"files stay readable", checkSizes},
	{"nothing is left for later", checkLater},
}

// TestTree applies every rule to the repository.
func TestTree(t *testing.T) {
	tr := load(t, root(t))
	require.Greater(t, len(tr.files), 10)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, v := range r.check(tr) {
				t.Error(v)
			}
		})
	}
}

// TestRulesCatchViolations runs each rule on constructed trees: the named violations and no others are found.
func TestRulesCatchViolations(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range constructed {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			for _, r := range rules {
				if r.name != c.rule {
					continue
				}
				seen[r.name] = true
				var got []string
				for _, v := range r.check(construct(t, c.files)) {
					got = append(got, v.String())
				}
				require.Len(t, got, len(c.want), "%q", got)
				for i, w := range c.want {
					require.Contains(t, got[i], w)
				}
			}
		})
	}
	for _, r := range rules {
		require.True(t, seen[r.name], "rule %q has no constructed violation", r.name)
	}
}
