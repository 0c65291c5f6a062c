package metric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/tensor"
)

// TestRowShare: F1 over rows in any order; a row more or less counts whatever its size; noise counts by its energy.
func TestRowShare(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		float, v []float64
		columns  int
		exact    bool
		want     float64
	}{
		"none in both":                  {nil, nil, 4, false, 1},
		"a row from nowhere":            {nil, []float64{1, 2}, 2, false, 0},
		"the only row lost":             {[]float64{1, 2}, nil, 2, false, 0},
		"equal":                         {[]float64{1, 2, 3, 4}, []float64{1, 2, 3, 4}, 2, false, 1},
		"another order":                 {[]float64{1, 2, 3, 4}, []float64{3, 4, 1, 2}, 2, false, 1},
		"one of two lost":               {[]float64{1, 2, 300, 400}, []float64{1, 2}, 2, false, 2.0 / 3},
		"the large one lost":            {[]float64{1, 2, 300, 400}, []float64{300, 400}, 2, false, 2.0 / 3},
		"one more":                      {[]float64{1, 2}, []float64{1, 2, 1, 2}, 2, false, 2.0 / 3},
		"noise of a 25th of the energy": {[]float64{3, 4}, []float64{3, 5}, 2, false, 25.0 / 26},
		"no pair at 0 dB":               {[]float64{1, 0}, []float64{0, 0}, 2, false, 0},
		"a row of zeros":                {[]float64{0, 0}, []float64{0, 0}, 2, false, 1},
		"the nearest one is taken":      {[]float64{10, 11}, []float64{11, 10}, 1, false, 1},
		"integers, one differs":         {[]float64{0, 0, 7, 0, 1, 9}, []float64{0, 1, 9, 0, 0, 8}, 3, true, 0.5},
		"not a number, in both":         {[]float64{nan, 1}, []float64{nan, 1}, 2, false, 1},
		"not a number, in one":          {[]float64{2, 1}, []float64{nan, 1}, 2, false, 0},
		"rows of another width":         {[]float64{1, 2, 3}, []float64{1, 2}, 2, false, 0},
		"more rows than are compared":   {make([]float64, RowsAtMost+1), []float64{0}, 1, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, c.want, closeness{columns: c.columns, exact: c.exact}.share(c.float, c.v), 1e-12)
		})
	}
}

// TestPairsAreFormedGreedily: cases in which the likeliest pair stands in the way of others, and what rows far from zero hide. best
// is the sum of kept shares of the best pairing over the mean number of rows.
func TestPairsAreFormedGreedily(t *testing.T) {
	kept := func(energy, noise float64) float64 { return energy / (energy + noise) }
	for name, c := range map[string]struct {
		float, v   []float64
		columns    int
		want, best float64
	}{
		// 10 pairs with 10.5 first; 7.5 and 15.2 are left over, and are no pair: the noise, 7.7, is larger than 7.5.
		"the best pair parts two good ones": {[]float64{10, 7.5}, []float64{10.5, 15.2}, 1, kept(100, 0.25) / 2, (kept(100, 27.04) + kept(56.25, 9)) / 2},
		"each row nearest to its own copy":  {[]float64{10, 20, 40}, []float64{41, 10.5, 19}, 1, (kept(100, 0.25) + kept(400, 1) + kept(1600, 1)) / 3, (kept(100, 0.25) + kept(400, 1) + kept(1600, 1)) / 3},
		"a double finds one partner":        {[]float64{10, -30}, []float64{10, 10}, 1, 0.5, 0.5},
		"a tie":                             {[]float64{10, 10}, []float64{9, 11}, 1, kept(100, 1), kept(100, 1)},
		"a box of 10 moved by 5":            {[]float64{200, 200, 210, 210}, []float64{205, 205, 215, 215}, 4, kept(168200, 100), kept(168200, 100)},
		"another box far from zero":         {[]float64{200, 200, 210, 210}, []float64{150, 150, 160, 160}, 4, kept(168200, 10000), kept(168200, 10000)},
		"the first box near zero":           {[]float64{0, 0, 10, 10}, []float64{5, 5, 15, 15}, 4, kept(200, 100), kept(200, 100)},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, c.want, closeness{columns: c.columns}.share(c.float, c.v), 1e-12)
			require.InDelta(t, c.best, bestShare(c.float, c.v, c.columns), 1e-12)
		})
	}
}

// bestShare is F1 with the pairing of the largest sum, found by trying all: each float row takes a free row or none.
func bestShare(float, v []float64, columns int) float64 {
	a, b := len(float)/columns, len(v)/columns
	var best func(row int, taken uint) float64
	best = func(row int, taken uint) float64 {
		if row == a {
			return 0
		}
		most := best(row+1, taken)
		for j := range b {
			kept := keptShare(float[row*columns:(row+1)*columns], v[j*columns:(j+1)*columns], columns, false)
			if taken&(1<<j) == 0 && kept > 0.5 {
				most = max(most, kept+best(row+1, taken|1<<j))
			}
		}
		return most
	}
	return 2 * best(0, 0) / float64(a+b)
}

