package op_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/onnx"
	"assay/shared/onnx/suite"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestCornersOfFractionalScales recomputes the two cases of the suite that are left out for their corners, from the formula alone and in
// float64: with the length scale*in, a fraction, it gives the suite's files; with the length of the output it gives what we and ONNX
// Runtime compute, and the last corner is the last corner.
func TestCornersOfFractionalScales(t *testing.T) {
	for name, weights := range map[string]func(f float64) []float64{"linear": linearWeights, "cubic": cubicWeights} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(assets(t), "onnx-conformance", "node", "test_resize_downsample_scales_"+name+"_align_corners")
			m, err := onnx.Read(filepath.Join(dir, "model.onnx"))
			require.NoError(t, err)
			in := map[string]*tensor.Tensor{}
			for i, file := range []string{"input_0.pb", "input_1.pb"} {
				in[m.Graph.Inputs[i].Name], err = suite.ReadTensor(filepath.Join(dir, "test_data_set_0", file))
				require.NoError(t, err)
			}
			want, err := suite.ReadTensor(filepath.Join(dir, "test_data_set_0", "output_0.pb"))
			require.NoError(t, err)
			env, err := op.EvalGraph(context.Background(), m.Graph, in)
			require.NoError(t, err)
			x, got := in[m.Graph.Inputs[0].Name], env[m.Graph.Outputs[0].Name]
			scale := float64(in[m.Graph.Inputs[1].Name].F32()[3])
			rows, columns := x.Shape[2], x.Shape[3]
			for i := range got.F32() {
				r, c := i/got.Shape[3], i%got.Shape[3]
				resized := func(lengthR, lengthC float64) float64 {
					return interpolated(x.F32(), rows, columns, corner(r, rows, lengthR), corner(c, columns, lengthC), weights)
				}
				require.InDelta(t, resized(scale*float64(rows), scale*float64(columns)), want.F32()[i], 1e-4, "the suite's %d", i)
				require.InDelta(t, resized(float64(got.Shape[2]), float64(got.Shape[3])), got.F32()[i], 1e-4, "ours %d", i)
			}
			last := got.Shape[3] - 1
			require.Equal(t, x.F32()[columns-1], got.F32()[last], "the corner")
			require.NotEqual(t, x.F32()[columns-1], want.F32()[last])
		})
	}
}

// corner is x*(length_original-1)/(length_resized-1), 0 where there is one element only.
func corner(x, original int, resized float64) float64 {
	if x == 0 {
		return 0
	}
	return float64(float64(x)*float64(original-1)) / (resized - 1)
}

// interpolated is the value at a position, axis by axis; elements beyond an edge are the edge's.
func interpolated(v []float32, rows, columns int, r, c float64, weights func(f float64) []float64) (sum float64) {
	byRow, byColumn := weights(r-math.Floor(r)), weights(c-math.Floor(c))
	first := 1 - len(byRow)/2
	for i, wr := range byRow {
		for j, wc := range byColumn {
			y := min(max(int(math.Floor(r))+first+i, 0), rows-1)
			x := min(max(int(math.Floor(c))+first+j, 0), columns-1)
			sum += float64(float64(wr*wc) * float64(v[y*columns+x]))
		}
	}
	return sum
}

func linearWeights(f float64) []float64 { return []float64{1 - f, f} }

// cubicWeights are those of the cubic convolution with a = -0.75, for the elements at distances 1+f, f, 1-f and 2-f.
func cubicWeights(f float64) []float64 {
	const a = -0.75
	near := func(d float64) float64 { return float64((a+2)*d*d*d) - float64((a+3)*d*d) + 1 }
	far := func(d float64) float64 {
		return float64(a*d*d*d) - float64(5*a*d*d) + float64(8*a*d) - 4*a
	}
	return []float64{far(1 + f), near(f), near(1 - f), far(2 - f)}
}
