package report

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// chain is n operations in a row, every third of which also reads the one three before it, and a branch beside each.
func chain(n int) []Placed {
	var out []Placed
	for i := range n {
		o := Placed{Name: fmt.Sprintf("op%d", i), Type: "Conv", Precision: []string{INT8, Float, Follows}[i%3], MACs: int64(i), MACShare: float64(i) / float64(n*n)}
		for _, from := range []int{i - 1, i - 3} {
			if from >= 0 {
				o.After = append(o.After, from)
			}
		}
		out = append(out, o)
	}
	return out
}

// TestMapIsReadable: boxes do not lie on each other, all lie in view, and sources stand before what reads them.
func TestMapIsReadable(t *testing.T) {
	for _, n := range []int{1, 2, 9, 60, 400, 3000} {
		m := newMap(&Decisions{Operations: chain(n)}, shortName(""))
		require.LessOrEqual(t, len(m.Boxes), mostBoxes)
		require.Equal(t, n > mostBoxes*3/2, m.Truncated)
		taken := map[[2]int]bool{}
		for _, b := range m.Boxes {
			require.False(t, taken[[2]int{b.X, b.Y}], "two boxes at %d, %d", b.X, b.Y)
			taken[[2]int{b.X, b.Y}] = true
			require.GreaterOrEqual(t, b.X, 0)
			require.LessOrEqual(t, b.X+m.BoxW, m.Width)
			require.GreaterOrEqual(t, b.Y, 0)
			require.LessOrEqual(t, b.Y+m.BoxH, m.Height)
		}
	}
	require.Nil(t, newMap(&Decisions{}, shortName("")))
	for _, n := range []int{9, 60, 400} {
		m := newMap(&Decisions{Operations: chain(n)}, shortName(""))
		sides := map[[2]int]bool{}
		for _, b := range m.Boxes {
			sides[[2]int{b.X, b.Y + m.BoxH/2}], sides[[2]int{b.X + m.BoxW, b.Y + m.BoxH/2}] = true, true
		}
		for _, l := range m.Lines {
			at := strings.FieldsFunc(l.Path, func(r rune) bool { return strings.ContainsRune("MCL ", r) })
			for _, end := range [][]string{at[:2], at[len(at)-2:]} {
				x, err := strconv.Atoi(end[0])
				require.NoError(t, err)
				y, err := strconv.Atoi(end[1])
				require.NoError(t, err)
				require.True(t, sides[[2]int{x, y}], "%s begins and ends at the middle of a box's side", l.Path)
			}
		}
	}
	require.Nil(t, newMap(&Decisions{Operations: []Placed{{Name: "flat", Precision: Follows}}}, shortName("")))
}

// TestNamePrefix: what all operations of groups share up to a slash, if it is long enough to be worth it.
func TestNamePrefix(t *testing.T) {
	for want, names := range map[string][]string{
		"a/long/prefix/": {"a/long/prefix/x", "a/long/prefix/y/z"},
		"":               {"a/x", "a/y"},
	} {
		require.Equal(t, want, namePrefix(&Decisions{Groups: []Group{{Operations: names[:1]}, {Operations: names[1:]}}}))
	}
	require.Empty(t, namePrefix(&Decisions{Groups: []Group{{Operations: []string{"long/prefix/x", "other"}}}}))
	require.Empty(t, namePrefix(&Decisions{}))
}

// TestSlower: only a model that gained nothing is explained.
func TestSlower(t *testing.T) {
	r := base()
	require.Nil(t, r.slower(shortName("")))
	r.Run.Speed = &Speed{Float: 1, Final: 2}
	require.Nil(t, r.slower(shortName("")), "by accident, perhaps")
	r.Run.Speed.NotFaster = true
	r.Decisions.Output.Unfused = []string{"x/sub", "x/div"}
	r.Decisions.Job.Placement = "pot"
	require.Equal(t, []string{
		"The written model is not faster than the float one here: one sample takes 2.00 ms, in float 1.00 ms.",
		"Values change from float to INT8 at 1 place and back at 2 places: each costs a pass over a tensor.",
		"2 operations between INT8 and INT8 have no integer form and run in float: sub, div.",
		"Placement regions quantizes only what runs in integers.",
	}, r.slower(shortName("x/")))
	r.Decisions.Output = Output{Integer: 1}
	require.Equal(t, "Nothing in the graph explains it: the model is probably too small for INT8 to show.", r.slower(shortName(""))[1])
	r.Decisions.MACShare = 0.5
	require.Contains(t, r.slower(shortName(""))[1], "Nothing in the graph")
	r.Decisions.MACShare = 0.4994
	require.Equal(t, "Only 49.9% of the multiply-adds are INT8.", r.slower(shortName(""))[1])
	r.Decisions.Model.Groups = 0
	require.Nil(t, r.slower(shortName("")), "it is the float model, and no slower than itself")
	r.Decisions.Model.Groups = 1
	r.Run.Speed = nil
	require.Nil(t, r.slower(shortName("")))
}

// TestBars: the operation with most of the work fills its box but for the rims, the others their part of that; where nothing
// multiplies there is none.
func TestBars(t *testing.T) {
	ops := []Placed{
		{Name: "a", Type: "Conv", Precision: INT8, MACs: 10, MACShare: 0.1}, {Name: "b", Type: "Conv", Precision: Float, MACs: 40, MACShare: 0.4, After: []int{0}},
		{Name: "c", Type: "Add", Precision: INT8, After: []int{1}}, {Name: "empty", Type: "MatMul", Precision: INT8, After: []int{2}},
	}
	m := newMap(&Decisions{Operations: ops}, shortName(""))
	require.InDelta(t, 0.4, m.Most, 0)
	var bars []string
	for _, b := range m.Boxes {
		bars = append(bars, b.Share)
		require.GreaterOrEqual(t, b.BarX, b.X)
		require.Less(t, b.BarY, b.Y+m.BoxH)
		require.Greater(t, b.BarY, b.TextY, "under the label")
	}
	require.Equal(t, []string{"17.0", "68.0", "", ""}, bars)
	none := newMap(&Decisions{Operations: ops[2:]}, shortName(""))
	require.Zero(t, none.Most)
	require.Empty(t, none.Boxes[0].Share)
}

// TestFarLines: only what reaches over more than a band stands back.
func TestFarLines(t *testing.T) {
	ops := chain(200)
	ops[199].After = append(ops[199].After, 0)
	ops[199].Precision = INT8
	far := 0
	for _, l := range newMap(&Decisions{Operations: ops}, shortName("")).Lines {
		if l.Far {
			far++
		}
	}
	require.Equal(t, 1, far)
}
