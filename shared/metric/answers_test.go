package metric

import (
	"crypto/sha256"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// TestAgreement: the float model's classes take the labels' place; it agrees with itself, and its records are known from
// its answers.
func TestAgreement(t *testing.T) {
	m := Meter{Adapter: Classification, Output: "y", Metrics: []Spec{{agreement, agreement, 1}}}
	require.NoError(t, m.Check())
	y := map[string]*tensor.Tensor{"y": parseScores(t, "1 2 0\n3 3 1\n0 1 5")}
	answers, err := m.Answers(y, 3)
	require.NoError(t, err)
	self, err := m.Against(y, answers)
	require.NoError(t, err)
	own, err := m.Own(answers)
	require.NoError(t, err)
	require.Equal(t, own, self)
	require.Equal(t, Count(3, 3), m.Value(0, self))
	other, err := m.Against(map[string]*tensor.Tensor{"y": parseScores(t, "1 2 0\n3 4 1\n0 1 5")}, answers)
	require.NoError(t, err)
	require.Equal(t, Count(2, 3), m.Value(0, other))
	wrong, right := m.Flips(0, self, other)
	require.Equal(t, [2]int{1, 0}, [2]int{wrong, right})
	require.True(t, m.Counts(0))
}

// energies is a meter of two outputs, and their values for two samples.
func energies() (Meter, map[string]*tensor.Tensor) {
	m := Meter{Adapter: Outputs, Outputs: []string{"y", "z"}, Metrics: []Spec{{"sqnr", "sqnr", 1}}}
	return m, map[string]*tensor.Tensor{
		"y": tensor.Of(tensor.Float32, []int{2, 2}, []float32{3, 4, 1, 0}),
		"z": tensor.Of(tensor.Int64, []int{2, 4}, []int64{1, 2, 3, 4, 5, 6, 7, 1 << 40}),
	}
}

// TestKeptShare: E/(E+N) for measurements, the share of equal ones for integers, mean over outputs, mean over samples.
func TestKeptShare(t *testing.T) {
	m, float := energies()
	require.NoError(t, m.Check())
	answers, err := m.Answers(float, 2)
	require.NoError(t, err)
	self, err := m.Against(float, answers)
	require.NoError(t, err)
	own, err := m.Own(answers)
	require.NoError(t, err)
	require.Equal(t, own, self)
	require.Equal(t, Float(1), m.Value(0, self))

	int8 := map[string]*tensor.Tensor{
		"y": tensor.Of(tensor.Float32, []int{2, 2}, []float32{3, 3, 1, 0}), // noise 1 of energy 25; none
		"z": tensor.Of(tensor.Int64, []int{2, 4}, []int64{1, 2, 3, 0, 5, 6, 7, 1<<40 + 1}),
	}
	b, err := m.Against(int8, answers)
	require.NoError(t, err)
	require.InDeltaSlice(t, []float64{(25.0/26 + 0.75) / 2, (1 + 0.75) / 2}, m.Each(0, b), 1e-15)
	wrong, right := m.Flips(0, self, b)
	require.Zero(t, wrong+right)

	one := map[string]*tensor.Tensor{"y": tensor.Of(tensor.Float32, []int{1, 2}, []float32{3, 3}), "z": tensor.Of(tensor.Int64, []int{4}, []int64{1, 2, 3, 0})}
	alone, err := m.Against(one, answers[:1])
	require.NoError(t, err)
	require.Equal(t, b[:m.RecordSize()], alone, "a record does not depend on the batch")
}

// TestKeptShareOfOddValues: what is no number must be so in both; other shapes keep nothing; silence that stays is kept.
func TestKeptShareOfOddValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		float, v []float64
		exact    bool
		want     float64
	}{
		"equal NaN and infinity":  {[]float64{nan, inf, 2}, []float64{nan, inf, 2}, false, 1},
		"a new NaN":               {[]float64{1, 2}, []float64{1, nan}, false, 0},
		"a NaN that went":         {[]float64{1, nan}, []float64{1, 2}, false, 0},
		"another infinity":        {[]float64{inf}, []float64{-inf}, false, 0},
		"silence":                 {[]float64{0, 0}, []float64{0, 0}, false, 1},
		"noise where silence was": {[]float64{0, 0}, []float64{1, 0}, false, 0},
		"the sign turned":         {[]float64{1}, []float64{-1}, false, 0.2},
		"other shape":             {[]float64{1, 2}, []float64{1}, false, 0},
		"empty":                   {nil, nil, false, 1},
		"integers":                {[]float64{1, 2, 3, 4}, []float64{1, 2, 3, 400}, true, 0.75},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, keptShare(c.float, c.v, len(c.float), c.exact))
		})
	}
}

