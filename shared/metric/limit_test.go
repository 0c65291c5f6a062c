package metric

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/tensor"
)

// limit is ParseLimit for texts that are right.
func limit(t require.TestingT, text string, relative bool) Limit {
	l, err := ParseLimit(text, relative)
	require.NoError(t, err)
	return l
}

// TestExcess: in the metric's own unit, against the limit or against its share of the base's size, whichever way is worse.
func TestExcess(t *testing.T) {
	const big = 1 << 40 // fractions of any length give what short ones give
	for _, c := range []struct {
		limit    string
		relative bool
		d        Direction
		base, v  [2]int64
		want     float64
		allowed  bool
	}{
		{"0.25", false, HigherBetter, [2]int64{1, 2}, [2]int64{1, 4}, 0, true},
		{"0.125", false, HigherBetter, [2]int64{1, 2}, [2]int64{1, 4}, 0.125, false},
		{"0.25", true, HigherBetter, [2]int64{1, 2}, [2]int64{1, 4}, 0.125, false},
		{"0.5", true, HigherBetter, [2]int64{1, 2}, [2]int64{1, 4}, 0, true},
		{"0.5", true, HigherBetter, [2]int64{-1, 2}, [2]int64{-3, 4}, 0, true}, // the size of the base, not its sign
		{"0.25", true, HigherBetter, [2]int64{-1, 2}, [2]int64{-3, 4}, 0.125, false},
		{"0.25", false, HigherWorse, [2]int64{1, 2}, [2]int64{1, 4}, -0.5, true},
		{"0.25", false, HigherWorse, [2]int64{1, 4}, [2]int64{1, 2}, 0, true},
		{"0.25", true, HigherWorse, [2]int64{1, 4}, [2]int64{1, 2}, 0.1875, false},
		{"0", true, HigherBetter, [2]int64{0, 2}, [2]int64{0, 3}, 0, true},
		{"9", true, HigherBetter, [2]int64{0, 2}, [2]int64{-1, 4}, 0.25, false},
		{"0", false, HigherBetter, [2]int64{1, 2}, [2]int64{1, 2}, 0, true},
	} {
		l := limit(t, c.limit, c.relative)
		for _, k := range []int64{1, 3, big} {
			base, v := Count(c.base[0]*k, c.base[1]*k), Count(c.v[0]*k, c.v[1]*k)
			require.Equal(t, c.want, l.Excess(c.d, base, v), "%+v times %d", c, k)
			require.Equal(t, c.allowed, l.Allows(c.d, base, v), "%+v times %d", c, k)
			require.Equal(t, c.want, l.Excess(c.d, base, Float(v.F)), "%+v in floating point", c)
			require.Equal(t, c.allowed, l.Allows(c.d, Float(base.F), v), "%+v in floating point", c)
		}
	}
}

// TestSlackIsForRoundedNumbers: 1e-9 beyond the limit is within it where one of the values is rounded, and a little more is not; between
// fractions nothing is.
func TestSlackIsForRoundedNumbers(t *testing.T) {
	l := limit(t, "0.01", false)
	base := Count(1, 2)
	for v, want := range map[float64]bool{0.49: true, 0.49 - 0.99e-9: true, 0.49 - 1.01e-9: false, 0.49 + 1e-3: true} {
		require.Equal(t, want, l.Allows(HigherBetter, base, Float(v)), "%v", v)
		require.Equal(t, want, l.Allows(HigherBetter, Float(0.5), Float(v)), "%v", v)
		require.Equal(t, want, l.Allows(HigherWorse, Float(v), base), "%v", v)
	}
	const den = 10_000_000_000
	require.True(t, l.Allows(HigherBetter, base, Count(49*den/100, den)))
	require.False(t, l.Allows(HigherBetter, base, Count(49*den/100-1, den)))
	require.True(t, l.Allows(HigherBetter, Float(0.5), Count(49*den/100-1, den)))
	require.Equal(t, 1e-10, l.Excess(HigherBetter, base, Count(49*den/100-1, den)))
}

