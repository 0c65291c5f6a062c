// Package resample reads tensors between their elements: resizing along axes, sampling at the points of a grid and in
// regions of interest. An operator's attributes beyond what the types here name, a thread or an allocation outside of the
// New functions may not enter.
//
// Coordinates are computed in float32, one rounding per operation, as ONNX Runtime does, so that nearest elements are the
// same ones. Weights are rounded to float32; products are rounded and then added in ascending order of taps. NaN is stored as
// 0x7fc00000, but where elements are only moved. Slices have the sizes that parameters give, and dst overlaps no other;
// functions are safe for concurrent use with distinct dst.
package resample

import (
	"math"
	"sync"
	"unsafe"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
)

// Coordinates says how a position of the output becomes one of the input.
type Coordinates uint8

// The transformations of ONNX's Resize (operator text, attribute coordinate_transformation_mode), for output o:
const (
	HalfPixel          Coordinates = iota // (o + 0.5) / Scale - 0.5
	HalfPixelSymmetric                    // HalfPixel, moved so that what a rounded-down Out cuts off is cut on both ends
	PytorchHalfPixel                      // HalfPixel, but 0 where Out is 1
	AlignCorners                          // o * (In-1) / (Out-1), 0 where Out is 1
	Asymmetric                            // o / Scale
	CropAndResize                         // AlignCorners over the part from Start to End, in units of In-1; the middle of it where Out is 1
	HalfPixelNearest                      // (o + 0.5) / Scale: tf_half_pixel_for_nn, which only opset 11 and 12 have
)

// Rounding says which element is nearest to a position. It counts for Nearest only.
type Rounding uint8

// The roundings of mode nearest. The element is moved inside afterwards.
const (
	PreferFloor Rounding = iota // the nearest one, half-way the lower one
	PreferCeil                  // the nearest one, half-way the upper one
	Floor                       // the one at or below
	Ceil                        // the one at or above
)

// Filter says how elements are joined.
type Filter uint8

// The filters of Resize and GridSample.
const (
	Nearest Filter = iota // one element, unchanged
	Linear                // a triangle that reaches 1 element to both sides
	Cubic                 // Keys' kernel with a coefficient, 2 elements to both sides
)

// Resizing describes one axis: In elements become Out.
type Resizing struct {
	In, Out    int
	Scale      float32 // Out / In as the model says it
	How        Coordinates
	Filter     Filter
	Round      Rounding
	A          float32 // coefficient of Cubic
	Antialias  bool    // widen the filter where the axis shrinks
	Exclude    bool    // taps outside weigh nothing, the others are scaled to 1; where all are outside, the result is NaN
	Start, End float32 // of CropAndResize, 0 and 1 for all of the axis
}

// Axis is the table of one axis, made once and read by any number of goroutines: Taps elements for each output with their
// weights. Rows of at and weight are [Out][Taps]; 0 <= at < In always, a tap beyond an end stands on that end.
type Axis struct {
	In, Out, Taps int
	at            []int32
	weight        []float32 // of a row add up to 1 before rounding
	outside       []bool    // CropAndResize: the position lies outside the data; nil when none does
}

// position is output o in coordinates of the input, whose element i has its centre at i. Every operation rounds to float32
// in this order, which decides whether a position that should be half-way is.
func (r *Resizing) position(o int) float32 {
	x, in, out := float32(o), float32(r.In), float32(r.Out)
	switch r.How {
	case PytorchHalfPixel:
		if r.Out <= 1 {
			return 0
		}
	case AlignCorners:
		if r.Out == 1 {
			return 0
		}
		return float32(x*(in-1)) / (out - 1)
	case Asymmetric:
		return x / r.Scale
	case HalfPixelNearest:
		return (x + 0.5) / r.Scale
	case CropAndResize:
		if r.Out <= 1 {
			return float32(float32(0.5*(r.Start+r.End)) * (in - 1))
		}
		return float32(r.Start*(in-1)) + float32(x*float32((r.End-r.Start)*(in-1)))/(out-1)
	case HalfPixelSymmetric:
		adjustment := out / float32(r.Scale*in)
		return float32(in/2*(1-adjustment)) + (x+0.5)/r.Scale - 0.5
	}
	return (x+0.5)/r.Scale - 0.5
}

