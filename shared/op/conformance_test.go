package op_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/kernels/tier"
)

// leftOut is the committed list of cases that do not pass, grouped under the reasons why.
const leftOut = "testdata/conformance.txt"

// perCase bounds the time of one case; the whole networks take the longest.
const perCase = time.Minute

// TestConformance runs all of the ONNX project's own backend cases with the suite's tolerances. A case on the list of
// those left out that passes fails the build, and so does one off it that fails; -update writes the list anew, keeping the
// reasons that stand there. A panic is never left out.
func TestConformance(t *testing.T) {
	cases, update := conformanceCases(t), updating()
	reasons := readLeftOut(t)
	failed, mu := map[string]error{}, sync.Mutex{}
	t.Run("cases", func(t *testing.T) {
		for name, dir := range cases {
			t.Run(name, func(t *testing.T) {
				if strings.HasPrefix(name, "light/") && tier.Current() == tier.Plain {
					t.Skip("skipped: a whole network takes minutes on the plain tier")
				}
				t.Parallel()
				start := time.Now()
				err := safely(func() error { return runCase(dir, suiteTolerance) })
				require.Less(t, time.Since(start), perCase)
				if err != nil {
					mu.Lock()
					failed[name] = err
					mu.Unlock()
					require.NotContains(t, err.Error(), "panic")
				}
				if update {
					return
				}
				if reason, out := reasons[name]; out {
					require.Error(t, err, "it passes now and is left out as %q: run with -update", reason)
					return
				}
				require.NoError(t, err)
			})
		}
	})
	passed := len(cases) - len(failed)
	t.Logf("%d of %d cases pass, %.1f %%", passed, len(cases), 100*float64(passed)/float64(len(cases)))
	if update {
		writeLeftOut(t, failed, reasons)
		return
	}
	for name := range reasons {
		require.Contains(t, cases, name, "the list names a case that does not exist")
	}
}

// updating reports whether flag -update, which the tests inside package op define, is set.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// conformanceCases lists the suite by group and name: folders with a model, and whole networks in single files.
func conformanceCases(t testing.TB) map[string]string {
	root := filepath.Join(assets(t), "onnx-conformance")
	models, err := filepath.Glob(filepath.Join(root, "*", "*", "model.onnx"))
	require.NoError(t, err)
	light, err := filepath.Glob(filepath.Join(root, "light", "*.onnx"))
	require.NoError(t, err)
	cases := map[string]string{}
	for _, m := range models {
		dir := filepath.Dir(m)
		cases[filepath.Base(filepath.Dir(dir))+"/"+filepath.Base(dir)] = m
	}
	for _, m := range light {
		cases["light/"+strings.TrimSuffix(filepath.Base(m), ".onnx")] = m
	}
	require.NotEmpty(t, cases)
	return cases
}

// safely turns a panic into an error.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// readLeftOut reads the list: lines that begin with "- " are cases, "# " is commentary, other lines are reasons.
func readLeftOut(t *testing.T) map[string]string {
	b, err := os.ReadFile(leftOut)
	if os.IsNotExist(err) && updating() {
		return nil
	}
	require.NoError(t, err)
	list, reason := map[string]string{}, ""
	for _, line := range strings.Split(string(b), "\n") {
		name, isCase := strings.CutPrefix(line, "- ")
		switch {
		case line == "" || strings.HasPrefix(line, "# "):
		case isCase:
			require.NotEmpty(t, reason, "%s stands under no reason", name)
			require.NotContains(t, list, name, "it stands twice")
			list[name] = reason
		default:
			reason = line
		}
	}
	return list
}

// writeLeftOut writes the failed cases by reason, the most frequent one first.
func writeLeftOut(t *testing.T, failed map[string]error, old map[string]string) {
	groups := map[string][]string{}
	for name, err := range failed {
		reason, ok := old[name]
		if !ok || strings.HasPrefix(reason, unsorted) {
			reason = reasonFor(name, err)
		}
		groups[reason] = append(groups[reason], name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Cases of the ONNX suite that are left out, each group under its reason. Made by\n"+
		"# go test ./shared/op -run TestConformance -update\n# %d cases.\n", len(failed))
	for _, reason := range slices.SortedFunc(maps.Keys(groups), func(x, y string) int {
		if d := len(groups[y]) - len(groups[x]); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	}) {
		slices.Sort(groups[reason])
		b.WriteString("\n" + reason + "\n")
		for _, name := range groups[reason] {
			b.WriteString("- " + name + "\n")
		}
	}
	require.NoError(t, os.WriteFile(leftOut, []byte(b.String()), 0o644))
}
