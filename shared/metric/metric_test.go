package metric

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/tensor"
)

// parseScores reads rows of numbers, one sample a line; nan, inf and -0 are written as Go reads them.
func parseScores(t *testing.T, text string) *tensor.Tensor {
	var v []float32
	rows := strings.Split(strings.TrimSpace(text), "\n")
	for _, row := range rows {
		for _, f := range strings.Fields(row) {
			x, err := strconv.ParseFloat(f, 32)
			require.NoError(t, err, f)
			v = append(v, float32(x))
		}
	}
	return tensor.Of(tensor.Float32, []int{len(rows), len(v) / len(rows)}, v)
}

// TestMetrics values every metric of the table on written-out scores: `score labels=(..) k=(..) type=..` prints a line a
// sample and the values; `bounds seen=n k=.. labels=(..)` encloses the value after n samples.
func TestMetrics(t *testing.T) {
	datadriven.RunTest(t, "testdata/metric.txt", func(t *testing.T, d *datadriven.TestData) string {
		scores := parseScores(t, d.Input)
		m := Meter{Adapter: Classification, Output: "y"}
		for _, arg := range d.CmdArgs {
			for _, v := range arg.Vals {
				n, err := strconv.Atoi(v)
				switch {
				case arg.Key == "labels":
					require.NoError(t, err)
					m.Labels = append(m.Labels, int32(n))
				case arg.Key == "k":
					require.NoError(t, err)
					m.Metrics = append(m.Metrics, Spec{"top-" + v, "accuracy", uint32(n)})
				}
			}
		}
		if err := m.Check(); err != nil {
			return err.Error()
		}
		var samples []uint32
		for i := range scores.Shape[0] {
			samples = append(samples, uint32(i))
		}
		b, err := m.PerSample(map[string]*tensor.Tensor{"y": scores}, samples)
		if err != nil {
			return err.Error()
		}
		return report(t, m, b, d)
	})
}

func report(t *testing.T, m Meter, b []byte, d *datadriven.TestData) string {
	var out strings.Builder
	if d.Cmd == "bounds" {
		var seen int
		d.ScanArgs(t, "seen", &seen)
		at := seen * m.RecordSize()
		for i := range m.Metrics {
			lo, hi := m.Bounds(i, b[:at], b[at:])
			fmt.Fprintf(&out, "%s in [%s, %s]\n", m.Metrics[i].Name, lo, hi)
		}
		return out.String()
	}
	rs, err := Records(b)
	require.NoError(t, err)
	for _, r := range rs {
		fmt.Fprintf(&out, "class %d rank %d margin %v span %v nan %v\n", r.Class, int32(r.Rank), r.Margin, r.Span, r.NaN)
	}
	for i, s := range m.Metrics {
		fmt.Fprintf(&out, "%s %s %s\n", s.Name, m.Value(i, b), m.Direction(i))
	}
	return out.String()
}

// TestRecordsDoNotDependOnNeighbours: records of a batch are the records of its samples one by one, whatever the batch,
// so that merging is concatenation.
func TestRecordsDoNotDependOnNeighbours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, classes := rapid.IntRange(1, 6).Draw(t, "n"), rapid.IntRange(2, 5).Draw(t, "classes")
		v := rapid.SliceOfN(rapid.Map(rapid.IntRange(-3, 3), func(i int) float32 { return float32(i) / 2 }), n*classes, n*classes).Draw(t, "scores")
		m := Meter{Adapter: Classification, Output: "y", Metrics: []Spec{{"a", "accuracy", 2}}}
		var samples []uint32
		for i := range n {
			m.Labels = append(m.Labels, int32(rapid.IntRange(0, classes-1).Draw(t, "label")))
			samples = append(samples, uint32(n-1-i))
		}
		whole, err := m.PerSample(map[string]*tensor.Tensor{"y": tensor.Of(tensor.Float32, []int{n, classes, 1, 1}, v)}, samples)
		require.NoError(t, err)
		var parts []byte
		for i, s := range samples {
			one := tensor.Of(tensor.Float32, []int{1, classes}, v[i*classes:(i+1)*classes])
			b, err := m.PerSample(map[string]*tensor.Tensor{"y": one}, []uint32{s})
			require.NoError(t, err)
			parts = append(parts, b...)
		}
		require.Equal(t, whole, parts)
	})
}