// NewAxis makes the table of r. In and Out are at least 1 and Scale is positive. The table has about Out * reach / Scale
// entries with Antialias on a shrinking axis, else Out * reach; callers bound it by bounding In and Out, of which Scale is the
// quotient. A position that is no number or beyond 2^30 counts as 0.
func NewAxis(r Resizing) *Axis {
	a := &Axis{In: r.In, Out: r.Out}
	first, taps := 0, 1
	stretch := float64(min(r.Scale, 1))
	if !r.Antialias {
		stretch = 1
	}
	switch reach := 1.0; r.Filter {
	case Cubic:
		reach = 2
		fallthrough
	case Linear:
		first = int(math.Floor(-reach/stretch)) + 1
		taps = 2 - 2*first
	}
	a.Taps = taps
	a.at, a.weight = make([]int32, r.Out*taps), make([]float32, r.Out*taps)
	for o := range r.Out {
		x := r.position(o)
		if r.How == CropAndResize && !(x >= 0 && x <= float32(r.In-1)) {
			if a.outside == nil {
				a.outside = make([]bool, r.Out)
			}
			a.outside[o] = true
			x = 0
		}
		if !(math.Abs(float64(x)) < 1<<30) {
			x = 0
		}
		if r.Filter == Nearest {
			a.at[o], a.weight[o] = int32(min(max(r.nearest(x), 0), r.In-1)), 1
			continue
		}
		r.fill(a.at[o*taps:][:taps], a.weight[o*taps:][:taps], float64(x), first, stretch)
	}
	return a
}

// nearest is the element for coordinate x, which may lie outside.
func (r *Resizing) nearest(x float32) int {
	v := float64(x)
	f := math.Floor(v)
	switch {
	case r.Round == Floor:
		return int(f)
	case r.Round == Ceil:
		return int(math.Ceil(v))
	case v-f > 0.5 || r.Round == PreferCeil && v-f == 0.5:
		return int(f) + 1
	}
	return int(f)
}

// fill sets the taps around x: their places, moved inside, and their weights, which add up to 1.
func (r *Resizing) fill(at []int32, weight []float32, x float64, first int, stretch float64) {
	base := math.Floor(x)
	total := 0.0
	var w [64]float64
	raw := w[:0]
	for k := range at {
		i := int(base) + first + k
		v := r.curve(math.Abs(float64((float64(first+k) - (x - base)) * stretch)))
		if r.Exclude && (i < 0 || i >= r.In) {
			v = 0
		}
		raw = append(raw, v)
		total += v
		at[k] = int32(min(max(i, 0), r.In-1))
	}
	for k, v := range raw {
		weight[k] = float32(v / total)
	}
}

// curve is the filter at distance d.
func (r *Resizing) curve(d float64) float64 {
	if r.Filter == Linear {
		return max(1-d, 0)
	}
	return cubic(d, float64(r.A))
}

// cubic is the convolution kernel of cubic interpolation with coefficient a at distance d.
func cubic(d, a float64) float64 {
	switch {
	case d <= 1:
		return float64(float64(float64((a+2)*d)-(a+3))*float64(d*d)) + 1
	case d < 2:
		return float64(float64(float64(float64(float64(a*d)-float64(5*a))*d)+float64(8*a))*d) - float64(4*a)
	}
	return 0
}

// Same reports whether the axis leaves every element in its place: Run would copy.
func (a *Axis) Same() bool {
	if a.In != a.Out || a.outside != nil {
		return false
	}
	for o := range a.Out {
		for k := range a.Taps {
			w := a.weight[o*a.Taps+k]
			if w != 0 && (w != 1 || int(a.at[o*a.Taps+k]) != o) {
				return false
			}
		}
	}
	return true
}

