package plan

// Digest names the problem.
func (p Problem) Digest() Digest { return DigestOf("Problem", p) }

// Digest names the view; its encoding (EncodeView) is stored under this name.
func (v View) Digest() Digest { return DigestOf("View", v) }

// Digest names the cell. The subject of a result carries it.
func (c Cell) Digest() Digest { return DigestOf("Cell", c) }

// Digest names the params; Params.Encode is stored under this name.
func (p *Params) Digest() Digest { return DigestOf("Params", p) }

// effective is what a plan's numbers depend on.
type effective struct {
	Points  []Point
	Patches []Patch // Group is 0: it says who owns a patch, not what is computed
}

// EffectiveDigest names what p computes: the points and patches of the groups that are INT8, in params order. Two sets of
// groups that leave the same points, and two params that agree on them, give one digest. Nothing INT8 is the float model
// whatever the params were: the zero digest. params may be nil for the zero plan only; the caller has checked p against
// it (Plan.Check).
func EffectiveDigest(params *Params, p Plan) Digest {
	points, patches := Effective(params, p)
	if len(points) == 0 {
		return Digest{}
	}
	e := effective{Patches: patches}
	for i := range e.Patches {
		e.Patches[i].Group = 0
	}
	for _, i := range points {
		e.Points = append(e.Points, params.Points[i])
	}
	return DigestOf("Plan", e)
}

// Effective lists what of params p leaves in force: indices of points, ascending, and the patches of INT8 groups. A plan
// without params has none.
func Effective(params *Params, p Plan) (points []int, patches []Patch) {
	if params == nil || p.Params.IsZero() {
		return nil, nil
	}
	in := make([]bool, len(params.Points))
	for g, members := range params.Groups {
		for _, i := range members {
			in[i] = in[i] || !p.Has(g)
		}
	}
	for i, ok := range in {
		if ok {
			points = append(points, i)
		}
	}
	for _, x := range params.Patches {
		if !p.Has(int(x.Group)) {
			patches = append(patches, x)
		}
	}
	return points, patches
}
