package metric

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset/npy"
	"assay/shared/tensor"
)

// assets is a path below ../shared/assets next to the repository; the test is skipped where that is absent.
func assets(t *testing.T, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	path := filepath.Join(append([]string{filepath.Dir(dir), "shared", "assets"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return path
}

// row is one line of a rows.json; numbers keep their text.
type row struct {
	Float, Quantized json.Number
	Higher           bool        `json:"higher_is_better"`
	Type             string      `json:"drop_type"`
	Max              json.Number `json:"maximal_drop"`
	Drop             float64
	Met              bool
}

// TestFieldMetrics runs the metric cases that users met: drops on the limit, negative baselines, ties.
func TestFieldMetrics(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(assets(t, "field"), "metric-*"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, dir := range folders {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if b, err := os.ReadFile(filepath.Join(dir, "rows.json")); err == nil {
				fieldRows(t, b)
				return
			}
			fieldScores(t, dir)
		})
	}
}

// fieldRows compares drops both as exact decimals and as floating-point values.
func fieldRows(t *testing.T, b []byte) {
	var rows []row
	require.NoError(t, json.Unmarshal(b, &rows))
	require.NotEmpty(t, rows)
	for _, r := range rows {
		limit, err := ParseLimit(r.Max.String(), r.Type == "relative")
		require.NoError(t, err)
		base, err := ParseValue(r.Float.String())
		require.NoError(t, err)
		value, err := ParseValue(r.Quantized.String())
		require.NoError(t, err)
		d := HigherBetter
		if !r.Higher {
			d = HigherWorse
		}
		for _, v := range [][2]Value{{base, value}, {Float(base.F), Float(value.F)}, {base, Float(value.F)}} {
			require.InDelta(t, r.Drop, limit.Drop(d, v[0], v[1]).F, 1e-9, "%+v", r)
			require.Equal(t, r.Met, limit.Allows(d, v[0], v[1]), "%+v", r)
		}
		require.Equal(t, r.Met, limit.Excess(d, base, value) <= 0, "%+v", r)
	}
}

func fieldScores(t *testing.T, dir string) {
	var c struct {
		Check struct{ Accuracy map[string]float64 }
	}
	b, err := os.ReadFile(filepath.Join(dir, "case.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &c))
	require.NotEmpty(t, c.Check.Accuracy)
	scores, labels := array(t, dir, "logits.npy"), array(t, dir, "labels.npy")
	m := Meter{Adapter: Classification, Output: "y"}
	ints, err := labels.Ints()
	require.NoError(t, err)
	var samples []uint32
	for i, l := range ints {
		m.Labels = append(m.Labels, int32(l))
		samples = append(samples, uint32(i))
	}
	var want []float64
	for k, v := range c.Check.Accuracy {
		n, err := json.Number(k).Int64()
		require.NoError(t, err)
		m.Metrics = append(m.Metrics, Spec{k, "accuracy", uint32(n)})
		want = append(want, v)
	}
	records, err := m.PerSample(map[string]*tensor.Tensor{"y": scores}, samples)
	require.NoError(t, err)
	for i := range m.Metrics {
		require.InDelta(t, want[i], m.Value(i, records).F, 1e-15, m.Metrics[i].Name)
	}
}

func array(t *testing.T, dir, name string) *tensor.Tensor {
	b, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	a, err := npy.Decode(b)
	require.NoError(t, err)
	return a
}

// TestDropsThatHaveNoNumber: a missing value is never within a limit, and a relative drop from 0 is infinite.
func TestDropsThatHaveNoNumber(t *testing.T) {
	relative, err := ParseLimit("0.01", true)
	require.NoError(t, err)
	none := Count(0, 0)
	require.False(t, relative.Allows(HigherBetter, Count(1, 2), none))
	require.False(t, relative.Allows(HigherBetter, none, Count(1, 2)))
	require.True(t, math.IsNaN(relative.Drop(HigherBetter, none, none).F))
	require.True(t, math.IsNaN(relative.Excess(HigherBetter, Count(1, 2), Float(math.Inf(1)))))
	require.Equal(t, math.Inf(1), relative.Drop(HigherBetter, Count(0, 5), Float(-1)).F)
	require.Equal(t, Count(0, 1), relative.Drop(HigherBetter, Count(0, 5), Count(0, 7)))
	require.True(t, relative.Allows(HigherBetter, Count(0, 5), Count(0, 7)))
	require.True(t, Limit{}.Allows(HigherBetter, Count(3, 4), Count(6, 8)))
	require.False(t, Limit{}.Allows(HigherBetter, Count(3, 4), Count(5, 8)))
}

// TestLimitTexts: the limit is the decimal that was written; what is no number of at least 0 is refused.
func TestLimitTexts(t *testing.T) {
	for _, text := range []string{"0", "0.01", "1e-2", "5", "1e-300"} {
		_, err := ParseLimit(text, false)
		require.NoError(t, err, text)
	}
	for _, text := range []string{"", "-1", "-0.5", "1%", "nan", "inf", "1e999", "1e-999999999", "1/3", "0.1.2"} {
		_, err := ParseLimit(text, false)
		require.ErrorContains(t, err, "maximal drop", text)
	}
}

// TestValuesCompareExactly: fractions beyond float64's precision keep their order; NaN comes first.
func TestValuesCompareExactly(t *testing.T) {
	const big = math.MaxInt64
	require.Equal(t, -1, Count(big-2, big).Compare(Count(big-1, big)))
	require.Equal(t, 0, Count(1, 3).Compare(Count(2, 6)))
	require.Equal(t, 1, Count(1, 3).Compare(Float(0.333)))
	require.Equal(t, -1, Count(0, 0).Compare(Float(math.Inf(-1))))
	require.Equal(t, -1, Count(1, 2).Compare(Float(math.Inf(1))))
	require.Equal(t, "76/100 (0.76)", Count(76, 100).String())
	require.Equal(t, "NaN", Count(0, 0).String())
}
