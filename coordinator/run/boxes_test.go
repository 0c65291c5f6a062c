package run

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/metric"
)

// TestBoxesOf: boxes are those that NonMaxSuppression compares, followed through what selects, joins and scales rows, and lost
// where columns may change their meaning.
func TestBoxesOf(t *testing.T) {
	corner, first := []metric.Box{{}}, metric.Box{At: 1}
	for name, c := range map[string]struct {
		body string
		want []metric.Box
	}{
		"gathered from them":          {"f = Squeeze(b, zero)\ny = Gather(f, i)", corner},
		"gathered along the middle":   {"y = Gather(b, i) {axis=1}", corner},
		"gathered along the last":     {"y = Gather(b, i) {axis=2}", nil},
		"gathered from the end":       {"y = Gather(b, i) {axis=-1}", nil},
		"as pairs":                    {"y = GatherND(b, pairs)", corner},
		"reshaped to rows of four":    {"f = Reshape(b, rows)\ny = Gather(f, i)", corner},
		"reshaped otherwise":          {"f = Reshape(b, flat)\ny = Gather(f, i)", nil},
		"scaled":                      {"k = Mul(b, size)\nl = Clip(k)\ny = Gather(l, i) {axis=1}", corner},
		"a divisor":                   {"y = Div(size, b)", nil},
		"two of them":                 {"y = Add(b, b)", nil},
		"a score behind":              {"k = Gather(b, i) {axis=1}\nu = Unsqueeze(s, minus)\ny = Concat(k, u) {axis=-1}", corner},
		"a score in front":            {"u = Unsqueeze(s, minus)\ny = Concat(u, b) {axis=-1}", []metric.Box{first}},
		"behind who knows":            {"y = Concat(x, b) {axis=2}", []metric.Box{{At: -4}}},
		"between who knows":           {"y = Concat(x, b, x) {axis=2}", nil},
		"between a score and unknown": {"u = Unsqueeze(s, minus)\ny = Concat(u, b, x) {axis=2}", []metric.Box{first}},
		"below each other":            {"k = Gather(b, i) {axis=1}\ny = Concat(k, k) {axis=1}", nil}, // the rank behind Gather is not known
		"below each other, in front":  {"y = Concat(b, b) {axis=0}", corner},
		"turned":                      {"y = Transpose(b) {perm=[0,2,1]}", nil},
		"cut to two columns":          {"y = Slice(b, zero, two, minus)", nil},
		"the first rows":              {"y = Slice(b, zero, two, one)", corner},
		"the scores":                  {"y = Relu(s)", nil},
		"of what was unsqueezed":      {"flatboxes = Relu(raw)\nb2 = Unsqueeze(flatboxes, zero)\nsel2 = NonMaxSuppression(b2, s)\ny = Gather(flatboxes, i)", corner},
		"an axis behind":              {"y = Unsqueeze(b, minus)", nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, boxesIn(t, "", c.body))
		})
	}
	centre := []metric.Box{{Center: true}}
	require.Equal(t, centre, boxesIn(t, "center_point_box=1", "y = Mul(b, size)"))
	require.Nil(t, boxesIn(t, "center_point_box=1", "y = Add(b, size)"), "width and height would move")
}

// boxesIn are the boxes of a graph that selects among b.
func boxesIn(t *testing.T, attrs, body string) []metric.Box {
	m, err := graph.Parse(`input x: float32[1,16,4]
input raw: float32[16,4]
input s: float32[1,1,16]
input i: int64[K]
input pairs: int64[K,2]
zero: int64[1] = const [0]
one: int64[1] = const [1]
two: int64[1] = const [2]
minus: int64[1] = const [-1]
rows: int64[2] = const [-1, 4]
flat: int64[2] = const [4, -1]
size: float32[4] = const [320, 240, 320, 240]
b = Relu(x)
sel = NonMaxSuppression(b, s) {` + attrs + `}
` + body + "\noutput y\n")
	require.NoError(t, err)
	return boxesOf(m.Graph, []string{"y"})
}
