package op

import (
	"fmt"
	"math"
	"slices"

	"assay/kernels/resample"
	"assay/shared/tensor"
)

// resizeOps interpolate along axes. Upsample is Resize since opset 10, which itself had scales as input 1 and positions
// x/scale until 11. Either scales or sizes are given and known before the run. Defaults: mode nearest with
// round_prefer_floor, half_pixel, cubic_coeff_a -0.75, exclude_outside 0, extrapolation_value 0, antialias 0, stretch as the
// aspect policy. The axes are taken one after the other in logical order. Refused: modes and transformations that are
// unknown, interpolation of integers and bools, of which only the nearest can be taken. Resize stays float.
var resizeOps = []*Op{
	{
		Name: "Resize", Opsets: []int{10, 11, 13, 18, 19}, Memory: MemoryAny, Upgrade: upgradeResize,
		Types: append([]tensor.DType{tensor.Bool}, numericTypes...),
		Attrs: []string{
			"antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside", "extrapolation_value",
			"keep_aspect_ratio_policy", "mode", "nearest_mode",
		},
		Inputs: Arity{1, 4}, Outputs: Arity{1, 1}, Infer: inferResize, Lower: lowerResize, RowWise: resizeKeepsRows,
	},
	{
		Name: "Upsample", Opsets: []int{7, 9}, Memory: MemoryAny, Upgrade: upgradeUpsample, Types: append([]tensor.DType{tensor.Bool}, numericTypes...),
		Attrs:  []string{"coordinate_transformation_mode", "mode", "nearest_mode"},
		Inputs: Arity{1, 4}, Outputs: Arity{1, 1}, Infer: inferResize, Lower: lowerResize, RowWise: resizeKeepsRows,
	},
}

// upgradeUpsample makes it a Resize of opset 10 with input scales. bilinear was opset 7's word for linear, in any
// number of axes.
func upgradeUpsample(u *Upgrade) error {
	n := u.Node
	if u.From < 9 {
		a := n.Attr("scales")
		if a == nil || len(n.Inputs) != 1 {
			return fmt.Errorf("attribute scales and one input are required at opset %d", u.From)
		}
		n.Inputs = append(n.Inputs, u.AddConst("scales", tensor.Of(tensor.Float32, []int{len(a.Floats)}, a.Floats)))
		n.Unset("scales")
	}
	n.Op = "Resize"
	if n.Str("mode", "nearest") == "bilinear" {
		setText(u, "mode", "linear")
	}
	return oldResize(u)
}

// upgradeResize: opset 10 had scales as input 1 and positions x/scale; opset 11 had one transformation more, which with
// nearest_mode floor is half_pixel with round_prefer_ceil.
func upgradeResize(u *Upgrade) error {
	n := u.Node
	if u.From < 11 {
		return oldResize(u)
	}
	if n.Str("coordinate_transformation_mode", "") == "tf_half_pixel_for_nn" && n.Str("nearest_mode", "") == "floor" {
		setText(u, "coordinate_transformation_mode", "half_pixel")
		setText(u, "nearest_mode", "round_prefer_ceil")
	}
	return nil
}

// oldResize: enlarging took the element before, shrinking the one behind, as ONNX Runtime reads those opsets. Positions
// are x/scale (asymmetric). floor for enlarging and ceil for shrinking are a choice per node, so a node that does both
// cannot be respelled.
func oldResize(u *Upgrade) error {
	n := u.Node
	if len(n.Inputs) != 2 {
		return fmt.Errorf("it has %d inputs, 2 are required at opset %d", len(n.Inputs), u.From)
	}
	mode := "floor"
	if t := u.Const(n.Inputs[1]); t != nil && t.DType == tensor.Float32 {
		down := func(s float32) bool { return s < 1 }
		up := func(s float32) bool { return s > 1 }
		if s := t.F32(); slices.ContainsFunc(s, down) && n.Str("mode", "nearest") == "nearest" {
			if slices.ContainsFunc(s, up) {
				return fmt.Errorf("scales %v enlarge some axes and shrink others, which is not supported at opset %d", s, u.From)
			}
			mode = "ceil"
		}
	}
	n.Inputs = []string{n.Inputs[0], "", n.Inputs[1]}
	setText(u, "coordinate_transformation_mode", "asymmetric")
	setText(u, "nearest_mode", mode)
	return nil
}