// TestLargeOutputsArePicked: of a large output each run has one element compared, and every element may be one.
func TestLargeOutputsArePicked(t *testing.T) {
	for _, total := range []int{comparedAtMost, comparedAtMost + 1, 3*comparedAtMost + 7, 40 * comparedAtMost} {
		last := -1
		for i := range comparedAtMost {
			p := picked(i, comparedAtMost, total)
			require.Greater(t, p, last)
			last = p
		}
		require.Less(t, last, total)
	}
	v := make([]float64, 3*comparedAtMost)
	for i := range v {
		v[i] = float64(i) + 0.1
	}
	got, total, rest, err := nextOutput(appendOutput(nil, v))
	require.NoError(t, err)
	require.Empty(t, rest)
	require.Equal(t, len(v), total)
	require.Len(t, got, comparedAtMost)
	require.Equal(t, 1.0, keptShare(got, v, total, false))
}

// TestKeptBounds: bounds enclose the value, and meet at the end.
func TestKeptBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, _ := energies()
		var b []byte
		for range 2 * rapid.IntRange(1, 12).Draw(t, "n") {
			b = appendKept(b, rapid.Float64Range(0, 1).Draw(t, "kept"))
		}
		value := m.Value(0, b)
		for at := 0; at <= len(b); at += m.RecordSize() {
			lo, hi := m.Bounds(0, b[:at], b[at:])
			require.LessOrEqual(t, lo.F, value.F)
			require.GreaterOrEqual(t, hi.F, value.F)
		}
		lo, hi := m.Bounds(0, b, nil)
		require.Equal(t, [2]Value{value, value}, [2]Value{lo, hi})
	})
}

// TestLead: the label's score against the best other one, as a share of the span.
func TestLead(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		scores []float64
		label  int32
		want   float64
	}{
		{[]float64{4, 1, 0}, 0, 0.75}, {[]float64{4, 1, 0}, 1, -0.75}, {[]float64{4, 1, 0}, 2, -1}, {[]float64{2, 2, 0}, 1, 0},
		{[]float64{400, 100, 0}, 1, -0.75}, {[]float64{4, 1}, -1, nan}, {[]float64{1, 1}, 0, nan}, {[]float64{nan, 1}, 1, nan}, {[]float64{math.Inf(1), 1}, 1, nan},
	} {
		got := classify(c.scores, c.label).Lead()
		if math.IsNaN(c.want) {
			require.True(t, math.IsNaN(got), "%v", c)
			continue
		}
		require.Equal(t, c.want, got, "%v", c)
	}
}

