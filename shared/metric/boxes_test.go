package metric

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// TestClosenessOfBoxes: intersection over union in both forms, whatever stands beside the box.
func TestClosenessOfBoxes(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		float, v []float64
		box      Box
		want     float64
	}{
		"equal":                        {[]float64{1, 2, 3, 4}, []float64{1, 2, 3, 4}, Box{}, 1},
		"moved by half its side":       {[]float64{200, 200, 210, 210}, []float64{200, 205, 210, 215}, Box{}, 50. / 150},
		"at zero, the same":            {[]float64{0, 0, 10, 10}, []float64{0, 5, 10, 15}, Box{}, 50. / 150},
		"within":                       {[]float64{0, 0, 10, 10}, []float64{0, 0, 10, 9}, Box{}, 0.9},
		"corners in another order":     {[]float64{10, 10, 0, 0}, []float64{0, 10, 10, 0}, Box{}, 1},
		"apart":                        {[]float64{0, 0, 1, 1}, []float64{2, 0, 3, 1}, Box{}, 0},
		"touching":                     {[]float64{0, 0, 1, 1}, []float64{1, 0, 2, 1}, Box{}, 0},
		"from the centre":              {[]float64{5, 5, 10, 10}, []float64{10, 5, 10, 10}, Box{Center: true}, 50. / 150},
		"the same numbers as corners":  {[]float64{5, 5, 10, 10}, []float64{10, 5, 10, 10}, Box{}, 0},
		"no area, equal":               {[]float64{1, 1, 1, 2}, []float64{1, 1, 1, 2}, Box{}, 1},
		"no area, another":             {[]float64{1, 1, 1, 2}, []float64{1, 1, 1, 3}, Box{}, 0},
		"no numbers, equal":            {[]float64{nan, 1, inf, 2}, []float64{nan, 1, inf, 2}, Box{}, 1},
		"no numbers, another":          {[]float64{nan, 1, inf, 2}, []float64{0, 1, inf, 2}, Box{}, 0},
		"a score behind":               {[]float64{0, 0, 1, 1, 3}, []float64{0, 0, 1, 1, 3.5}, Box{}, 9 / 9.25},
		"a score in front":             {[]float64{3, 0, 0, 10, 10}, []float64{3.5, 0, 0, 10, 9}, Box{At: 1}, 0.9 * 9 / 9.25},
		"another class, far from zero": {[]float64{0, 0, 1, 1, 0.5, 40}, []float64{0, 0, 1, 1, 0.5, 41}, Box{}, 0},
		"a score that is whole in one": {[]float64{0, 0, 1, 1, 1}, []float64{0, 0, 1, 1, 0.5}, Box{}, 1 / 1.25},
	} {
		t.Run(name, func(t *testing.T) {
			got := closeness{columns: len(c.float), box: &c.box}.of(c.float, c.v)
			require.InDelta(t, c.want, got, 1e-12)
		})
	}
	require.Equal(t, 0.75, closeness{columns: 4, exact: true, box: &Box{}}.of([]float64{1, 2, 3, 4}, []float64{1, 2, 3, 5}), "integers are compared as such")
}

// TestOverlapProperties: symmetric, within 0..1, the same wherever both boxes stand and in any positive unit.
func TestOverlapProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) []float64 {
			x, y := float64(rapid.IntRange(-8, 8).Draw(t, name+" x")), float64(rapid.IntRange(-8, 8).Draw(t, name+" y"))
			return []float64{x, y, x + float64(rapid.IntRange(0, 8).Draw(t, name+" w")), y + float64(rapid.IntRange(0, 8).Draw(t, name+" h"))}
		}
		a, b := draw("a"), draw("b")
		share := overlap(corners(a, false), corners(b, false))
		require.True(t, share >= 0 && share <= 1)
		require.Equal(t, share, overlap(corners(b, false), corners(a, false)))
		dx, dy := float64(rapid.IntRange(-1000, 1000).Draw(t, "dx")), float64(rapid.IntRange(-1000, 1000).Draw(t, "dy"))
		sx, sy := rapid.SampledFrom([]float64{0.5, 1, 4}).Draw(t, "sx"), rapid.SampledFrom([]float64{0.5, 1, 4}).Draw(t, "sy")
		moved := func(v []float64) [4]float64 {
			return corners([]float64{v[0]*sx + dx, v[1]*sy + dy, v[2]*sx + dx, v[3]*sy + dy}, false)
		}
		require.Equal(t, share, overlap(moved(a), moved(b)))
	})
}

// TestRowsWithBoxes: the meter's box counts for its output alone, from either end of a row, and not in rows too short for it.
func TestRowsWithBoxes(t *testing.T) {
	m := Meter{Adapter: Rows, Outputs: []string{"dets", "other"}, Metrics: []Spec{{"rows", "rows", 1}}, Boxes: []Box{{Output: 0, At: -4}}}
	require.NoError(t, m.Check())
	rows := func(v ...float32) *tensor.Tensor { return tensor.Of(tensor.Float32, []int{len(v) / 5, 5}, v) }
	float := map[string]*tensor.Tensor{"dets": rows(0.5, 200, 200, 210, 210), "other": rows(0.5, 200, 200, 210, 210)}
	answers, err := m.Answers(float, 1)
	require.NoError(t, err)
	moved := rows(0.5, 200, 202, 210, 212)
	records, err := m.Against(map[string]*tensor.Tensor{"dets": moved, "other": moved}, answers)
	require.NoError(t, err)
	energy := 0.25 + 2*200*200 + 2*210*210
	require.InDelta(t, (80./120+energy/(energy+8))/2, m.Each(0, records)[0], 1e-12)
	require.Nil(t, m.box(0, 3), "a row of three")
	require.Equal(t, int32(1), m.box(0, 5).At)
	require.Nil(t, m.box(1, 5))
}

// TestMetersWithBoxes: a box changes the digest and nothing else does; a meter without boxes is written as it was before boxes
// were known; boxes that are none are refused.
func TestMetersWithBoxes(t *testing.T) {
	m := Meter{Adapter: Rows, Outputs: []string{"a", "b"}, Metrics: []Spec{{"rows", "rows", 1}}}
	require.Equal(t, "0e11559ea5688a16", m.Digest().String()[:16])
	with := m
	with.Boxes = []Box{{Output: 1, At: 2, Center: true}}
	for _, want := range []Meter{m, with} {
		back, err := Decode(want.Encode())
		require.NoError(t, err)
		require.Equal(t, want, back)
	}
	require.NotEqual(t, m.Digest(), with.Digest())
	_, err := Decode(plan.Encode(boxed, m))
	require.ErrorContains(t, err, "without boxes")
	for name, boxes := range map[string][]Box{
		"no such output": {{Output: 2}}, "twice": {{Output: 0}, {Output: 0}}, "backwards": {{Output: 1}, {Output: 0}},
		"beyond the end": {{At: -3}}, "beyond any row": {{At: comparedAtMost - 3}}, "before any row": {{At: -comparedAtMost - 1}},
	} {
		bad := m
		bad.Boxes = boxes
		require.ErrorContains(t, bad.Check(), "is none", name)
	}
	classes := Meter{Adapter: Classification, Output: "y", Metrics: []Spec{{"a", "agreement", 1}}, Boxes: []Box{{}}}
	require.ErrorContains(t, classes.Check(), "is none")
}