// coordinates, roundings and filters are the spellings of attributes.
var (
	coordinates = map[string]resample.Coordinates{
		"half_pixel": resample.HalfPixel, "half_pixel_symmetric": resample.HalfPixelSymmetric, "pytorch_half_pixel": resample.PytorchHalfPixel,
		"align_corners": resample.AlignCorners, "asymmetric": resample.Asymmetric, "tf_crop_and_resize": resample.CropAndResize,
		"tf_half_pixel_for_nn": resample.HalfPixelNearest,
	}
	roundings = map[string]resample.Rounding{
		"round_prefer_floor": resample.PreferFloor, "round_prefer_ceil": resample.PreferCeil, "floor": resample.Floor, "ceil": resample.Ceil,
	}
	filters = map[string]resample.Filter{"nearest": resample.Nearest, "linear": resample.Linear, "cubic": resample.Cubic}
)

// resizing returns what happens along each axis of the input. The result has one entry for each axis; those that are
// not named stay as they are, with scale 1. half_pixel means x = (i + 0.5)/scale - 0.5, align_corners x =
// i*(in-1)/(out-1), asymmetric x = i/scale; see kernels/resample for all of them.
func resizing(x *Infer) ([]resample.Resizing, error) {
	n, in := x.Node, x.In[0].Shape
	how, ok := coordinates[n.Str("coordinate_transformation_mode", "half_pixel")]
	filter, known := filters[n.Str("mode", "nearest")]
	round, named := roundings[n.Str("nearest_mode", "round_prefer_floor")]
	if !ok || !known || !named {
		return nil, fmt.Errorf("coordinate_transformation_mode %q, mode %q or nearest_mode %q is unknown",
			n.Str("coordinate_transformation_mode", ""), n.Str("mode", ""), n.Str("nearest_mode", ""))
	}
	if filter != resample.Nearest && x.In[0].DType != tensor.Float32 && !slices.Contains(halfTypes, x.In[0].DType) {
		return nil, fmt.Errorf("interpolation of %s is not supported, nearest elements are", x.In[0].DType)
	}
	axes, err := resizedAxes(n.Ints("axes"), len(in))
	if err != nil {
		return nil, err
	}
	out := make([]resample.Resizing, len(in))
	for a, size := range in {
		out[a] = resample.Resizing{In: size, Out: size, Scale: 1, End: 1}
	}
	for _, a := range axes {
		out[a].How, out[a].Filter, out[a].Round, out[a].A = how, filter, round, n.Float("cubic_coeff_a", -0.75)
		out[a].Antialias = n.Int("antialias", 0) != 0
		out[a].Exclude = n.Int("exclude_outside", 0) != 0
	}
	if err := sizesOf(x, axes, out); err != nil {
		return nil, err
	}
	if how == resample.CropAndResize {
		err = regionOf(x, axes, out)
	}
	return out, err
}

// nil means all of them in order.
func resizedAxes(given []int64, rank int) ([]int, error) {
	if given == nil {
		return Logical.axes(rank), nil
	}
	return axesIn(given, rank)
}

// filled reports whether an optional input is given with elements: exporters write an empty tensor for none.
func (x *Infer) filled(i int) bool { return x.has(i) && tensor.Count(x.In[i].Shape) > 0 }

