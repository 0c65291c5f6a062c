package op_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"assay/shared/tensor"
)

// tolerance allows |got - want| <= absolute + relative*|want|, for numbers of every type.
type tolerance struct{ relative, bfloat, absolute float64 }

// suiteTolerance are the suite's own tolerances; bfloat16 may be two of its steps away.
var suiteTolerance = tolerance{1e-3, 0x1p-6, 1e-7}

// check compares as the suite does: equal types and shapes, numbers within the tolerances, NaN equal to NaN.
func (tol tolerance) check(want, got *tensor.Tensor) error {
	if got == nil {
		return fmt.Errorf("is not computed")
	}
	if want.DType != got.DType || !slices.Equal(want.Shape, got.Shape) {
		return fmt.Errorf("is %s%v, want %s%v", got.DType, got.Shape, want.DType, want.Shape)
	}
	if want.DType.Container() {
		return tol.checkItems(want, got)
	}
	if bytes.Equal(want.Data, got.Data) {
		return nil
	}
	w, g := numbers(want), numbers(got)
	if w == nil {
		return fmt.Errorf("differs, and %s has no tolerance", want.DType)
	}
	rtol := tol.relative
	if want.DType == tensor.BFloat16 {
		rtol = tol.bfloat
	}
	for i := range w {
		if w[i] == g[i] || math.IsNaN(w[i]) && math.IsNaN(g[i]) {
			continue
		}
		if !(math.Abs(g[i]-w[i]) <= tol.absolute+rtol*math.Abs(w[i])) {
			return fmt.Errorf("element %d is %v, want %v", i, g[i], w[i])
		}
	}
	return nil
}

// checkItems compares two containers item by item; an element type that the case leaves open may be any.
func (tol tolerance) checkItems(want, got *tensor.Tensor) error {
	if err := got.Check(); err != nil {
		return err
	}
	if len(want.Items) != len(got.Items) || want.Elem != tensor.Invalid && want.Elem != got.Elem {
		return fmt.Errorf("holds %d items of %s, want %d of %s", len(got.Items), got.Elem, len(want.Items), want.Elem)
	}
	for i := range want.Items {
		if err := tol.check(want.Items[i], got.Items[i]); err != nil {
			return fmt.Errorf("item %d %w", i, err)
		}
	}
	return nil
}

// numbers widens the elements, nil for types that are no numbers.
func numbers(t *tensor.Tensor) []float64 {
	switch t.DType {
	case tensor.Float64:
		return tensor.View[float64](t)
	case tensor.Complex64, tensor.Complex128, tensor.String:
		return nil
	}
	if f, err := t.Floats(); err == nil {
		return widened(f)
	}
	if v, err := t.Ints(); err == nil {
		return widened(v)
	}
	return nil
}

func widened[T float32 | int64](v []T) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
