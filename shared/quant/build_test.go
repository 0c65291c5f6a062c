package quant

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// TestBiasCorrectionOnConstantChannels: where every channel is constant the corrected layer answers as the float one,
// in the mean over positions, padding included.
func TestBiasCorrectionOnConstantChannels(t *testing.T) {
	for name, text := range map[string]string{
		"padded":  `{pads=[1,1,1,1], strides=[2,2]}`,
		"grouped": `{group=2, pads=[0,1,2,1], dilations=[1,2]}`,
		"same":    `{auto_pad="SAME_UPPER", strides=[2,2]}`,
	} {
		t.Run(name, func(t *testing.T) {
			weight := "w: float32[4,4,3,3] = const random 1\n"
			if name == "grouped" {
				weight = "w: float32[4,2,3,3] = const random 1\n"
			}
			m := parse(t, "input x: float32[1,4,7,8]\n"+weight+"b: float32[4] = const [0, 0.5, -0.25, 0]\ny = Conv(x, w, b) "+text+" @conv\noutput y\n")
			x := tensor.New(tensor.Float32, 1, 4, 7, 8)
			for i := range x.F32() {
				x.F32()[i] = []float32{0.5, -1, 3, 0.25}[i/56]
			}
			in := map[string]*tensor.Tensor{"x": x}
			cfg := Config{Weights: Kind{Bits: 3}, BiasThreshold: 1000}
			p, report, err := Build(m, cfg, statistics(t, m, cfg, []map[string]*tensor.Tensor{in}))
			require.NoError(t, err)
			require.Equal(t, 1, report.Corrected, "zeros in the bias switch nothing off (quirk Q19)")
			w := p.Points[1]
			q := quantizeWeights(m.Graph.Consts["w"].F32(), m.Graph.Consts["w"].Shape, 0, w.Scale, 3)
			want := channelMeans(run(t, m, in)["y"])
			fake := m.Clone()
			dq := tensor.New(tensor.Float32, m.Graph.Consts["w"].Shape...)
			per := dq.Len() / 4
			for i := range dq.F32() {
				dq.F32()[i] = float32(q[i]) * w.Scale[i/per]
			}
			fake.Graph.Consts["w"] = dq
			fake.Graph.Consts["b"] = p.Patches[0].Tensor()
			require.InDeltaSlice(t, want, channelMeans(run(t, fake, in)["y"]), 1e-5)
			fake.Graph.Consts["b"] = m.Graph.Consts["b"]
			require.Greater(t, math.Abs(want[0]-channelMeans(run(t, fake, in)["y"])[0]), 1e-3, "the case must need a correction")
		})
	}
}

func channelMeans(y *tensor.Tensor) []float64 {
	r, err := Collect(Tap{Func: Mean, Axis: 1, Width: uint32(y.Shape[1])}, y, op.Logical)
	if err != nil {
		panic(err)
	}
	return r
}

// TestBiasNeverSaturates: a bias of 5 behind weights of 1e-9 raises that channel's scale only.
func TestBiasNeverSaturates(t *testing.T) {
	m := parse(t, `
input x: float32[1,2,3,3]
w: float32[2,2,1,1] = const [1e-9, 1e-9, 1, -1]
b: float32[2] = const [50000, 1]
y = Conv(x, w, b) @conv
output y
`)
	cfg := Config{NoFastBias: true}
	p, _, err := Build(m, cfg, statistics(t, m, cfg, noise(m, 2, nil)))
	require.NoError(t, err)
	q, err := Apply(m, p, plan.All(p))
	require.NoError(t, err)
	limit := maxBias(2)
	for i, v := range tensor.View[int32](q.Graph.Consts["b/quantized"]) {
		require.LessOrEqual(t, math.Abs(float64(v)), limit)
		require.InEpsilon(t, []float64{50000, 1}[i], float64(v)*float64(p.Points[2].Scale[i]), 1e-3)
	}
	require.InDelta(t, 1./127, p.Points[1].Scale[1], 1e-9)
	for _, depth := range []int{1, 9 * 512, maxDepth} {
		require.LessOrEqual(t, maxBias(depth)+float64(depth)*255*127, float64(math.MaxInt32))
		require.GreaterOrEqual(t, maxBias(depth), float64(1<<15))
	}
	require.Greater(t, biasScale(1e-30, fitBias(1e-30, 1e-30, 0, limit)), float32(0), "a product below float32's range")
}

