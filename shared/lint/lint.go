// Package lint holds the rules of the house as tests: which room may import which, one comment per package, how float
// expressions may be written where numbers must be the same on every machine, names, sizes, and what tests may not do. It
// has no code that a program could use; each rule is a function over parsed files in a _test.go file, runs over the tree
// in TestTree, and has a table of constructed violations in TestRulesCatchViolations.
//
// A rule that a change must break is changed here, in the same commit, with its reason in the table row.
package lint
