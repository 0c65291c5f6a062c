package op

import (
	"fmt"
	"math"
	"slices"

	"assay/kernels/numeric"
	"assay/kernels/reduce"
	"assay/shared/tensor"
)

// sampleNormOps normalise with statistics of each sample: of whole rows, of channels, of groups of channels. Defaults:
// epsilon 1e-5, axis -1, p 2, axes 0, 2, 3 of MeanVarianceNormalization. GroupNormalization had one scale and bias for each
// group before opset 21 and has one for each channel since. Refused: data without channels or with an empty row, groups that
// do not divide the channels, p other than 1 and 2. Means are two-level sums, variances of two passes, both as
// kernels/reduce orders them. They stay float.
var sampleNormOps = []*Op{
	{
		Name: "RMSNormalization", Opsets: []int{23}, Types: float32Only, Attrs: []string{"axis", "epsilon", "stash_type"},
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferLayerNormalization, Lower: lowerRMSNormalization, RowWise: axisKeepsRows(-1),
	},
	{
		Name: "InstanceNormalization", Opsets: []int{1, 6}, Types: float32Only, Attrs: []string{"epsilon"},
		Upgrade: func(u *Upgrade) error { u.Node.Unset("consumed_inputs"); return nil },
		Inputs:  Arity{3, 3}, Outputs: Arity{1, 1},
		Infer: func(x *Infer) error {
			if len(x.In[0].Shape) < 2 {
				return fmt.Errorf("data shape %v has no channels", x.In[0].Shape)
			}
			return inferGroups(x, int64(x.In[0].Shape[1]))
		},
		Lower: func(l *Lower) (Kernel, error) { return lowerGroups(l, l.In[0].Shape[1]) },
	},
	{
		Name: "GroupNormalization", Opsets: []int{18, 21}, Types: float32Only, Attrs: []string{"epsilon", "num_groups", "stash_type"},
		Inputs: Arity{3, 3}, Outputs: Arity{1, 1},
		Infer: func(x *Infer) error {
			if err := x.stash(); err != nil {
				return err
			}
			return inferGroups(x, x.Node.Int("num_groups", 0))
		},
		Lower: func(l *Lower) (Kernel, error) { return lowerGroups(l, int(l.Node.Int("num_groups", 1))) },
	},
	{
		Name: "MeanVarianceNormalization", Opsets: []int{9, 13}, Types: float32Only, Attrs: []string{"axes"},
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1},
		Infer: func(x *Infer) error {
			if _, err := varianceAxes(x.Node.Ints("axes"), len(x.In[0].Shape)); err != nil {
				return err
			}
			return same(x)
		},
		Lower: lowerMeanVariance, RowWise: func(l *Lower) bool {
			axes, err := varianceAxes(l.Node.Ints("axes"), len(l.In[0].Shape))
			return err == nil && !slices.Contains(axes, 0)
		},
	},
	{
		Name: "LpNormalization", Opsets: []int{1}, Types: float32Only, Attrs: []string{"axis", "p"},
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, RowWise: axisKeepsRows(-1),
		Infer: func(x *Infer) error {
			if _, err := axisIn(x.Node.Int("axis", -1), len(x.In[0].Shape)); err != nil {
				return err
			}
			if p := x.Node.Int("p", 2); p != 1 && p != 2 {
				return fmt.Errorf("attribute p is %d, 1 and 2 are known", p)
			}
			return same(x)
		},
		Lower: lowerLpNormalization,
	},
}

// lowerRMSNormalization: y = x / sqrt(mean(x^2) + epsilon) * scale over the axes from axis on; no mean is subtracted.
func lowerRMSNormalization(l *Lower) (Kernel, error) {
	data := l.In[0].Shape
	axis, err := axisIn(l.Node.Int("axis", -1), len(data))
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	scale, err := l.spread(1, data[axis:])
	if err != nil {
		return Kernel{}, err
	}
	rows, n, epsilon := tensor.Count(data[:axis]), tensor.Count(data[axis:]), l.Node.Float("epsilon", 1e-5)
	if n == 0 {
		return Kernel{}, fmt.Errorf("data shape %v is empty behind axis %d", data, axis)
	}
	return Kernel{Alias: 0, Run: func(c *Call) {
		reduce.RMSNorm(view[float32](c.Out[0]), view[float32](src.bytes(c)), rows, n, scale, epsilon)
	}}, nil
}

// inferGroups checks data [N][C][spatial...] with scales and biases for each channel, or for each group as opset 18 had
// them. One shape rule serves both meanings, because their lengths differ unless each group has one channel, where they
// mean the same.
func inferGroups(x *Infer, groups int64) error {
	data := x.In[0].Shape
	if len(data) < 3 || tensor.Count(data[1:]) == 0 {
		return fmt.Errorf("data shape %v has no channels or no spatial axes", data)
	}
	if groups < 1 || int64(data[1])%groups != 0 {
		return fmt.Errorf("%d channels cannot form %d groups", data[1], groups)
	}
	for i := 1; i <= 2; i++ {
		if s := x.In[i].Shape; len(s) != 1 || s[0] != data[1] && int64(s[0]) != groups {
			return fmt.Errorf("input %d has shape %v, data has %d channels in %d groups", i, s, data[1], groups)
		}
	}
	if err := x.alike(1, 2); err != nil {
		return err
	}
	return same(x)
}