// TestAnswerRefusals: bytes that are no answers are named; adapters that compare with annotations say so.
func TestAnswerRefusals(t *testing.T) {
	m, y := energies()
	answers, err := m.Answers(y, 2)
	require.NoError(t, err)
	for name, bad := range map[string][]byte{"empty": nil, "short": answers[0][:20], "long": append(append([]byte{}, answers[0]...), 1)} {
		_, err := m.Against(y, [][]byte{bad, answers[1]})
		require.ErrorContains(t, err, "answer 0", name)
	}
	_, err = m.PerSample(y, []uint32{0})
	require.ErrorContains(t, err, "float model's outputs")
	numbers := Meter{Adapter: Regression, Output: "y"}
	_, err = numbers.Answers(y, 2)
	require.ErrorIs(t, err, ErrAnnotated)
	_, err = numbers.Against(y, answers)
	require.ErrorIs(t, err, ErrAnnotated)
	m.Outputs = nil
	require.ErrorContains(t, m.Check(), "0 outputs")
	classes := Meter{Adapter: Classification, Output: "y"}
	_, err = classes.Against(y, [][]byte{{1}})
	require.ErrorContains(t, err, "answer 0")
	_, err = classes.Own([][]byte{{1}})
	require.ErrorContains(t, err, "answer 0")
}

// TestOutputsOfEveryType: whatever real numbers an output holds, they are its scores, in their order; floats of any width are
// measurements, of which the energy counts, and all others are equal or not. What has no order is refused.
func TestOutputsOfEveryType(t *testing.T) {
	half := func(x float32) uint16 { return tensor.HalfFromFloat(x) }
	small := func(d tensor.DType) *tensor.Tensor {
		x := tensor.New(d, 1, 3)
		for i, v := range []float64{1, 4, 2} {
			x.Data[i] = tensor.SmallFromFloat(d, v, true)
		}
		return x
	}
	bfloat := tensor.BFloatFromFloat
	for _, c := range []struct {
		t        *tensor.Tensor
		measured bool
	}{
		{tensor.Of(tensor.Float32, []int{1, 3}, []float32{1, 4, 2}), true},
		{tensor.Of(tensor.Float64, []int{1, 3}, []float64{1, 4, 2}), true},
		{tensor.Of(tensor.Float16, []int{1, 3}, []uint16{half(1), half(4), half(2)}), true},
		{tensor.Of(tensor.BFloat16, []int{1, 3}, []uint16{bfloat(1), bfloat(4), bfloat(2)}), true},
		{small(tensor.Float8E4M3FN), true}, {small(tensor.Float8E5M2), true}, {small(tensor.Float4E2M1), true},
		{tensor.Of(tensor.Int8, []int{1, 3}, []int8{-1, 4, 2}), false}, {tensor.Of(tensor.Uint8, []int{1, 3}, []uint8{1, 255, 2}), false},
		{tensor.Of(tensor.Int64, []int{1, 3}, []int64{math.MinInt64, 4, 2}), false}, {tensor.Of(tensor.Bool, []int{1, 3}, []uint8{0, 1, 0}), false},
		{tensor.Of(tensor.Uint64, []int{1, 3}, []uint64{1, 1 << 63, 2}), false}, {tensor.Of(tensor.Int4, []int{1, 3}, []int8{-8, 7, 2}), false},
	} {
		values := map[string]*tensor.Tensor{"y": c.t}
		b, err := Meter{Adapter: Classification, Output: "y"}.PerSample(values, []uint32{0})
		require.NoError(t, err, "%s", c.t.DType)
		rs, err := Records(b)
		require.NoError(t, err)
		require.EqualValues(t, 1, rs[0].Class, "%s", c.t.DType)

		m := Meter{Adapter: Outputs, Outputs: []string{"y"}, Metrics: []Spec{{"sqnr", "sqnr", 1}}}
		answers, err := m.Answers(values, 1)
		require.NoError(t, err)
		self, err := m.Against(values, answers)
		require.NoError(t, err)
		own, err := m.Own(answers)
		require.NoError(t, err)
		require.Equal(t, own, self)
		other := &tensor.Tensor{DType: c.t.DType, Shape: c.t.Shape, Data: append([]byte{}, c.t.Data...)}
		size := c.t.DType.Size()
		copy(other.Data[:size], other.Data[2*size:]) // the first element becomes the third
		b, err = m.Against(map[string]*tensor.Tensor{"y": other}, answers)
		require.NoError(t, err)
		want := 2. / 3
		if c.measured {
			want = 21. / 22 // energy 1 + 16 + 4, noise 1
		} else if c.t.DType == tensor.Bool {
			want = 1
		}
		require.Equal(t, want, m.Value(0, b).F, "%s", c.t.DType)
	}
	for _, x := range []*tensor.Tensor{tensor.New(tensor.Complex64, 1, 3), tensor.SequenceOf(tensor.Float32)} {
		_, err := Meter{Adapter: Classification, Output: "y"}.PerSample(map[string]*tensor.Tensor{"y": x}, []uint32{0})
		require.ErrorContains(t, err, `output "y"`)
	}
}

