package guard

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSliceHoldsItsElements(t *testing.T) {
	for _, n := range []int{0, 1, 7, 1024, 5000} {
		s := Slice[float32](t, n)
		require.Len(t, s, n)
		for i := range s {
			s[i] = float32(i)
		}
	}
	require.Equal(t, []int8{1, 2, 3}, Copy(t, []int8{1, 2, 3}))
}
