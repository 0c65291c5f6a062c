package report

import (
	"html"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTag: names of operators are shortened by words first, and never longer than a box.
func TestTag(t *testing.T) {
	for name, want := range map[string]string{
		"Conv": "Conv", "ConvInteger": "ConvInteger", "GlobalAveragePool": "Gl.AvgPool", "AveragePool": "AveragePool", "ConvTranspose": "ConvT",
		"LayerNormalization": "LayerNorm", "ReduceMean": "ReduceMean", "NonMaxSuppression": "NonMaxSupp…", "SkipLayerNormalization": "SkipLayerN…",
	} {
		require.Equal(t, want, tag(name))
		require.LessOrEqual(t, len([]rune(tag(name))), longestTag)
	}
}

// TestFloatWithoutReason: an operation that computes floats and that nobody gave a reason is explained all the same.
func TestFloatWithoutReason(t *testing.T) {
	r := untouched()
	r.Decisions.Operations = append(r.Decisions.Operations, Placed{Name: "gap", Type: "GlobalAveragePool", Groups: []int{}, Precision: Float, After: []int{}})
	for placement, why := range map[string]string{"regions": "does not lie between two INT8 layers", "pot": "POT&#39;s table for CPUs quantizes no such operation"} {
		r.Decisions.Job.Placement = placement
		b, err := r.HTML(nil)
		require.NoError(t, err)
		require.Contains(t, string(b), "1 more was never INT8 either: GlobalAveragePool.")
		require.Contains(t, strings.ReplaceAll(string(b), "POT's", "POT&#39;s"), why)
	}
	r.Decisions.AlwaysFloat = nil
	b, err := r.HTML(nil)
	require.NoError(t, err)
	require.Contains(t, string(b), "2 operations were never INT8: MatMul, GlobalAveragePool.")
}

// TestIdleSteps: groups whose step lowered nothing are counted, since a reader wonders why they are float.
func TestIdleSteps(t *testing.T) {
	r := untouched()
	for _, c := range []struct {
		gains []Number
		want  string
	}{{[]Number{0.1, 0.2}, ""}, {[]Number{0.1, 0, -0.1}, "2 of these steps lowered nothing."}} {
		r.Decisions.FloatGroups = nil
		for i, g := range c.gains {
			r.Decisions.FloatGroups = append(r.Decisions.FloatGroups, FloatGroup{Index: i, Operations: []string{"x"}, Gain: g})
		}
		b, err := r.HTML(nil)
		require.NoError(t, err)
		if c.want == "" {
			require.NotContains(t, string(b), "lowered nothing.")
			continue
		}
		require.Contains(t, string(b), c.want)
	}
}

// TestManySteps: where points stand close, the name of the second one does not run into the first.
func TestManySteps(t *testing.T) {
	r := untouched()
	require.Equal(t, "all INT8", newChart(&r.Decisions).Points[1].Name)
	for range 20 {
		r.Decisions.Steps = append(r.Decisions.Steps, Step{Float: []int{0}, Values: []Number{0.9}, Drops: []Number{0}, Verdict: "kept"})
	}
	require.Equal(t, "INT8", newChart(&r.Decisions).Points[1].Name)
}

// TestStepsOnTheLine: the line of the drops goes through what the search went on from, whatever it lost; what was taken back stands beside it.
func TestStepsOnTheLine(t *testing.T) {
	for verdict, on := range map[string]bool{"kept": true, "forgiven": true, "kept-worse": true, "other-metric": true, "within": true, "all-float": true, "rolled-back": false} {
		r := untouched()
		r.Decisions.Steps = []Step{{Float: []int{0}, Values: []Number{0.7}, Drops: []Number{0.2}, Verdict: verdict}}
		c := dropChart(&r.Decisions)
		require.Equal(t, on, strings.Contains(c.Line, c.Points[1].X+","+c.Points[1].Y), verdict)
		b, err := r.HTML(nil)
		require.NoError(t, err)
		require.Equal(t, !on, strings.Contains(string(b), "Steps that were undone stand beside the line."), verdict)
	}
	require.Nil(t, dropChart(&untouched().Decisions), "no search, no way")
}

// TestUnknownGroups: a report that names groups which it does not list is shown without their names.
func TestUnknownGroups(t *testing.T) {
	r := untouched()
	n := len(r.Decisions.Groups)
	r.Decisions.FloatGroups = []FloatGroup{{Index: n, Operations: []string{"later"}, Gain: 0.1}}
	r.Decisions.Steps = []Step{{Group: n, Float: []int{n}, Values: []Number{0.9}, Drops: []Number{0}, Verdict: "kept"}}
	value, current := Number(0.9), Number(0.8)
	r.Decisions.Rankings = []Ranking{{Current: &current, Scores: []Score{{Group: n, Value: &value}}}}
	r.Decisions.Gains()
	var b strings.Builder
	require.NoError(t, r.Summary(&b, nil))
	require.Contains(t, b.String(), "later")
	_, err := r.HTML(nil)
	require.NoError(t, err)
}

// TestStateWithBlanks: the command that the page shows for a replay can be copied, whatever the directory is called.
func TestStateWithBlanks(t *testing.T) {
	r := untouched()
	r.Run.State = "/home/ada/my jobs/net-0011"
	b, err := r.HTML(nil)
	require.NoError(t, err)
	require.Contains(t, html.UnescapeString(string(b)), "assay replay '/home/ada/my jobs/net-0011'</pre>")
}

// TestNumbersOfOperations: the summary of the operations is English for none, one and many.
func TestNumbersOfOperations(t *testing.T) {
	follows := func(n int) (out []Placed) {
		for range n {
			out = append(out, Placed{Name: "r", Type: "Reshape", Precision: Follows})
		}
		return out
	}
	conv := Placed{Name: "c", Type: "Conv", Precision: "int8", Groups: []int{0}}
	for want, c := range map[string]struct {
		operations []Placed
		groups     int
	}{
		"<summary>1 operation, none of them in a group</summary>":                                                     {[]Placed{conv}, 0},
		"<summary>1 operation, 1 of them in 1 group; 1 more of the graph&#39;s 6 follows its neighbours</summary>":    {append(follows(1), conv), 1},
		"<summary>2 operations, 1 of them in 2 groups; 3 more of the graph&#39;s 6 follow their neighbours</summary>": {append(follows(3), conv, conv), 2},
	} {
		r := untouched()
		r.Decisions.Operations, r.Decisions.Model.Groups, r.Decisions.Model.Operations, r.Decisions.Model.Nodes = c.operations, c.groups, 1, 6
		b, err := r.HTML(nil)
		require.NoError(t, err)
		require.Contains(t, strings.ReplaceAll(string(b), "'", "&#39;"), want)
	}
}

// TestValuesOfANarrowWindow: where points stand close, page.css leaves their values out in a narrow window.
func TestValuesOfANarrowWindow(t *testing.T) {
	for steps, many := range map[int]bool{0: false, 6: false, 7: true} {
		r := untouched()
		for range steps {
			r.Decisions.Steps = append(r.Decisions.Steps, Step{Float: []int{0}, Values: []Number{0.9}, Drops: []Number{0}, Verdict: "kept"})
		}
		b, err := r.HTML(nil)
		require.NoError(t, err)
		require.Equal(t, many, strings.Contains(string(b), `<svg class="plot many"`), steps)
	}
}