// TestDrop: in the unit of the metric, or as a share of the base's size; an exact fraction between fractions, also a relative one.
func TestDrop(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := func(name string) int64 { return rapid.Int64Range(-1000, 1000).Draw(r, name) }
		base, v := Count(n("base"), 8), Count(n("v"), 8)
		d := rapid.SampledFrom([]Direction{HigherBetter, HigherWorse}).Draw(r, "direction")
		diff := base.Num - v.Num
		if d == HigherWorse {
			diff = -diff
		}
		absolute, relative := Limit{}.Drop(d, base, v), Limit{Relative: true}.Drop(d, base, v)
		require.Zero(r, absolute.Compare(Count(diff, 8)))
		require.True(r, absolute.Exact())
		size := max(base.Num, -base.Num)
		switch {
		case size > 0:
			require.Zero(r, relative.Compare(Count(diff, size)))
			require.True(r, relative.Exact())
			require.Equal(r, float64(diff)/float64(size), relative.F)
		case diff == 0:
			require.Zero(r, relative.Compare(Count(0, 1)))
		default:
			require.True(r, math.IsInf(relative.F, int(diff)))
		}
		rounded := Limit{}.Drop(d, Float(base.F), v)
		require.False(r, rounded.Exact())
		require.Equal(r, float64(diff)/8, rounded.F)
	})
}

// TestExponents: numbers of any spelling that a float64 holds, up to 64 characters; those below its range cost no memory.
func TestExponents(t *testing.T) {
	long := "0.0" + string(make([]byte, 0, 70))
	for len(long) < maxDigits {
		long += "1"
	}
	for text, ok := range map[string]bool{
		"1e-3": true, "1E-3": true, "0x1p-3": true, "0X1P-3": true, "1e-400": true, "1e-401": false, "1E-401": false, "0x1p-401": false, "0X1P-401": false,
		"1e308": true, "1e309": false, "1e": false, "0e-999999999": false, long: true, long + "1": false, "infinity": false, "+Inf": false, "NaN": false,
	} {
		_, err := ParseLimit(text, false)
		require.Equal(t, ok, err == nil, "%s: %v", text, err)
		_, err = ParseValue(text)
		require.Equal(t, ok, err == nil, "%s: %v", text, err)
	}
}

// TestPickedElementsAreFixed: stored answers of the float model hold these elements, so that no program may pick others.
func TestPickedElementsAreFixed(t *testing.T) {
	places := func(n, total int, of ...int) (out []int) {
		for _, i := range of {
			out = append(out, picked(i, n, total))
		}
		return out
	}
	require.Equal(t, []int{0, 1, 2, 3}, places(4, 4, 0, 1, 2, 3))
	require.Equal(t, []int{594, 1008, 2994, 3373, 1000709, 65535982}, places(comparedAtMost, 1000*comparedAtMost, 0, 1, 2, 3, 1000, comparedAtMost-1))
	require.Equal(t, []int{1, 3, 9, 11, 3501, 229374}, places(comparedAtMost, comparedAtMost*7/2, 0, 1, 2, 3, 1000, comparedAtMost-1))
}