func TestABadSampleIsNamed(t *testing.T) {
	m := parse(t, residual)
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		samples := noise(m, 3, nil)
		samples[1]["x"].F32()[5] = bad
		taps, err := Taps(m, Config{})
		require.NoError(t, err)
		var records [][]byte
		for _, in := range samples {
			r, err := Record(taps, run(t, m, in))
			require.NoError(t, err)
			records = append(records, r)
		}
		_, err = NewStats(taps, records, []string{"a.png", "b.png", "c.png"})
		require.ErrorContains(t, err, "sample 1 (b.png)")
		_, err = NewStats(taps, [][]byte{records[0], records[0][1:]}, nil)
		require.ErrorContains(t, err, "sample 1")
	}
	taps, err := Taps(m, Config{})
	require.NoError(t, err)
	_, err = NewStats(taps, nil, nil)
	require.ErrorContains(t, err, "no calibration samples")
}

func TestFarSampleAndTiesAreReported(t *testing.T) {
	m := parse(t, "input x: float32[1,3,8,8]\nw: float32[2,3,1,1] = const random 1\ny = Conv(x, w) @conv\noutput y\n")
	samples := noise(m, 5, nil)
	samples[4]["x"].F32()[0] = 1e6
	_, report, err := Build(m, Config{}, statistics(t, m, Config{}, samples))
	require.NoError(t, err)
	require.Len(t, report.Warnings, 1)
	require.Contains(t, report.Warnings[0], "sample 4")

	for _, s := range samples {
		for i := range s["x"].F32() {
			s["x"].F32()[i] = (float32(i) + 0.5) / 255
		}
		s["x"].F32()[0] = 1
	}
	p, report, err := Build(m, Config{Preset: Mixed}, statistics(t, m, Config{Preset: Mixed}, samples))
	require.NoError(t, err)
	require.Len(t, report.Warnings, 1)
	require.Contains(t, report.Warnings[0], "ties")
	require.InEpsilon(t, 1./255*1.002, p.Points[0].Scale[0], 1e-6)
}

func TestNothingToQuantize(t *testing.T) {
	m := parse(t, "input x: float32[1,3]\ny = Relu(x) @relu\noutput y\n")
	p, report, err := Build(m, Config{}, statistics(t, m, Config{}, noise(m, 1, nil)))
	require.NoError(t, err)
	require.Empty(t, p.Points)
	require.Zero(t, report.Layers)
	q, err := Apply(m, p, plan.All(p))
	require.NoError(t, err)
	require.Equal(t, graph.Digest(m), graph.Digest(q))
}

// TestForeignParamsAreRefused: params of one model on another, in every way that a name can miss.
func TestForeignParamsAreRefused(t *testing.T) {
	m := parse(t, residual)
	p, _, err := Build(m, Config{}, statistics(t, m, Config{}, noise(m, 1, nil)))
	require.NoError(t, err)
	for name, spoil := range map[string]func(p *plan.Params){
		"no such constant":  func(p *plan.Params) { p.Points[1].Value = "v" },
		"no such value":     func(p *plan.Params) { p.Points[0].Value = "v" },
		"no such node":      func(p *plan.Params) { p.Points[0].Uses[0].Node = "v" },
		"no such input":     func(p *plan.Params) { p.Points[0].Uses[0].Input = 9 },
		"scales and shape":  func(p *plan.Params) { p.Points[1].Axis = 1 },
		"axis beyond shape": func(p *plan.Params) { p.Points[1].Axis = 7 },
		"bias of no node":   func(p *plan.Params) { p.Points[2].Uses[0].Node = "v" },
		"patch of no node":  func(p *plan.Params) { p.Patches[0].Use.Node = "v" },
		"patch far away":    func(p *plan.Params) { p.Patches[0].Use.Input = 99 },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := plan.DecodeParams(p.Encode())
			require.NoError(t, err)
			spoil(c)
			_, err = Apply(m, c, plan.All(c))
			require.Error(t, err)
		})
	}
	_, err = Apply(m, p, plan.Plan{Params: p.Digest(), Float: []uint64{1 << 60}})
	require.ErrorContains(t, err, "another model")
	_, _, err = Build(m, Config{}, &Stats{})
	require.ErrorContains(t, err, "was not collected")
}

