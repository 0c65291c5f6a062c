package op

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestStashTypes: a first stage in float32 is what all data get; a half type gets the same bits, what needs another is refused.
func TestStashTypes(t *testing.T) {
	for _, op := range []string{"y = LayerNormalization(x, s)", "y, m = LayerNormalization(x, s)", `y, "", d = LayerNormalization(x, s)`, "y = RMSNormalization(x, s)", "y = GroupNormalization(x, s, s)"} {
		for _, data := range []tensor.DType{tensor.Float32, tensor.Float16, tensor.BFloat16, tensor.Float64} {
			var want *tensor.Tensor
			for _, stash := range []int64{1, 10, 16, 0, 11, 7, 257, -1} {
				m, err := graph.Parse(fmt.Sprintf("%s {stash_type=%d, %s}\n", op, stash, map[bool]string{true: "num_groups=1", false: "axis=-1"}[op[4] == 'G']))
				require.NoError(t, err)
				n := m.Graph.Nodes[0]
				x := tensor.Of(tensor.Float32, []int{1, 3, 3}, []float32{1, 2, 4, -3, 0.5, 7, 9, -1, 0})
				s := tensor.Of(tensor.Float32, []int{3}, []float32{1, 0.3, -2})
				in := []*tensor.Tensor{x, s, s}[:len(n.Inputs)]
				for i := range in {
					in[i], err = convert(in[i], data)
					require.NoError(t, err)
				}
				out, err := Eval(n, in)
				name := fmt.Sprintf("%s of %s, stash_type %d", op, data, stash)
				half := stash == int64(tensor.Float16) || stash == int64(tensor.BFloat16)
				switch {
				case data == tensor.Float64:
					require.ErrorContains(t, err, "element type float64 is not supported", name)
				case stash != 1 && !half:
					require.ErrorContains(t, err, "the first stage is computed in float32 (1)", name)
				case half && len(n.Outputs) > 1:
					require.ErrorContains(t, err, "statistics are float32 (1)", name)
				default:
					require.NoError(t, err, name)
					if want == nil {
						want = out[0]
					}
					require.Equal(t, want, out[0], name)
				}
			}
		}
	}
}

// TestHalvesAreRoundedOnce: normalised data of a half type is that of float32, rounded as it is stored and nowhere before.
func TestHalvesAreRoundedOnce(t *testing.T) {
	x, s := rampOf(4, 9), rampOf(9)
	for _, d := range halfTypes {
		for _, op := range []string{"LayerNormalization", "RMSNormalization"} {
			n := &graph.Node{Op: op, Inputs: []string{"x", "s"}, Outputs: []string{"y"}}
			var half, wide []*tensor.Tensor
			for _, v := range []*tensor.Tensor{x, s} {
				h, err := convert(v, d)
				require.NoError(t, err)
				w, err := convert(h, tensor.Float32)
				require.NoError(t, err)
				half, wide = append(half, h), append(wide, w)
			}
			got, err := Eval(n, half)
			require.NoError(t, err)
			exact, err := Eval(n, wide)
			require.NoError(t, err)
			want, err := convert(exact[0], d)
			require.NoError(t, err)
			require.Equal(t, want, got[0], "%s of %s", op, d)
		}
	}
}