// TestMeterBounds: what stands at the bounds of a meter is in order, one more is refused by its number.
func TestMeterBounds(t *testing.T) {
	class := func(change func(m *Meter)) Meter {
		m := Meter{Adapter: Classification, Output: "y", Metrics: []Spec{{Name: "a", Type: "accuracy", TopK: 1}}, Labels: []int32{0}}
		change(&m)
		return m
	}
	named := func(n int) (out []Spec) {
		for i := range n {
			out = append(out, Spec{Name: string(rune('a' + i)), Type: "accuracy", TopK: 1})
		}
		return out
	}
	outputs := func(n int) Meter {
		return Meter{Adapter: Outputs, Outputs: make([]string, n), Metrics: []Spec{{Name: "s", Type: "sqnr", TopK: 1}}}
	}
	rows := func(at int32) Meter {
		return Meter{Adapter: Rows, Outputs: []string{"y", "z"}, Metrics: []Spec{{Name: "r", Type: "rows", TopK: 1}}, Boxes: []Box{{Output: 1, At: at}}}
	}
	for name, c := range map[string]struct {
		m    Meter
		want string
	}{
		"most metrics":     {class(func(m *Meter) { m.Metrics = named(maxSpecs) }), ""},
		"too many metrics": {class(func(m *Meter) { m.Metrics = named(maxSpecs + 1) }), "metrics, at most"},
		"two of one name":  {class(func(m *Meter) { m.Metrics = append(m.Metrics, Spec{Name: "a", Type: "agreement", TopK: 1}) }), `two metrics are called "a"`},
		"largest k":        {class(func(m *Meter) { m.Metrics[0].TopK = math.MaxInt32 }), ""},
		"larger k":         {class(func(m *Meter) { m.Metrics[0].TopK = math.MaxInt32 + 1 }), "top_k 2147483648"},
		"no k":             {class(func(m *Meter) { m.Metrics[0].TopK = 0 }), "top_k 0"},
		"scores as well":   {class(func(m *Meter) { m.Scores = []float64{1} }), "does not go with 1 classes and 1 scores"},
		"scores alone":     {class(func(m *Meter) { m.Labels, m.Scores = nil, []float64{1} }), "does not go with 0 classes and 1 scores"},
		"class -1":         {class(func(m *Meter) { m.Labels = []int32{0, -1} }), "label -1 of sample 1"},
		"most outputs":     {outputs(maxOutputs), ""},
		"too many outputs": {outputs(maxOutputs + 1), "does not go with 65 outputs (at most 64 are compared)"},
		"no output":        {outputs(0), "does not go with 0 outputs"},
		"first column":     {rows(0), ""}, "last columns": {rows(comparedAtMost - 4), ""}, "beyond": {rows(comparedAtMost - 3), "is none"},
		"last from behind": {rows(-4), ""}, "cut from behind": {rows(-3), "is none"}, "-1": {rows(-1), "is none"},
		"first from behind": {rows(-comparedAtMost), ""}, "before it": {rows(-comparedAtMost - 1), "is none"},
	} {
		err := c.m.Check()
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
	}
}

// TestSplitAnswers: as many as were joined and no byte more; a length beyond the end is a lie.
func TestSplitAnswers(t *testing.T) {
	for _, answers := range [][][]byte{nil, {{}}, {{1, 2}, {}, {3}}, {{1}, {}}} {
		b := JoinAnswers(answers)
		got, err := SplitAnswers(b, len(answers))
		require.NoError(t, err)
		require.Equal(t, len(answers), len(got))
		for i := range got {
			require.Equal(t, string(answers[i]), string(got[i]))
		}
		for n := range b {
			_, err := SplitAnswers(b[:n], len(answers))
			require.Error(t, err)
		}
		for _, n := range []int{len(answers) - 1, len(answers) + 1} {
			_, err = SplitAnswers(b, n)
			require.Error(t, err, "%d of %d", n, len(answers))
		}
		_, err = SplitAnswers(append(b, 0), len(answers))
		require.ErrorContains(t, err, "and 1 bytes behind")
	}
	_, err := SplitAnswers([]byte{2, 0, 0, 0, 7}, 1)
	require.EqualError(t, err, "answers: one of 2 bytes where 1 are left")
}

// TestOutputsOfABatchNeedItsAxis: of more than one sample each has an equal part of the first axis; one sample alone may be of any shape.
func TestOutputsOfABatchNeedItsAxis(t *testing.T) {
	m := Meter{Adapter: Outputs, Outputs: []string{"y"}, Metrics: []Spec{{Name: "s", Type: "sqnr", TopK: 1}}}
	for _, c := range []struct {
		shape []int
		n     int
		ok    bool
	}{{nil, 1, true}, {nil, 2, false}, {[]int{3, 2}, 1, true}, {[]int{3, 2}, 2, false}, {[]int{3, 2}, 3, true}, {[]int{6}, 3, true}, {[]int{2, 3}, 3, false}} {
		got, err := m.Answers(map[string]*tensor.Tensor{"y": tensor.New(tensor.Float32, c.shape...)}, c.n)
		if !c.ok {
			require.ErrorContains(t, err, "a first axis of", "%+v", c)
			continue
		}
		require.NoError(t, err, "%+v", c)
		require.Len(t, got, c.n)
	}
}