// TestNamesOfStoredThings: meters and references are stored under the SHA-256 of their encoding, which decodes to what it was.
func TestNamesOfStoredThings(t *testing.T) {
	r := Reference{Pieces: []AnswerPiece{{Object: plan.Digest{1}, Samples: []uint32{0, 2}}, {Object: plan.Digest{2}, Samples: []uint32{1}}}}
	require.EqualValues(t, sha256.Sum256(r.Encode()), r.Digest())
	got, err := DecodeReference(r.Encode())
	require.NoError(t, err)
	require.Equal(t, r, got)
	r.Pieces[1].Samples[0] = 2
	_, err = DecodeReference(r.Encode())
	require.EqualError(t, err, "reference: sample 2 has two answers")

	for _, m := range []Meter{
		{Adapter: Classification, Output: "y", Labels: []int32{1, 0}, Metrics: []Spec{{"a", "accuracy", 1}}},
		{Adapter: Rows, Outputs: []string{"y"}, Boxes: []Box{{At: -4}}, Metrics: []Spec{{"r", "rows", 1}}},
	} {
		require.EqualValues(t, sha256.Sum256(m.Encode()), m.Digest())
		got, err := Decode(m.Encode())
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
	require.Equal(t, "higher-better higher-worse", HigherBetter.String()+" "+HigherWorse.String())
}

// TestNumbersOfRegression: one number for each sample, on any axes, beside what is right; any other count, and a sample without a
// score, is refused.
func TestNumbersOfRegression(t *testing.T) {
	m := Meter{Adapter: Regression, Output: "y", Metrics: []Spec{{"p", "pearson", 1}}, Scores: []float64{10, 20, 40}}
	require.NoError(t, m.Check())
	y := func(shape []int, v ...float32) map[string]*tensor.Tensor {
		return map[string]*tensor.Tensor{"y": tensor.Of(tensor.Float32, shape, v)}
	}
	for _, shape := range [][]int{{3}, {3, 1}, {3, 1, 1}} {
		b, err := m.PerSample(y(shape, 1, 2, 4), []uint32{0, 1, 2})
		require.NoError(t, err)
		require.Len(t, b, 3*m.RecordSize())
		require.InDelta(t, 1, m.Value(0, b).F, 1e-12)
		mixed, err := m.PerSample(y(shape, 4, 1, 2), []uint32{2, 0, 1})
		require.NoError(t, err)
		size := m.RecordSize()
		require.Equal(t, b[:size], mixed[size:2*size], "a record is the sample's alone")
	}
	b, err := m.PerSample(y(nil, 7), []uint32{1})
	require.NoError(t, err)
	require.Len(t, b, m.RecordSize())
	_, err = m.PerSample(y([]int{3, 2}, 1, 2, 3, 4, 5, 6), []uint32{0, 1, 2})
	require.ErrorContains(t, err, `output "y" has shape [3 2]: one number for each of 3 samples is needed`)
	_, err = m.PerSample(y([]int{1}, 1), []uint32{3})
	require.EqualError(t, err, "meter: sample 3: there are scores for 3 samples")
	_, err = m.PerSample(nil, []uint32{0})
	require.EqualError(t, err, `meter: the model gives no output "y"`)
}