// TestShareOfMultiplyAdds counts layers under a plan, with the shapes of one sample.
func TestShareOfMultiplyAdds(t *testing.T) {
	m := parse(t, residual)
	p, _, err := Build(m, Config{}, statistics(t, m, Config{}, noise(m, 1, nil)))
	require.NoError(t, err)
	num, den, err := MACShare(m, p, plan.All(p), nil)
	require.NoError(t, err)
	require.EqualValues(t, 64*(27*4+36*4+36*4)+20, den)
	require.Equal(t, den, num)
	pl, err := plan.All(p).Revert(0, len(p.Groups))
	require.NoError(t, err)
	num, _, err = MACShare(m, p, pl, nil)
	require.NoError(t, err)
	require.EqualValues(t, den-64*27*4, num)
	num, _, err = MACShare(m, nil, plan.Plan{}, nil)
	require.NoError(t, err)
	require.Zero(t, num)
	require.NotNil(t, op.Lookup("", "Conv").MACs)
}

// TestEveryPlanIsAValidGraph: any set of groups, and nothing left of a layer that is float.
func TestEveryPlanIsAValidGraph(t *testing.T) {
	m := parse(t, residual)
	p, _, err := Build(m, Config{}, statistics(t, m, Config{}, noise(m, 1, nil)))
	require.NoError(t, err)
	in := noise(m, 1, nil)[0]
	float := run(t, m, in)["y"].F32()
	for set := range 1 << len(p.Groups) {
		pl := plan.All(p)
		for g := range p.Groups {
			if set>>g&1 == 1 {
				pl, err = pl.Revert(g, len(p.Groups))
				require.NoError(t, err)
			}
		}
		q, err := Apply(m, p, pl)
		require.NoError(t, err)
		require.NoError(t, graph.Validate(q))
		y := run(t, q, in)["y"].F32()
		for i, v := range y {
			require.InDelta(t, float[i], v, 0.2)
		}
		if pl.Count() == len(p.Groups) {
			require.Equal(t, float, y)
		}
	}
}

// TestShareOfProducts: a product of two computed values, as attention has it, counts where the plan makes it INT8.
func TestShareOfProducts(t *testing.T) {
	m := parse(t, `
input x: float32[1,4,8]
q: float32[8,8] = const random 1
k: float32[8,8] = const random 2
a = MatMul(x, q) @query
b = MatMul(x, k) @key
c = Transpose(b) {perm=[0,2,1]} @turned
y = MatMul(a, c) @product
output y: float32[1,4,4]
`)
	cfg := Config{Placement: POT}
	p, _, err := Build(m, cfg, statistics(t, m, cfg, noise(m, 1, nil)))
	require.NoError(t, err)
	share := func(pl plan.Plan) (int64, int64) {
		num, den, err := MACShare(m, p, pl, nil)
		require.NoError(t, err)
		return num, den
	}
	num, den := share(plan.All(p))
	require.EqualValues(t, 2*4*8*8+4*4*8, den)
	require.Equal(t, den, num)
	for g, ops := range GroupOps(m, p) {
		pl, err := plan.All(p).Revert(g, len(p.Groups))
		require.NoError(t, err)
		lost := int64(0)
		for _, name := range ops {
			lost += map[string]int64{"query": 256, "key": 256, "product": 128}[name]
		}
		require.Positive(t, lost, ops)
		num, _ := share(pl)
		require.Equal(t, den-lost, num, ops)
	}
}
