package quant

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
)

// splitModel has a Split behind a layer, or behind an Add, whose second part is the first one's size times w's second channel.
const splitModel = `
input x: float32[1,2,8,8]
w: float32[2,2,1,1] = const [1, 1, SMALL, SMALL]
v: float32[3,1,1,1] = const random 2
sizes: int64[2] = const [1, 1]
c = Conv(x, w) @conv
a, b = Split(c, sizes) {axis=1} @split
ya = Conv(a, v) @big
yb = Conv(b, v) @small
output ya
output yb
`

// TestPartsOfASplit: parts that are nearly as wide as the whole share its scale, far narrower ones have their own below the
// Split; the layer above keeps its INT8 weights then, without a point on its result.
func TestPartsOfASplit(t *testing.T) {
	for _, c := range []struct {
		small  string
		points []string // values of activations
	}{
		{"0.5", []string{"x", "c", "a", "b", "ya", "yb"}},
		{"0.001", []string{"x", "a", "b", "ya", "yb"}},
	} {
		t.Run(c.small, func(t *testing.T) {
			m := parse(t, strings.ReplaceAll(splitModel, "SMALL", c.small))
			p, report, err := Build(m, Config{}, statistics(t, m, Config{}, noise(m, 2, nil)))
			require.NoError(t, err)
			var values []string
			weights := map[string]bool{}
			scale := map[string]float32{}
			for _, x := range p.Points {
				switch x.Kind {
				case plan.Activation:
					values = append(values, x.Value)
					scale[x.Value] = x.Scale[0]
				case plan.Weight:
					for _, u := range x.Uses {
						weights[u.Node] = true
					}
				}
			}
			require.ElementsMatch(t, c.points, values)
			require.Equal(t, map[string]bool{"conv": true, "big": true, "small": true}, weights)
			require.Empty(t, report.Float)
			if len(c.points) == 5 {
				require.Greater(t, scale["a"], 100*scale["b"])
			} else {
				require.Equal(t, scale["a"], scale["b"])
			}
		})
	}
}

// headModel ends in a layer whose second channel is SMALL times the first; READER reads its result.
const headModel = `
input x: float32[1,2,8,8]
w: float32[2,2,1,1] = const [1, 1, SMALL, SMALL]
v: float32[3,2,1,1] = const random 2
c = Conv(x, w) @conv
y = READER @reader
output y
`

// TestUnequalChannelsOfAHead: the last layer has no point on its result when one of its channels would lose it, and keeps its
// INT8 weights. Layers before others keep theirs, however unequal.
func TestUnequalChannelsOfAHead(t *testing.T) {
	for _, c := range []struct {
		small, reader string
		point         bool
	}{
		{"0.5", "Exp(c)", true}, {"0.001", "Exp(c)", false}, {"0", "Exp(c)", true}, {"0.001", "Conv(c, v)", true},
	} {
		t.Run(c.small+c.reader, func(t *testing.T) {
			m := parse(t, strings.NewReplacer("SMALL", c.small, "READER", c.reader).Replace(headModel))
			p, _, err := Build(m, Config{NoFastBias: true}, statistics(t, m, Config{NoFastBias: true}, noise(m, 2, nil)))
			require.NoError(t, err)
			point, weight := false, false
			for _, x := range p.Points {
				point = point || x.Value == "c"
				weight = weight || x.Value == "w" && x.Kind == plan.Weight
			}
			require.Equal(t, c.point, point)
			require.True(t, weight)
		})
	}
}
