package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestCheckType: only containers hold something, a sequence holds tensors, an optional no optional, and none of them has axes.
func TestCheckType(t *testing.T) {
	f32 := FixedType(tensor.Float32, 2, 3)
	list := Of(tensor.Sequence, f32)
	for _, c := range []struct {
		name string
		t    Type
		want string
	}{
		{"a tensor", f32, ""},
		{"nothing known", Type{}, ""},
		{"a sequence", list, ""},
		{"a sequence of what nobody knows", Type{DType: tensor.Sequence}, ""},
		{"an optional sequence", Of(tensor.Optional, list), ""},
		{"an optional tensor", Of(tensor.Optional, f32), ""},
		{"an optional of a sequence of what nobody knows", Of(tensor.Optional, Type{DType: tensor.Sequence}), ""},
		{"a tensor that holds values", Type{DType: tensor.Float32, Elem: &f32}, "is no container, but holds values"},
		{"a sequence with axes", Type{DType: tensor.Sequence, Ranked: true}, "has axes"},
		{"a sequence with a shape", Type{DType: tensor.Sequence, Shape: []Dim{{N: 1}}}, "has axes"},
		{"a sequence of sequences", Of(tensor.Sequence, list), "deeper than"},
		{"a sequence of optionals", Of(tensor.Sequence, Of(tensor.Optional, f32)), "deeper than"},
		{"an optional of optionals", Of(tensor.Optional, Of(tensor.Optional, f32)), "deeper than"},
		{"an optional sequence of sequences", Type{DType: tensor.Optional, Elem: &Type{DType: tensor.Sequence, Elem: &list}}, "deeper than"},
		{"an optional sequence of what is no tensor type", Type{DType: tensor.Optional, Elem: &Type{DType: tensor.Float32, Elem: &f32}}, "is no container"},
	} {
		err := checkType(c.t)
		if c.want == "" {
			require.NoError(t, err, c.name)
			continue
		}
		require.ErrorContains(t, err, c.want, c.name)
	}
}