// Run resizes the middle axis of src [outer][In][inner] into dst [outer][Out][inner]. Taps of weight 0 are not read, so that an
// infinity beside a position that lies on an element does not make it NaN. What lies outside the data of CropAndResize is
// element 0 meanwhile: see Fill.
func (a *Axis) Run(dst, src []float32, outer, inner int) {
	if inner == 1 {
		for o := range outer {
			a.line(dst[o*a.Out:][:a.Out], src[o*a.In:][:a.In])
		}
		return
	}
	room := rooms.Get().(*[wide]float32)
	defer rooms.Put(room)
	for o := range outer * a.Out {
		to := dst[o*inner : (o+1)*inner]
		in := src[o/a.Out*a.In*inner:][:a.In*inner]
		at, weight := a.at[o%a.Out*a.Taps:][:a.Taps], a.weight[o%a.Out*a.Taps:][:a.Taps]
		for first := 0; first < inner; first += wide {
			k := min(wide, inner-first)
			join(to[first:][:k], in[first:], room[:k], at, weight, inner)
		}
	}
}

// wide is how many elements of a row are joined at a time, so that they stay in the nearest cache while taps are added.
const wide = 1024

// rooms are lent to Run for products.
var rooms = sync.Pool{New: func() any { return new([wide]float32) }}

// join writes the sum of rows of in, step apart, times their weights: each product rounded, then added. t has the length of to.
func join(to, in, t []float32, at []int32, weight []float32, step int) {
	started := false
	for k, w := range weight {
		if w == 0 {
			continue
		}
		row := in[int(at[k])*step:][:len(to)]
		if !started {
			elementwise.Number(elementwise.Mul, to, row, w)
			started = true
			continue
		}
		elementwise.Number(elementwise.Mul, t, row, w)
		elementwise.Row(elementwise.Add, to, to, t)
	}
	if !started {
		clear(to)
	}
}

// line resizes one row whose elements are the axis.
func (a *Axis) line(to, row []float32) {
	if a.Taps == 2 {
		for o := range to {
			w, at := a.weight[2*o:][:2], a.at[2*o:][:2]
			v := float32(0)
			if w[0] != 0 {
				v = float32(row[at[0]] * w[0])
				if w[1] != 0 {
					v += float32(row[at[1]] * w[1])
				}
			} else if w[1] != 0 {
				v = float32(row[at[1]] * w[1])
			}
			to[o] = numeric.Canon(v)
		}
		return
	}
	for o := range to {
		at := a.at[o*a.Taps:][:a.Taps]
		v, started := float32(0), false
		for k, w := range a.weight[o*a.Taps:][:len(at)] {
			switch {
			case w == 0:
			case started:
				v += float32(row[at[k]] * w)
			default:
				v, started = float32(row[at[k]]*w), true
			}
		}
		to[o] = numeric.Canon(v)
	}
}

// Move is Run for Nearest, and for no other filter, with elements of size bytes: bits are copied, a NaN keeps its pattern.
func (a *Axis) Move(dst, src []byte, outer, inner, size int) {
	switch run := inner * size; run {
	case 1:
		pick(a, dst, src, outer)
	case 4:
		pick(a, elements[uint32](dst), elements[uint32](src), outer)
	default:
		for o := range outer * a.Out {
			copy(dst[o*run:(o+1)*run], src[(o/a.Out*a.In+int(a.at[o%a.Out]))*run:])
		}
	}
}

// pick is Move of rows whose elements are the axis.
func pick[T any](a *Axis, dst, src []T, outer int) {
	for o := range outer {
		row, to := src[o*a.In:][:a.In], dst[o*a.Out:][:a.Out]
		for i, at := range a.at[:len(to)] {
			to[i] = row[at]
		}
	}
}

// elements reads b as elements of type T, which holds no pointers and may lie anywhere.
func elements[T any](b []byte) []T {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(*new(T))))
}

// Fill writes unit, the bytes of one element, over every element of dst [outer][Out][inner] whose position lies outside the
// data. Only CropAndResize has such positions.
func (a *Axis) Fill(dst, unit []byte, outer, inner int) {
	if a.outside == nil {
		return
	}
	run := inner * len(unit)
	for o := range outer * a.Out {
		if !a.outside[o%a.Out] {
			continue
		}
		for at := o * run; at < (o+1)*run; at += len(unit) {
			copy(dst[at:], unit)
		}
	}
}
