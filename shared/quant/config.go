package quant

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"assay/shared/graph"
)

// Placement is the rule that decides where points go. Regions is what both runtimes run best (design.md 4.2); POT
// reproduces the published placement for comparison (pot-spec 3.4).
type Placement string

// Preset chooses between symmetric and asymmetric activations. Weights are symmetric always. On POT's CPU target both
// presets have symmetric weights; performance has symmetric activations and mixed asymmetric ones (pot-spec 3.5).
type Preset string

// The values of Config's string fields. Empty ones are regions, the preset that For chooses, one scale a channel for weights and a
// tensor for activations, symmetric weights, and activations as the preset has them.
const (
	Regions Placement = "regions" // layers and what keeps an integer region between them
	POT     Placement = "pot"     // the published CPU table with its ignored patterns

	Performance Preset = "performance" // symmetric activations
	Mixed       Preset = "mixed"       // asymmetric activations

	Symmetric  = "symmetric"
	Asymmetric = "asymmetric"
	PerTensor  = "pertensor"
	PerChannel = "perchannel"
)

// Config is everything besides model and statistics that params depend on. The zero value is the default configuration. Taps,
// CountGroups and Build fill in the defaults on their own, For's among them, and refuse what Check and CheckScope refuse. Nothing
// changes a Config.
type Config struct {
	Placement   Placement
	Preset      Preset
	Weights     Kind
	Activations Kind
	Ignored     Ignored

	// Transformer is POT's model_type: additions, products and what else normalisation is written with stay float, and the
	// operands of products of two computed matrices are symmetric.
	Transformer bool

	// NoFastBias leaves biases uncorrected. BiasThreshold is the largest change of a bias relative to its size that is
	// applied (0: 2).
	NoFastBias    bool
	BiasThreshold float64

	// SaturationFix is "no" or empty: weights keep 8 bits, as for machines with exact u8 x s8 sums.
	SaturationFix string

	// InputShapes gives the shape that is fed to a graph input, batch axis included, where the declared one is open. A missing one
	// counts as 1 along open axes, which suffices for ranks; geometry-dependent steps then say what they could not know.
	InputShapes map[string][]int
}

// Kind configures weights or activations. Zero fields take the preset's values. Weights of fewer than 8 bits, or with fewer levels,
// are stored as int8 all the same and use the middle of its range.
type Kind struct {
	Bits        int    // 8; weights 2 to 8
	Mode        string // symmetric or asymmetric
	Granularity string // weights: perchannel (default) or pertensor; activations: pertensor
	LevelLow    *int   // only their magnitudes count: levels = |low| + |high| + 1. On activations a negative low, given together
	LevelHigh   *int   // with high, asks for the signed form of symmetric ranges.
	Estimator   Estimator
}

// Ignored says what stays float by request: nothing is quantized at the inputs of an ignored operation.
type Ignored struct {
	SkipModel  bool     // every operation is ignored
	Scope      []string // node names; see CheckScope
	Operations []Operation
}

// Operation selects nodes by type and attributes: all that are given must be there and be equal, kind included. Attributes that hold
// tensors or graphs are equal to none. Type is ONNX's name or the name OpenVINO has for it.
type Operation struct {
	Type       string
	Attributes []graph.Attr
}

// foreignTypes maps OpenVINO's operation names to ONNX's.
var foreignTypes = map[string][]string{
	"Convolution": {"Conv"}, "GroupConvolution": {"Conv"}, "DepthWiseConvolution": {"Conv"},
	"ConvolutionBackpropData": {"ConvTranspose"}, "FullyConnected": {"Gemm", "MatMul"}, "MatMul": {"MatMul", "Gemm"},
	"Multiply": {"Mul"}, "Subtract": {"Sub"}, "Divide": {"Div"}, "Power": {"Pow"}, "AvgPool": {"AveragePool", "GlobalAveragePool"},
	"Maximum": {"Max"}, "Minimum": {"Min"}, "Interpolate": {"Resize"}, "ReLU": {"Relu"}, "SoftMax": {"Softmax"}, "Clamp": {"Clip"}, "StridedSlice": {"Slice"},
}