// TestBoundsEncloseTheValue: after any number of samples the bounds enclose the final value, never widen, and meet at the
// end.
func TestBoundsEncloseTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ranks := rapid.SliceOfN(rapid.Uint32Range(0, 3), 1, 20).Draw(t, "ranks")
		m := Meter{Metrics: []Spec{{"a", "accuracy", rapid.Uint32Range(1, 3).Draw(t, "k")}}}
		var b []byte
		for _, r := range ranks {
			b = Record{Rank: r}.append(b)
		}
		value := m.Value(0, b)
		before, after := Count(0, 1), Count(1, 1)
		for n := range len(ranks) + 1 {
			lo, hi := m.Bounds(0, b[:n*recordSize], b[n*recordSize:])
			require.LessOrEqual(t, lo.Compare(value), 0)
			require.GreaterOrEqual(t, hi.Compare(value), 0)
			require.LessOrEqual(t, before.Compare(lo), 0)
			require.GreaterOrEqual(t, after.Compare(hi), 0)
			before, after = lo, hi
		}
		require.Zero(t, before.Compare(after))
	})
}

// TestElementTypesAgree: scores that every type can hold give one record.
func TestElementTypesAgree(t *testing.T) {
	m := Meter{Adapter: Classification, Output: "y"}
	shape := []int{1, 3}
	want := Record{Class: 1, Rank: NoRank, Margin: 1, Span: 2}
	for _, y := range []*tensor.Tensor{
		tensor.Of(tensor.Float32, shape, []float32{1, 2, 0}), tensor.Of(tensor.Float64, shape, []float64{1, 2, 0}),
		tensor.Of(tensor.Float16, shape, []uint16{0x3c00, 0x4000, 0}), tensor.Of(tensor.Int64, shape, []int64{1, 2, 0}),
		tensor.Of(tensor.Uint8, shape, []uint8{1, 2, 0}),
	} {
		b, err := m.PerSample(map[string]*tensor.Tensor{"y": y}, []uint32{7})
		require.NoError(t, err, y.DType)
		rs, err := Records(b)
		require.NoError(t, err)
		require.Equal(t, []Record{want}, rs, y.DType)
	}
}

// TestRefusals: outputs and meters that cannot be valued are named.
func TestRefusals(t *testing.T) {
	good := Meter{Adapter: Classification, Output: "y", Metrics: []Spec{{"a", "accuracy", 1}}, Labels: []int32{0, 5}}
	y := parseScores(t, "1 2\n3 4")
	for name, c := range map[string]struct {
		meter   Meter
		outputs map[string]*tensor.Tensor
		samples []uint32
		want    string
	}{
		"no output":          {good, nil, []uint32{0}, `no output "y"`},
		"label out of range": {good, map[string]*tensor.Tensor{"y": y}, []uint32{0, 1}, "sample 1 has label 5"},
		"no label":           {good, map[string]*tensor.Tensor{"y": y}, []uint32{0, 9}, "labels for 2 samples"},
		"batch":              {good, map[string]*tensor.Tensor{"y": y}, []uint32{0, 0, 0}, "first axis of 3 samples"},
		"one score":          {good, map[string]*tensor.Tensor{"y": parseScores(t, "1\n2")}, []uint32{0, 0}, "no classification"},
		"text":               {good, map[string]*tensor.Tensor{"y": {DType: tensor.String}}, []uint32{0}, "no fixed element size"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.meter.PerSample(c.outputs, c.samples)
			require.ErrorContains(t, err, c.want)
		})
	}
	bad := good
	bad.Labels = []int32{-1}
	require.ErrorContains(t, bad.Check(), "classes begin at 0")
	bad = good
	bad.Metrics = []Spec{{"a", "acuracy", 1}}
	require.ErrorContains(t, bad.Check(), "known are accuracy, agreement, pearson")
	_, err := Records(make([]byte, 21))
	require.ErrorContains(t, err, "no multiple of 24")
}