// lowerGroups is LayerNorm over the channels and positions of each group, then scale and bias, the product rounded before
// the sum. The normalisation is LayerNorm with scale 1 over [N*groups][channels/groups*inner]; each holds how many
// channels share one parameter: 1, or channels/groups at opset 18.
func lowerGroups(l *Lower, groups int) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	scale, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	bias, err := l.operand(2, Logical)
	if err != nil {
		return Kernel{}, err
	}
	shape, epsilon := l.In[0].Shape, l.Node.Float("epsilon", 1e-5)
	channels, inner := shape[1], tensor.Count(shape[2:])
	n := channels / groups * inner
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	each := [2]int{channels / scale.shape[0], channels / bias.shape[0]}
	return Kernel{Alias: 0, Run: func(c *Call) {
		dst, s, b := view[float32](c.Out[0]), view[float32](scale.bytes(c)), view[float32](bias.bytes(c))
		reduce.LayerNorm(dst, view[float32](src.bytes(c)), shape[0]*groups, n, ones, nil, epsilon)
		for i := range shape[0] * channels {
			a, d := s[i%channels/each[0]], b[i%channels/each[1]]
			row := dst[i*inner : (i+1)*inner]
			for k, v := range row {
				row[k] = numeric.Canon(float32(v*a) + d)
			}
		}
	}}, nil
}

// varianceAxes are the axes of MeanVarianceNormalization, by default all but the channels of an image. The default
// names axes 0, 2 and 3, so data of fewer than four axes without the attribute is refused.
func varianceAxes(given []int64, rank int) ([]int, error) {
	if given == nil {
		given = []int64{0, 2, 3}
	}
	axes, err := axesIn(given, rank)
	return sortedCopy(axes), err
}

// lowerMeanVariance is (x - mean) / (sqrt(variance) + 1e-9) with the two-pass variance, sums in canonical order. The
// 1e-9 beside the deviation and not under the root is ONNX's function body (MeanVarianceNormalization-13).
func lowerMeanVariance(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	axes, err := varianceAxes(l.Node.Ints("axes"), len(shape))
	if err != nil {
		return Kernel{}, err
	}
	if tensor.Count(shape) == 0 {
		return Kernel{Alias: -1, Run: func(*Call) {}}, nil
	}
	k, f := foldingOf(shape, axes)
	kept, folded, lanes := places(k), places(f), slices.Contains(axes, len(shape)-1)
	return Kernel{Alias: 0, Run: func(c *Call) {
		in, out := view[float32](src.bytes(c)), view[float32](c.Out[0])
		for _, base := range kept {
			mean := meanAt(in, base, folded, lanes, func(v float32) float32 { return v })
			variance := meanAt(in, base, folded, lanes, func(v float32) float32 { return float32((v - mean) * (v - mean)) })
			deviation := float32(math.Sqrt(float64(variance))) + 1e-9
			for _, step := range folded {
				out[base+step] = numeric.Canon((in[base+step] - mean) / deviation)
			}
		}
	}}, nil
}

// meanAt is the mean of f over the elements at base + steps. lanes says that the last logical axis is summed, which
// takes 16 lanes by design.md 6; other sums are one chain in two levels. steps is not empty.
func meanAt(in []float32, base int, steps []int, lanes bool, f func(float32) float32) float32 {
	var row numeric.LaneSum
	var chain numeric.Chain
	for _, s := range steps {
		if lanes {
			row.Add1(f(in[base+s]))
		} else {
			chain.Add(f(in[base+s]))
		}
	}
	if lanes {
		return row.Sum() / float32(len(steps))
	}
	return chain.Sum() / float32(len(steps))
}

// lowerLpNormalization divides by the norm along an axis; what has the norm 0 stays 0. Norms are sums of |x| or roots
// of sums of x^2, ordered as the reductions of those names.
func lowerLpNormalization(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	shape := l.In[0].Shape
	axis, err := axisIn(l.Node.Int("axis", -1), len(shape))
	if err != nil {
		return Kernel{}, err
	}
	kept, folded := foldingOf(shape, []int{axis})
	fold := reduce.L2
	if l.Node.Int("p", 2) == 1 {
		fold = reduce.L1
	}
	n, inner := shape[axis], tensor.Count(shape[axis+1:])
	outer := tensor.Count(without(shape, []int{axis}, false))
	return Kernel{Alias: -1, Scratch: 4 * outer, Run: func(c *Call) {
		norms, dst := view[float32](c.Scratch[:4*outer]), view[float32](c.Out[0])
		if len(dst) == 0 {
			return
		}
		in := view[float32](src.bytes(c))
		reduce.Reduce(fold, norms, in, kept, folded, axis == len(shape)-1)
		for i, v := range in {
			norm := norms[i/(n*inner)*inner+i%inner]
			if norm == 0 {
				norm = 1
			}
			dst[i] = numeric.Canon(v / norm)
		}
	}}, nil
}
