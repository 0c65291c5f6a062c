package quant

import (
	"encoding/binary"
	"fmt"
	"math"

	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// Report says what Build did besides the params.
type Report struct {
	Layers    int      // operations that the params make INT8 and that multiply by a weight
	Float     []Reason // operations that could be INT8 in principle and are not, in node order
	Corrected int      // biases that were corrected
	Warnings  []string // samples that are far out, inputs moved off rounding ties
}

// Build makes the params of "everything INT8" from the statistics that Taps asked for. A model with nothing to quantize
// gives empty params and no error. The steps, each of which needs all of the one before: ranges of every activation
// (activations); one range for what meets (unify); scales; weight scales, corrected biases and room for them
// (layerPoints); points, groups and patches (params). Statistics that one step looks at and another changed would make
// the params depend on order. st holds what Taps(m, cfg) asked for, from the float model. m and st are not changed; the
// params are checked before they are returned.
func Build(m *graph.Model, cfg Config, st *Stats) (*plan.Params, *Report, error) {
	s, err := newSketch(m, cfg)
	if err != nil {
		return nil, nil, err
	}
	if apart, err := (&builder{sketch: s, st: st}).apart(); err != nil {
		return nil, nil, err
	} else if len(apart.float)+len(apart.point) > 0 {
		if s, err = sketchWithout(m, cfg, apart); err != nil {
			return nil, nil, err
		}
	}
	b := &builder{sketch: s, st: st, scales: map[string]u8{}, report: &Report{Layers: len(s.layers), Float: s.reasons}}
	if err := b.activations(); err != nil {
		return nil, nil, err
	}
	if err := b.layerPoints(); err != nil {
		return nil, nil, err
	}
	p, err := b.params()
	if err != nil {
		return nil, nil, err
	}
	if len(s.sites) > 0 && s.cfg.activations.max.aggregator == "max" {
		b.report.Warnings = append(b.report.Warnings, st.Outliers()...)
	}
	return p, b.report, p.Check()
}

// u8 is the parameters of an activation. A value v is level zero + rne(v/scale).
type u8 struct {
	scale float32
	zero  int32
}

// weight and bias are filled by layerPoints: weight scales are one a channel or one; bias holds the float bias that
// counts, corrected or not. len(patches) == len(owners), entry by entry.
type builder struct {
	*sketch
	st     *Stats
	scales map[string]u8 // by value
	report *Report

	weight  map[*site][]float32 // scales
	bias    map[*layer][]float32
	patches []plan.Patch // Group is filled in at the end, from owners
	owners  []*layer
}

// activations gives every activation value its scale: range, then one range for what meets at a Concat or is merely
// carried, then clamps and ties.
func (b *builder) activations() error {
	spans, limits := map[string]span{}, map[string]span{}
	var values []string
	for _, t := range b.sites {
		if t.kind != plan.Activation {
			continue
		}
		if _, ok := spans[t.value]; ok {
			continue
		}
		sp, err := b.rangeOf(t.value)
		if err != nil {
			return err
		}
		spans[t.value], limits[t.value] = sp, t.limits
		values = append(values, t.value)
	}
	b.unify(spans, limits)
	for _, v := range values {
		scale, zero, err := spans[v].u8(limits[v])
		if err != nil {
			return fmt.Errorf("value %q: %w", v, err)
		}
		if b.isInput(v) {
			if scale, err = b.offTies(v, scale); err != nil {
				return err
			}
		}
		b.scales[v] = u8{scale, zero}
	}
	return nil
}

// rangeOf folds the statistics of one activation. The order is POT's (pot-spec 3.2): fold both ends, then symmetric or
// asymmetric adjustment with zero on a level, then clipping_value, after which zero is not adjusted again. Cutting to
// what readers can tell apart (told) comes before the adjustment and is ours.
func (b *builder) rangeOf(v string) (span, error) {
	r := b.estimator(v)
	lo, err := b.st.fold(r.min.tap(v), r.min.aggregator)
	if err != nil {
		return span{}, err
	}
	hi, err := b.st.fold(r.max.tap(v), r.max.aggregator)
	if err != nil {
		return span{}, err
	}
	told := b.told(v)
	if b.symmetricAt(v) {
		return r.clip(symmetricActivation(lo[0], min(hi[0], max(-told.lo, told.hi)), b.cfg.signed)), nil
	}
	return r.clip(asymmetric(max(lo[0], told.lo), min(hi[0], told.hi))), nil
}

// tieShift moves an input's scale off the ties.
const tieShift = 1.002

// offTies enlarges the scale of an input whose values lie between two levels: pixels as x/127.5-1 do at scale 2/255,
// where one of the two runtimes then sees 126 levels of 251.
func (b *builder) offTies(v string, scale float32) (float32, error) {
	rows, err := b.st.each(levelsTap(v))
	if err != nil {
		return 0, err
	}
	var seen []float64
	for _, r := range rows {
		seen = append(seen, r...)
	}
	if !onTies(seen, scale) {
		return scale, nil
	}
	b.report.Warnings = append(b.report.Warnings, fmt.Sprintf("input %q lies on rounding ties at scale %g: scale enlarged by 0.2 %%", v, scale))
	return float32(float64(scale) * tieShift), nil
}

// layerPoints computes weight scales, corrected biases and bias scales. A weight scale is raised where a bias would not
// fit int32. fit comes last, since a bias that was corrected after it could overflow again.
func (b *builder) layerPoints() error {
	b.weight, b.bias = map[*site][]float32{}, map[*layer][]float32{}
	for _, t := range b.sites {
		if t.kind != plan.Weight || len(t.layers) == 0 {
			continue
		}
		axis := -1
		if b.cfg.perChannel {
			axis = t.layers[0].axis
		}
		m, err := b.constStat(t.value, axis, b.cfg.weights.max)
		if err != nil {
			return err
		}
		scale := make([]float32, len(m))
		for i, v := range weightHalfRange(m) {
			if c := b.cfg.weights.clipTop; c != nil {
				v = max(min(v, *c), absFloor)
			}
			scale[i] = float32(v / float64(b.cfg.weightTop))
		}
		if err := b.correct(t, axis, scale); err != nil {
			return err
		}
		for _, l := range t.layers {
			if l.intBias {
				b.fit(l, scale)
			}
		}
		b.weight[t] = scale
	}
	return nil
}

// correct makes the patches of all layers that share the weight. q, the quantized weights, is made at most once for all
// layers of the site. biasNode differs from node for a MatMul, whose bias keeps the shape of the Add's constant.
func (b *builder) correct(t *site, axis int, scale []float32) error {
	w := b.g.Consts[t.value]
	var q []int8
	for _, l := range t.layers {
		b.bias[l] = b.biasValues(l)
		if !b.correctable(l) {
			continue
		}
		if q == nil {
			q = quantizeWeights(w.F32(), w.Shape, axis, scale, b.cfg.weightTop)
		}
		bias, err := b.corrected(l, b.st, q, scale)
		if err != nil {
			return fmt.Errorf("bias of %q: %w", l.node.Name, err)
		}
		if bias == nil {
			continue
		}
		b.report.Corrected++
		b.bias[l] = bias
		shape := []uint32{uint32(l.channels)}
		if l.biasNode != l.node {
			shape = nil
			for _, d := range b.g.Consts[l.bias].Shape {
				shape = append(shape, uint32(d))
			}
		}
		data := make([]byte, 0, 4*len(bias))
		for _, v := range bias {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		b.owners = append(b.owners, l)
		b.patches = append(b.patches, plan.Patch{Use: use(l.biasNode, l.biasInput), DType: tensor.Float32, Shape: shape, Data: data})
	}
	return nil
}

// fit raises the weight scales of l's channels until its bias fits. limit leaves room for the sum itself (maxBias).
// With one scale for all channels the largest need decides, since fitBias only ever raises.
func (b *builder) fit(l *layer, scale []float32) {
	v, _ := b.root(l.node, l.data)
	sx := b.scales[v].scale
	limit := maxBias(l.depth)
	for c, x := range b.bias[l] {
		i := c % len(scale)
		scale[i] = fitBias(sx, scale[i], float64(x), limit)
	}
}

// params turns sites into points. A bias site without a bias is dropped. Groups are made of the sites that are kept, so
// their numbers are indices into p.Points. A patch belongs to its layer's group: in float the old bias counts again.
func (b *builder) params() (*plan.Params, error) {
	patched := map[*layer]bool{}
	for _, l := range b.owners {
		patched[l] = true
	}
	var kept []*site
	p := &plan.Params{}
	for _, t := range b.sites {
		if t.kind == plan.Bias && t.value == "" && !patched[t.layers[0]] {
			continue
		}
		kept = append(kept, t)
		x, err := b.point(t)
		if err != nil {
			return nil, err
		}
		p.Points = append(p.Points, x)
	}
	p.Groups = b.groups(kept)
	groupOf := map[*graph.Node]uint32{}
	for g, members := range p.Groups {
		for _, i := range members {
			if t := kept[i]; t.kind == plan.Weight && len(t.layers) > 0 {
				for _, l := range t.layers {
					groupOf[l.node] = uint32(g)
				}
			}
		}
	}
	for i, l := range b.owners {
		b.patches[i].Group = groupOf[l.node]
	}
	p.Patches = b.patches
	return p, nil
}

// point is a site with its numbers. A constant operand without layers (of an Add, say) is u8 like an activation; the
// scale of a bias is sx*sw rounded once, with sx that of the layer's data.
func (b *builder) point(t *site) (plan.Point, error) {
	x := plan.Point{Value: t.value, Kind: t.kind, Uses: t.uses, DType: tensor.Uint8, Axis: -1}
	switch {
	case t.kind == plan.Activation:
		q := b.scales[t.value]
		x.Scale, x.Zero = []float32{q.scale}, []int32{q.zero}
	case t.kind == plan.Weight && len(t.layers) == 0:
		lo, err := b.constStat(t.value, -1, end{fn: Min})
		if err != nil {
			return x, err
		}
		hi, err := b.constStat(t.value, -1, end{fn: Max})
		if err != nil {
			return x, err
		}
		scale, zero, err := asymmetric(lo[0], hi[0]).u8(everything)
		if err != nil {
			return x, fmt.Errorf("constant %q: %w", t.value, err)
		}
		x.Scale, x.Zero = []float32{scale}, []int32{zero}
	case t.kind == plan.Weight:
		x.DType, x.Scale = tensor.Int8, b.weight[t]
		// A layer of one channel has an axis too: Axis -1 would say that its scale is the tensor's.
		if len(x.Scale) > 1 || b.cfg.perChannel && t.layers[0].axis >= 0 {
			x.Axis = int32(t.layers[0].axis)
		}
		x.Zero = make([]int32, len(x.Scale))
	case t.kind == plan.Bias:
		l := t.layers[0]
		x.DType = tensor.Int32
		v, _ := b.root(l.node, l.data)
		sw, n := b.weightScale(l), 1
		if b.cfg.perChannel && l.axis >= 0 {
			x.Axis, n = 0, l.channels
		}
		for c := range n {
			x.Scale = append(x.Scale, biasScale(b.scales[v].scale, sw[c%len(sw)]))
		}
		x.Zero = make([]int32, len(x.Scale))
	}
	return x, nil
}

// nil cannot happen for a layer that has a bias site: its weight site stands before it.
func (b *builder) weightScale(l *layer) []float32 {
	for t, scale := range b.weight {
		for _, m := range t.layers {
			if m == l {
				return scale
			}
		}
	}
	return nil
}
