package metric

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestCompareIsAnOrder: every value of the list stands behind those before it, and beside those of its own line; fractions are
// compared as fractions, also with what is known in floating point only.
func TestCompareIsAnOrder(t *testing.T) {
	third := 1.0 / 3
	order := [][]Value{
		{Float(math.NaN()), Count(0, 0), Count(3, -1), {F: math.NaN()}},
		{Float(math.Inf(-1))},
		{Float(-math.MaxFloat64)},
		{Count(-1, 2), Float(-0.5)},
		{Count(0, 7), Float(0), Float(math.Copysign(0, -1)), Count(0, 1)},
		{Float(math.SmallestNonzeroFloat64)},
		{Float(third)}, // rounded down
		{Count(1, 3), Count(2, 6)},
		{Float(math.Nextafter(third, 1))},
		{Count(math.MaxInt64-1, math.MaxInt64)},
		{Count(7, 7), Float(1)},
		{Float(math.MaxFloat64)},
		{Float(math.Inf(1))},
	}
	for i, line := range order {
		for _, a := range line {
			for j, other := range order {
				for _, b := range other {
					want := 0
					if i != j {
						want = map[bool]int{true: -1, false: 1}[i < j]
					}
					require.Equal(t, want, a.Compare(b), "%v %v", a, b)
				}
			}
		}
	}
}

// TestCountsKeepTheirFraction: a count is exact as long as something was counted, and prints both of its forms.
func TestCountsKeepTheirFraction(t *testing.T) {
	require.Equal(t, "76/100 (0.76)", Count(76, 100).String())
	require.Equal(t, "0.76", Float(0.76).String())
	require.Equal(t, "NaN", Count(0, 0).String())
	require.True(t, Count(0, 1).Exact())
	require.False(t, Count(0, 0).Exact())
	require.True(t, math.IsNaN(Count(1, 0).F))
}

// TestParseValue: a decimal number is the fraction that it says, where 64 bits hold that; what is no number, or one of a size
// that nobody means, is refused by name.
func TestParseValue(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n, digits := rapid.Int64Range(-1e15, 1e15).Draw(r, "n"), rapid.IntRange(0, 18).Draw(r, "digits")
		exact := new(big.Rat).SetFrac(big.NewInt(n), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
		v, err := ParseValue(exact.FloatString(digits))
		require.NoError(r, err)
		require.True(r, v.Exact())
		require.Zero(r, big.NewRat(v.Num, v.Den).Cmp(exact))
	})
	v, err := ParseValue("1e-30")
	require.NoError(t, err)
	require.Equal(t, Float(1e-30), v)
	for _, bad := range []string{"", "x", "NaN", "Inf", "-inf", "1e999", "1e-401", "1,5", "1/3", "0." + string(make([]byte, 70))} {
		_, err := ParseValue(bad)
		require.ErrorContains(t, err, "value ", "%q", bad)
	}
}

// TestMean: the kept rows alone count, in their number and in their sum; without any the mean is zero and not NaN.
func TestMean(t *testing.T) {
	v := []float64{1, 10, 2, 20, 6, 60}
	for _, c := range []struct {
		marks []bool
		want  []float64
	}{
		{[]bool{true, true, true}, []float64{3, 30}}, {[]bool{true, false, false}, []float64{1, 10}}, {[]bool{false, true, true}, []float64{4, 40}},
		{[]bool{false, false, true}, []float64{6, 60}}, {[]bool{false, false, false}, []float64{0, 0}}, {nil, []float64{0, 0}},
	} {
		got := make([]float64, 2)
		mean(got, v, c.marks)
		require.Equal(t, c.want, got, "%v", c.marks)
	}
}

// TestCosine: the angle alone counts, not the lengths; a vector without a direction is at right angles to all.
func TestCosine(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 0}, []float64{5, 0}, 1}, {[]float64{1, 0}, []float64{-2, 0}, -1}, {[]float64{1, 0}, []float64{0, 3}, 0},
		{[]float64{3, 4}, []float64{4, 3}, 24.0 / 25}, {[]float64{0, 0}, []float64{1, 1}, 0}, {[]float64{1, 1}, []float64{0, 0}, 0},
	} {
		require.InDelta(t, c.want, cosine(c.a, c.b), 1e-15, "%v", c)
		require.Equal(t, cosine(c.a, c.b), cosine(c.b, c.a))
	}
}

// TestUncheckedMeter: a meter that was not checked is a fault of its user's program, told by name.
func TestUncheckedMeter(t *testing.T) {
	m := Meter{Adapter: "depth"}
	require.Error(t, m.Check())
	require.PanicsWithValue(t, "metric: an unchecked meter: "+adapterError(m), func() { m.RecordSize() })
}

func adapterError(m Meter) string {
	_, err := m.adapter()
	return err.Error()
}

// TestNothingMeasured: no records give NaN, which comes before every value and is within no limit.
func TestNothingMeasured(t *testing.T) {
	for _, c := range []struct {
		adapter, kind string
		outputs       []string
	}{{Classification, agreement, nil}, {Outputs, "sqnr", []string{"y"}}, {Rows, "rows", []string{"y"}}, {Regression, "pearson", nil}, {Regression, "spearman", nil}} {
		m := Meter{Adapter: c.adapter, Output: "y", Outputs: c.outputs, Metrics: []Spec{{c.kind, c.kind, 1}}}
		v := m.Value(0, nil)
		require.True(t, math.IsNaN(v.F), c.kind)
		require.Equal(t, -1, v.Compare(Float(math.Inf(-1))))
		require.Zero(t, v.Compare(Count(0, 0)))
		require.False(t, Limit{}.Allows(m.Direction(0), Count(0, 1), v))
	}
	require.NotEqual(t, Count(1, 2), Count(2, 4))
	require.Zero(t, Count(1, 2).Compare(Count(2, 4)))
	require.Zero(t, Value{}.Compare(Count(0, 7)))
}
