package op

import (
	"fmt"
	"math"

	"assay/shared/tensor"
)

// maxRange bounds what a Range node may make: it is evaluated while shapes are inferred.
const maxRange = 1 << 24

// inferRange evaluates Range, whose length depends on its values: max(ceil((limit - start) / delta), 0) elements
// start + i*delta, the product rounded before the sum. The elements are the result, so nothing is left for a kernel: a
// Range whose limits come from data is *Unknown and runs in the engine between programs.
func inferRange(x *Infer) error {
	if err := x.alike(1, 2); err != nil {
		return err
	}
	for i := range x.In {
		if x.In[i].Value == nil {
			return &Unknown{Input: i}
		}
		if tensor.Count(x.In[i].Shape) != 1 {
			return fmt.Errorf("input %d has shape %v, a single value is required", i, x.In[i].Shape)
		}
	}
	t, err := rangeTensor(x.In[0].Value, x.In[1].Value, x.In[2].Value)
	if err != nil {
		return err
	}
	x.put(0, t.DType, t.Shape...)
	x.value(0, t)
	return nil
}

// The type is start's; alike has checked the others.
func rangeTensor(start, limit, delta *tensor.Tensor) (*tensor.Tensor, error) {
	switch d := start.DType; d {
	case tensor.Float32:
		return rangeFloat[float32](d, start, limit, delta)
	case tensor.Float64:
		return rangeFloat[float64](d, start, limit, delta)
	case tensor.Float16, tensor.BFloat16:
		return rangeHalf(d, start, limit, delta)
	case tensor.Int16, tensor.Int32, tensor.Int64:
		return rangeInt(d, start, limit, delta)
	default:
		return nil, fmt.Errorf("element type %s is not supported", d)
	}
}

// rangeHalf computes in float32 and rounds each element once.
func rangeHalf(d tensor.DType, parts ...*tensor.Tensor) (*tensor.Tensor, error) {
	var wide [3]*tensor.Tensor
	for i, t := range parts {
		var err error
		if wide[i], err = convert(t, tensor.Float32); err != nil {
			return nil, err
		}
	}
	t, err := rangeFloat[float32](tensor.Float32, wide[0], wide[1], wide[2])
	if err != nil {
		return nil, err
	}
	return convert(t, d)
}

// The length is computed in float64 from a difference in T, as ONNX's ceil((limit - start) / delta) has it; the
// comparison is written so that NaN is refused.
func rangeFloat[T float32 | float64](d tensor.DType, start, limit, delta *tensor.Tensor) (*tensor.Tensor, error) {
	s, e, step := tensor.View[T](start)[0], tensor.View[T](limit)[0], tensor.View[T](delta)[0]
	if step == 0 {
		return nil, fmt.Errorf("a range from %v to %v has a step of 0", s, e)
	}
	n := math.Ceil(float64(e-s) / float64(step))
	if !(n < maxRange) {
		return nil, fmt.Errorf("a range from %v to %v by %v is too long", s, e, step)
	}
	t := tensor.New(d, max(int(n), 0))
	for i, v := 0, tensor.View[T](t); i < len(v); i++ {
		v[i] = s + T(T(i)*step)
	}
	return t, nil
}

// The products cannot overflow although step may be huge: every element lies between start and limit.
func rangeInt(d tensor.DType, start, limit, delta *tensor.Tensor) (*tensor.Tensor, error) {
	var v [3]int64
	for i, t := range []*tensor.Tensor{start, limit, delta} {
		w, err := t.Ints()
		if err != nil {
			return nil, err
		}
		v[i] = w[0]
	}
	s, e, step := v[0], v[1], v[2]
	n, err := rangeLength(s, e, step)
	if err != nil {
		return nil, err
	}
	out := make([]int64, n)
	for i := range out {
		out[i] = s + int64(i)*step
	}
	t := tensor.Of(tensor.Int64, []int{len(out)}, out)
	return convert(t, d)
}

// rangeLength is how many numbers s, s+step ... lie before e. Distances are unsigned: between two int64 they need all
// 64 bits. Two's complement makes uint64(e)-uint64(s) the distance for either sign; a negative step negates both.
func rangeLength(s, e, step int64) (uint64, error) {
	distance, stride := uint64(e)-uint64(s), uint64(step)
	if step < 0 {
		distance, stride = -distance, -stride
	}
	switch {
	case step == 0:
		return 0, fmt.Errorf("a range from %d to %d has a step of 0", s, e)
	case step > 0 && s >= e || step < 0 && s <= e:
		return 0, nil
	}
	n := (distance-1)/stride + 1
	if n > maxRange {
		return 0, fmt.Errorf("a range from %d to %d by %d is too long", s, e, step)
	}
	return n, nil
}