// sizesOf sets sizes and scales from input sizes or scales. The product size*scale is rounded to float32 before the
// floor: 3 * 0.333.. may or may not reach 1, and ONNX Runtime's answer is the file's shape.
func sizesOf(x *Infer, axes []int, out []resample.Resizing) error {
	if x.filled(3) {
		return sizesGiven(x, axes, out)
	}
	if !x.filled(2) {
		return fmt.Errorf("neither scales nor sizes are given")
	}
	t, err := x.elements(2)
	if err != nil {
		return err
	}
	if t.DType != tensor.Float32 || t.Len() != len(axes) {
		return fmt.Errorf("scales are %s%v, float32[%d] is required", t.DType, t.Shape, len(axes))
	}
	for i, a := range axes {
		s := view[float32](t.Data)[i]
		size := math.Floor(float64(float32(float32(out[a].In) * s)))
		if !(s > 0) || !(size <= math.MaxInt32) {
			return fmt.Errorf("scale %v of an axis of %d is not possible", s, out[a].In)
		}
		out[a].Scale, out[a].Out = s, int(size)
	}
	return nil
}

// sizesGiven sets sizes; a policy other than stretch keeps the axes in proportion, inside the sizes or around them.
// With a policy all axes get one scale, the smallest or the largest of those asked for, and sizes round(scale*in),
// halves up.
func sizesGiven(x *Infer, axes []int, out []resample.Resizing) error {
	v, err := x.known(3, "sizes")
	if err != nil {
		return err
	}
	sizes, err := toInts(v)
	if err != nil {
		return err
	}
	if len(sizes) != len(axes) {
		return fmt.Errorf("%d sizes are given for %d axes", len(sizes), len(axes))
	}
	policy := x.Node.Str("keep_aspect_ratio_policy", "stretch")
	common := float32(0)
	for i, a := range axes {
		if sizes[i] < 0 || out[a].In == 0 && sizes[i] > 0 {
			return fmt.Errorf("sizes %v are not possible for shape %v", sizes, x.In[0].Shape)
		}
		s := float32(sizes[i]) / float32(max(out[a].In, 1))
		switch {
		case i == 0:
			common = s
		case policy == "not_larger":
			common = min(common, s)
		case policy == "not_smaller":
			common = max(common, s)
		}
		out[a].Scale, out[a].Out = s, sizes[i]
	}
	switch policy {
	case "stretch":
		return nil
	case "not_larger", "not_smaller":
	default:
		return fmt.Errorf("attribute keep_aspect_ratio_policy is %q, which is unknown", policy)
	}
	for _, a := range axes {
		size := math.Floor(float64(float32(common*float32(out[a].In))) + 0.5)
		if !(size <= math.MaxInt32) {
			return fmt.Errorf("sizes %v are not possible for shape %v", sizes, x.In[0].Shape)
		}
		out[a].Scale, out[a].Out = common, int(size)
	}
	return nil
}

// regionOf sets the part of each axis that input roi names: all starts, then all ends. Both are in units of the axis, 0
// to 1, and may lie outside it.
func regionOf(x *Infer, axes []int, out []resample.Resizing) error {
	if !x.filled(1) {
		return fmt.Errorf("input 1 (roi) is required for tf_crop_and_resize")
	}
	t, err := x.elements(1)
	if err != nil {
		return err
	}
	if t, err = convert(t, tensor.Float32); err != nil {
		return err
	}
	if t.Len() != 2*len(axes) {
		return fmt.Errorf("input 1 (roi) has %d elements for %d axes", t.Len(), len(axes))
	}
	for i, a := range axes {
		out[a].Start, out[a].End = t.F32()[i], t.F32()[len(axes)+i]
	}
	return nil
}

// inferResize: sizes as given, or floor(size * scale) computed in float32 as ONNX Runtime does.
func inferResize(x *Infer) error {
	r, err := resizing(x)
	if err != nil {
		return err
	}
	out := make([]int, len(r))
	for a := range r {
		out[a] = r[a].Out
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// resizeKeepsRows: axis 0 has to be left alone. A crop along axis 0 could move rows even when its size stays.
func resizeKeepsRows(l *Lower) bool {
	in, out := l.In[0].Shape, l.Out[0].Shape
	return len(in) > 0 && in[0] == out[0] && in[0] == 1 || len(in) > 0 && in[0] == out[0] &&
		l.Node.Str("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize"
}