// TestGreedyPairsAgainstTheBest: never above the best pairing and never below half of it; equal where rows are far apart and
// the noise is small.
func TestGreedyPairsAgainstTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 3).Draw(t, "columns")
		cell := rapid.Float64Range(-3, 3)
		draw := func(name string) []float64 {
			rows := rapid.IntRange(1, 5).Draw(t, name+" rows")
			return rapid.SliceOfN(cell, rows*columns, rows*columns).Draw(t, name)
		}
		float, v := draw("float"), draw("other")
		got, best := closeness{columns: columns}.share(float, v), bestShare(float, v, columns)
		require.LessOrEqual(t, got, best+1e-12)
		require.GreaterOrEqual(t, got, best/2-1e-12)
		near, noise := make([]float64, 5), rapid.SliceOfN(rapid.Float64Range(-0.05, 0.05), 5, 5).Draw(t, "noise")
		for i := range near {
			near[len(near)-1-i] = float64(i+1) + noise[i]
		}
		require.InDelta(t, bestShare([]float64{1, 2, 3, 4, 5}, near, 1), closeness{columns: 1}.share([]float64{1, 2, 3, 4, 5}, near), 1e-12)
	})
}

// TestRowShareProperties: the share lies in 0..1, does not depend on the order of rows, is 1 for the rows themselves, and
// each of r rows that is lost costs what F1 says.
func TestRowShareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns, rows := rapid.IntRange(1, 4).Draw(t, "columns"), rapid.IntRange(1, 12).Draw(t, "rows")
		cell := rapid.Float64Range(-100, 100)
		float := rapid.SliceOfN(cell, rows*columns, rows*columns).Draw(t, "float")
		other := rapid.SliceOfN(cell, 3*columns, 3*columns).Draw(t, "other")
		shuffled := append([]float64{}, float...)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Shuffle(rows, func(i, j int) {
			for c := range columns {
				shuffled[i*columns+c], shuffled[j*columns+c] = shuffled[j*columns+c], shuffled[i*columns+c]
			}
		})
		require.InDelta(t, 1, closeness{columns: columns}.share(float, shuffled), 1e-12)
		lost := rapid.IntRange(0, rows).Draw(t, "lost")
		require.InDelta(t, 2*float64(rows-lost)/float64(2*rows-lost), closeness{columns: columns}.share(float, shuffled[lost*columns:]), 1e-12)
		share := closeness{columns: columns}.share(float, other)
		require.True(t, share >= 0 && share <= 1, "%g", share)
	})
}

// TestRows: answers of outputs whose number of rows differs between samples and models; a meter of one output holds rows of
// one element where the output has one axis.
func TestRows(t *testing.T) {
	m := Meter{Adapter: Rows, Outputs: []string{"boxes", "scores"}, Metrics: []Spec{{"rows", "rows", 1}}}
	require.NoError(t, m.Check())
	require.Equal(t, []string{"boxes", "scores"}, m.Wants())
	values := func(boxes []float32, scores []float32) map[string]*tensor.Tensor {
		return map[string]*tensor.Tensor{
			"boxes":  tensor.Of(tensor.Float32, []int{len(boxes) / 4, 4}, boxes),
			"scores": tensor.Of(tensor.Float32, []int{len(scores)}, scores),
		}
	}
	float := values([]float32{0, 0, 1, 1, 5, 5, 9, 9}, []float32{0.75, 0.5})
	answers, err := m.Answers(float, 1)
	require.NoError(t, err)
	self, err := m.Against(float, answers)
	require.NoError(t, err)
	own, err := m.Own(answers)
	require.NoError(t, err)
	require.Equal(t, own, self)

	less, err := m.Against(values([]float32{5, 5, 9, 9}, []float32{0.5}), answers)
	require.NoError(t, err)
	require.InDelta(t, 2.0/3, m.Each(0, less)[0], 1e-12)
	none, err := m.Against(values(nil, nil), answers)
	require.NoError(t, err)
	require.Equal(t, Float(1.0/2), m.Value(0, append(none, self...)), "mean over samples")
	lo, hi := m.Bounds(0, self, own)
	require.Equal(t, [2]Value{Float(0.5), Float(1)}, [2]Value{lo, hi})

	empty, err := m.Answers(values(nil, nil), 1)
	require.NoError(t, err)
	still, err := m.Against(values(nil, nil), empty)
	require.NoError(t, err)
	require.Equal(t, own, still, "no row in both is no loss")

	m.Metrics[0].Type = "sqnr"
	require.ErrorContains(t, m.Check(), "measures outputs and not rows")
}

// TestManyRows: of a long list the first rows are compared, in bounded memory.
func TestManyRows(t *testing.T) {
	m := Meter{Adapter: Rows, Outputs: []string{"y"}, Metrics: []Spec{{"rows", "rows", 1}}}
	long := tensor.New(tensor.Float32, 100*RowsAtMost, 7)
	for i := range long.F32() {
		long.F32()[i] = float32(i)
	}
	answers, err := m.Answers(map[string]*tensor.Tensor{"y": long}, 1)
	require.NoError(t, err)
	require.Len(t, answers[0], answerHead+4*7*RowsAtMost)
	self, err := m.Against(map[string]*tensor.Tensor{"y": long}, answers)
	require.NoError(t, err)
	require.Equal(t, []float64{1}, m.Each(0, self))
}
