package metric

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/tensor"
)

// TestCorrelations values pearson and spearman on written-out columns, "said right" a line. Values were computed by scipy.
func TestCorrelations(t *testing.T) {
	datadriven.RunTest(t, "testdata/correlation.txt", func(t *testing.T, d *datadriven.TestData) string {
		columns := parseScores(t, d.Input)
		m := Meter{Adapter: Regression, Output: "y", Metrics: []Spec{{"pearson", "pearson", 1}, {"spearman", "spearman", 1}}}
		var b []byte
		v := columns.F32()
		for i := 0; i < len(v); i += 2 {
			b = appendPair(b, float64(v[i]), float64(v[i+1]))
		}
		var out strings.Builder
		for i, s := range m.Metrics {
			fmt.Fprintf(&out, "%s %s\n", s.Name, m.Value(i, b))
		}
		return out.String()
	})
}

// TestEachIsAShareOfTheCorrelation: the mean of what samples have of it is the correlation.
func TestEachIsAShareOfTheCorrelation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Meter{Adapter: Regression, Metrics: []Spec{{"p", "pearson", 1}, {"s", "spearman", 1}}}
		n := rapid.IntRange(3, 30).Draw(t, "n")
		var b []byte
		for i := range n {
			b = appendPair(b, float64(rapid.IntRange(-4, 4).Draw(t, "said")+i%2), float64(rapid.IntRange(0, 5).Draw(t, "right")+i%3))
		}
		for k := range m.Metrics {
			v, sum := m.Value(k, b), 0.0
			for _, x := range m.Each(k, b) {
				sum += x
			}
			if math.IsNaN(v.F) {
				return // one column is constant
			}
			require.InDelta(t, v.F, sum/float64(n), 1e-12)
			lo, hi := m.Bounds(k, b[:pairSize], b[pairSize:])
			require.Equal(t, [2]Value{Float(-1), Float(1)}, [2]Value{lo, hi})
			lo, hi = m.Bounds(k, b, nil)
			require.Equal(t, [2]Value{v, v}, [2]Value{lo, hi})
		}
	})
}

// TestPairs: rows 2k and 2k+1 are the pair of sample k, the mask leaves positions out, and records do not depend on the batch.
func TestPairs(t *testing.T) {
	y := tensor.Of(tensor.Float32, []int{4, 2, 2}, []float32{
		1, 0, 9, 9, // position 1 is masked: (1, 0)
		1, 1, 1, 1, // (1, 1)
		0, 2, 2, 0, // (1, 1)
		0, 0, 0, 0, // the zero vector
	})
	mask := tensor.Of(tensor.Int64, []int{4, 2}, []int64{1, 0, 1, 1, 1, 1, 1, 1})
	m := Meter{Adapter: Similarity, Output: "y", Mask: "mask", Metrics: []Spec{{"spearman", "spearman", 1}}, Scores: []float64{5, 0.5}}
	require.NoError(t, m.Check())
	b, err := m.PerSample(map[string]*tensor.Tensor{"y": y, "mask": mask}, []uint32{1, 0})
	require.NoError(t, err)
	said, right := pairsOf(b)
	require.InDeltaSlice(t, []float64{math.Sqrt(0.5), 0}, said, 1e-15)
	require.Equal(t, []float64{0.5, 5}, right)
	one, err := m.PerSample(map[string]*tensor.Tensor{
		"y": {DType: y.DType, Shape: []int{2, 2, 2}, Data: y.Data[:32]}, "mask": {DType: mask.DType, Shape: []int{2, 2}, Data: mask.Data[:32]},
	}, []uint32{1})
	require.NoError(t, err)
	require.Equal(t, b[:pairSize], one)

	m.Mask = ""
	flat := tensor.Of(tensor.Float32, []int{2, 2}, []float32{3, 4, 4, 3})
	b, err = m.PerSample(map[string]*tensor.Tensor{"y": flat}, []uint32{0})
	require.NoError(t, err)
	said, _ = pairsOf(b)
	require.InDelta(t, 24.0/25, said[0], 1e-15)
}

// TestPairRefusals: what is no embedding, no number a sample, or has no score, is named.
func TestPairRefusals(t *testing.T) {
	pairs := Meter{Adapter: Similarity, Output: "y", Mask: "mask", Metrics: []Spec{{"r", "pearson", 1}}, Scores: []float64{1}}
	numbers := Meter{Adapter: Regression, Output: "y", Metrics: []Spec{{"r", "pearson", 1}}, Scores: []float64{1}}
	y := tensor.New(tensor.Float32, 2, 3, 4)
	for name, c := range map[string]struct {
		meter  Meter
		values map[string]*tensor.Tensor
		sample uint32
		want   string
	}{
		"no mask":       {pairs, map[string]*tensor.Tensor{"y": y}, 0, `mask "mask", which says which positions of output "y" count, is none of the inputs`},
		"mask of lists": {pairs, map[string]*tensor.Tensor{"y": y, "mask": {DType: tensor.Sequence}}, 0, `meter: mask "mask": `},
		"mask of other": {pairs, map[string]*tensor.Tensor{"y": y, "mask": tensor.New(tensor.Int64, 2, 4)}, 0, "6 positions"},
		"rank 4":        {pairs, map[string]*tensor.Tensor{"y": tensor.New(tensor.Float32, 2, 3, 4, 5)}, 0, "an embedding is"},
		"one row":       {pairs, map[string]*tensor.Tensor{"y": tensor.New(tensor.Float32, 1, 3, 4)}, 0, "first axis of 2"},
		"no score":      {pairs, map[string]*tensor.Tensor{"y": y, "mask": tensor.New(tensor.Int64, 2, 3)}, 1, "scores for 1 samples"},
		"many numbers":  {numbers, map[string]*tensor.Tensor{"y": y}, 0, "one number for each"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.meter.PerSample(c.values, []uint32{c.sample})
			require.ErrorContains(t, err, c.want)
		})
	}
	bad := numbers
	bad.Scores = []float64{math.Inf(1)}
	require.ErrorContains(t, bad.Check(), "finite")
	bad = numbers
	bad.Labels = []int32{1}
	require.ErrorContains(t, bad.Check(), "does not go with")
	bad = numbers
	bad.Metrics = []Spec{{"a", "accuracy", 1}}
	require.ErrorContains(t, bad.Check(), "measures classification")
}
