package plan

import (
	"fmt"
	"math"

	"assay/shared/tensor"
)

// Encode returns the canonical bytes of p. The store keeps them under p.Digest().
func (p *Params) Encode() []byte { return Encode("Params", p) }

// DecodeParams reads Params.Encode and checks the result, so whoever applies it need not. After an error it is nil.
func DecodeParams(b []byte) (*Params, error) {
	p := &Params{}
	if err := Decode("Params", b, p); err != nil {
		return nil, err
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	return p, nil
}

// EncodeView returns the canonical bytes of v. The store keeps them under v.Digest().
func EncodeView(v View) []byte { return Encode("View", v) }

// DecodeView reads EncodeView. Whether the samples exist is for the caller to check.
func DecodeView(b []byte) (View, error) {
	var v View
	err := Decode("View", b, &v)
	return v, err
}

// Check refuses params that contradict themselves: a point in no group or in two, groups out of topological order,
// scales that are no positive numbers or no match for their zero points, a patch whose bytes do not fit its shape.
// Whether a name exists in a model is seen when they are applied.
func (p *Params) Check() error {
	for i, x := range p.Points {
		if err := x.check(); err != nil {
			return fmt.Errorf("params: point %d on %.80q: %w", i, x.Value, err)
		}
	}
	owner := make([]int, len(p.Points))
	first := -1
	for g, members := range p.Groups {
		if len(members) == 0 {
			return fmt.Errorf("params: group %d has no points", g)
		}
		if int(members[0]) <= first {
			return fmt.Errorf("params: group %d begins with point %d, after a group that begins with point %d", g, members[0], first)
		}
		first = int(members[0])
		for j, i := range members {
			switch {
			case int(i) >= len(p.Points):
				return fmt.Errorf("params: group %d names point %d, there are %d", g, i, len(p.Points))
			case j > 0 && i <= members[j-1]:
				return fmt.Errorf("params: group %d is not ascending at point %d", g, i)
			case owner[i] != 0:
				return fmt.Errorf("params: point %d is in groups %d and %d", i, owner[i]-1, g)
			}
			owner[i] = g + 1
		}
	}
	for i, g := range owner {
		if g == 0 {
			return fmt.Errorf("params: point %d on %.80q is in no group", i, p.Points[i].Value)
		}
	}
	for i, x := range p.Patches {
		if err := x.check(len(p.Groups)); err != nil {
			return fmt.Errorf("params: patch %d of %.80q: %w", i, x.Use.Node, err)
		}
	}
	return nil
}

func (x Point) check() error {
	switch {
	case x.Kind > Bias:
		return fmt.Errorf("kind %d is unknown", x.Kind)
	case x.Kind == Bias && x.DType != tensor.Int32, x.Kind != Bias && x.DType != tensor.Uint8 && x.DType != tensor.Int8:
		return fmt.Errorf("%s cannot hold it", x.DType)
	case len(x.Uses) == 0:
		return fmt.Errorf("nothing reads it")
	case x.Axis < -1, x.Axis >= 0 && x.Kind == Activation:
		return fmt.Errorf("axis %d is impossible", x.Axis)
	case len(x.Scale) != len(x.Zero), len(x.Scale) == 0, x.Axis < 0 && len(x.Scale) != 1:
		return fmt.Errorf("%d scales and %d zero points with axis %d", len(x.Scale), len(x.Zero), x.Axis)
	}
	lo, hi := Range(x.DType)
	for c := range x.Scale {
		if s := float64(x.Scale[c]); !(s > 0) || math.IsInf(s, 0) {
			return fmt.Errorf("scale %g of channel %d is no positive number", s, c)
		}
		if z := x.Zero[c]; z < lo || z > hi || x.Kind == Bias && z != 0 {
			return fmt.Errorf("zero point %d of channel %d is outside %s", z, c, x.DType)
		}
	}
	return nil
}

// Range is the span, both ends included, of an integer type that points use: uint8, int8, and int32 for everything else.
func Range(d tensor.DType) (lo, hi int32) {
	switch d {
	case tensor.Uint8:
		return 0, 255
	case tensor.Int8:
		return -128, 127
	}
	return math.MinInt32, math.MaxInt32
}

func (x Patch) check(groups int) error {
	if int(x.Group) >= groups {
		return fmt.Errorf("group %d, there are %d", x.Group, groups)
	}
	shape := make([]int, len(x.Shape))
	for i, d := range x.Shape {
		shape[i] = int(d)
	}
	t := tensor.Tensor{DType: x.DType, Shape: shape, Data: x.Data}
	return t.Check()
}

// Tensor returns the constant that the patch puts in place; it aliases Data.
func (x Patch) Tensor() *tensor.Tensor {
	shape := make([]int, len(x.Shape))
	for i, d := range x.Shape {
		shape[i] = int(d)
	}
	return &tensor.Tensor{DType: x.DType, Shape: shape, Data: x.Data}
}