// resolved is a configuration without defaults left open. activationMode is Symmetric or Asymmetric; weightTop is the
// largest level of a weight, (levels-1)/2, 127 for 8 bits.
type resolved struct {
	Config
	activationMode string
	signed         bool // symmetric activations always take the signed form
	weightTop      int32
	perChannel     bool
	weights        rule
	activations    rule
	results        rule // for values that no integer operation reads
	products       rule // for operands of a transformer's products of two computed matrices
}

// Check refuses values that Build would refuse whatever the model is, so a job file fails before any sample is read.
func (c Config) Check() error {
	_, err := c.resolve()
	return err
}

// resolve fills in defaults and checks; c is not changed. The rules for results are always extremes: a clipped logit
// could lose its rank.
func (c Config) resolve() (*resolved, error) {
	r := &resolved{Config: c, weightTop: 127}
	def(&r.Placement, Regions)
	def(&r.Preset, Performance)
	def(&r.Weights.Granularity, PerChannel)
	def(&r.Activations.Granularity, PerTensor)
	def(&r.Weights.Mode, Symmetric)
	if r.BiasThreshold == 0 {
		r.BiasThreshold = 2
	}
	mode := Symmetric
	if r.Preset == Mixed {
		mode = Asymmetric
	}
	def(&r.Activations.Mode, mode)
	r.activationMode = r.Activations.Mode
	r.perChannel = r.Weights.Granularity == PerChannel
	for _, check := range []func() error{r.names, r.weightLevels, r.activationLevels} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	fallback := "extremes"
	if r.Placement == POT {
		fallback = "default"
	}
	var err error
	if r.weights, err = c.Weights.Estimator.resolve(true, Symmetric, fallback); err != nil {
		return nil, fmt.Errorf("weights.range_estimator: %w", err)
	}
	if r.activations, err = c.Activations.Estimator.resolve(false, r.activationMode, fallback); err != nil {
		return nil, fmt.Errorf("activations.range_estimator: %w", err)
	}
	if r.products, err = c.Activations.Estimator.resolve(false, Symmetric, fallback); err != nil {
		return nil, fmt.Errorf("activations.range_estimator: %w", err)
	}
	r.results = presets["activations/"+r.activationMode+"/extremes"]
	return r, nil
}

// def sets *s to v where it is empty.
func def[T ~string](s *T, v T) {
	if *s == "" {
		*s = v
	}
}

// names checks the fields that are words. What POT had and neither runtime would run in integers is refused with the
// reason, not ignored.
func (r *resolved) names() error {
	for _, f := range []struct {
		key, value string
		allowed    []string
		why        string
	}{
		{"placement", string(r.Placement), []string{string(Regions), string(POT)}, ""},
		{"preset", string(r.Preset), []string{string(Performance), string(Mixed)}, ""},
		{"weights.mode", r.Weights.Mode, []string{Symmetric}, " (weights with a zero point run in float in OpenVINO)"},
		{"weights.granularity", r.Weights.Granularity, []string{PerChannel, PerTensor}, ""},
		{"activations.mode", r.Activations.Mode, []string{Symmetric, Asymmetric}, ""},
		{"activations.granularity", r.Activations.Granularity, []string{PerTensor}, " (convolutions with activation scales per channel run in float)"},
		{"saturation_fix", r.SaturationFix, []string{"", "no"}, " (weights keep 8 bits; machines without exact u8 x s8 sums want weights.bits 7)"},
	} {
		if !slices.Contains(f.allowed, f.value) {
			return fmt.Errorf("%s: %q is not possible, use %s%s", f.key, f.value, strings.TrimPrefix(strings.Join(f.allowed, " or "), " or "), f.why)
		}
	}
	if !(r.BiasThreshold > 0) {
		return fmt.Errorf("threshold: %g is not possible, use a number above 0", r.BiasThreshold)
	}
	return nil
}

// levels = |low| + |high| + 1 as in pot-spec 3.2: the signs are not looked at.
func (r *resolved) weightLevels() error {
	bits := r.Weights.Bits
	if bits == 0 {
		bits = 8
	}
	if bits < 2 || bits > 8 {
		return fmt.Errorf("weights.bits: %d is not possible, use 2 to 8", bits)
	}
	low, high := -(1<<(bits-1))+1, 1<<(bits-1)-1
	override(&low, r.Weights.LevelLow)
	override(&high, r.Weights.LevelHigh)
	levels := abs(low) + abs(high) + 1
	if levels < 3 || levels > 256 {
		return fmt.Errorf("weights.level_low, level_high: %d and %d make %d levels, use 3 to 256", low, high, levels)
	}
	r.weightTop = int32(min(127, (levels-1)/2))
	return nil
}

// Only 256 levels fill a byte. signed needs both keys and a negative low (pot-spec 3.2).
func (r *resolved) activationLevels() error {
	if b := r.Activations.Bits; b != 0 && b != 8 {
		return fmt.Errorf("activations.bits: %d is not possible, use 8", b)
	}
	low, high := r.Activations.LevelLow, r.Activations.LevelHigh
	if low == nil && high == nil {
		return nil
	}
	l, h := -128, 127
	override(&l, low)
	override(&h, high)
	if n := abs(l) + abs(h) + 1; n != 256 {
		return fmt.Errorf("activations.level_low, level_high: %d and %d make %d levels, use 256", l, h, n)
	}
	r.signed = low != nil && high != nil && *low < 0
	return nil
}

func override(v *int, p *int) {
	if p != nil {
		*v = *p
	}
}

func abs(v int) int { return max(v, -v) }

// ignores reports whether n stays float by request. An entry whose attributes do not match ends nothing: POT stopped at
// the first entry of the right type (quirk Q4). An ignored pass-through operation takes no neighbour with it (quirk
// Q5).
func (i Ignored) ignores(n *graph.Node) bool {
	if i.SkipModel || slices.Contains(i.Scope, n.Name) {
		return true
	}
	return slices.ContainsFunc(i.Operations, func(o Operation) bool { return o.matches(n) })
}

// matches compares types by either name and every attribute that is given, kind included.
func (o Operation) matches(n *graph.Node) bool {
	if n.Op != o.Type && !slices.Contains(foreignTypes[o.Type], n.Op) {
		return false
	}
	for _, want := range o.Attributes {
		got := n.Attr(want.Name)
		if got == nil || got.Kind != want.Kind {
			return false
		}
		same := got.Int == want.Int && got.Float == want.Float && string(got.Str) == string(want.Str) &&
			slices.Equal(got.Ints, want.Ints) && slices.Equal(got.Floats, want.Floats) && slices.EqualFunc(got.Strs, want.Strs, bytes.Equal) &&
			!slices.Contains([]graph.Kind{graph.KindTensor, graph.KindTensors, graph.KindGraph, graph.KindGraphs, graph.KindOther}, got.Kind)
		if !same {
			return false
		}
	}
	return true
}

// CheckScope refuses the first name in Ignored.Scope that no node of g has, with the nearest one; nodes of nested graphs, which are
// never quantized, do not count.
func (i Ignored) CheckScope(g *graph.Graph) error {
	have := map[string]bool{}
	for _, n := range g.Nodes {
		have[n.Name] = true
	}
	for _, name := range i.Scope {
		if have[name] {
			continue
		}
		best, distance := "", -1
		for _, n := range g.Nodes {
			if d := editDistance(name, n.Name); distance < 0 || d < distance {
				best, distance = n.Name, d
			}
		}
		return fmt.Errorf("ignored.scope: the model has no node %q (the nearest is %q)", name, best)
	}
	return nil
}

// editDistance counts insertions, deletions and replacements of bytes. It is Levenshtein's, in one row: row[j] is the
// distance of the part of a so far to b[:j].
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
