package engine_test

import (
	"context"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/tensor"
)

// TestRevertedLayersRunInFloat gives plans of a chain to ONNX Runtime and demands the same operators: a convolution on
// float weights for every reverted layer, integers for all others. All-INT8 outputs are equal; behind a float layer the
// runtime sums in another order, so levels may move.
func TestRevertedLayersRunInFloat(t *testing.T) {
	for _, float := range []uint64{0, 1, 1 << 5, 0b1010_0000_0110, 1<<12 - 1} {
		t.Run(fmt.Sprintf("%b", float), func(t *testing.T) {
			c := chain{layers: 12, size: 14, channels: 16, float: float}
			m := c.model()
			m.IRVersion = 10
			m.Graph.Outputs[0].Type = graph.Type{DType: tensor.Float32}
			b, err := onnx.Encode(m)
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), "chain.onnx")
			require.NoError(t, os.WriteFile(path, b, 0o600))
			want := runtimeOutputs(t, path, "2x16x14x14", 2)
			read, err := onnx.Read(path)
			require.NoError(t, err)
			p, err := engine.New(engine.Options{}).Compile(read, nil)
			require.NoError(t, err)
			ops := p.Operators()
			reverted := bits.OnesCount64(float)
			require.Equal(t, reverted, ops["FusedConv"]+ops["Conv"])
			require.Equal(t, c.layers-reverted, ops["QLinearConv"])
			for _, name := range []string{"FusedConv", "Conv", "QLinearConv", "QLinearAdd", "QLinearGlobalAveragePool", "QGemm", "Cast"} {
				require.Equal(t, want.operators[name], ops[name], name)
			}
			got, err := p.Run(context.Background(), want.in, [32]byte{})
			require.NoError(t, err)
			if float == 0 {
				require.Equal(t, want.out["y"].Data, got["y"].Data)
			} else {
				near(t, "y", got["y"], want.out["y"], 0.1)
			}
		})
	}
}

// TestTiersAgree compares every tier of this machine with the plain one, over plans with INT8 and float layers.
func TestTiersAgree(t *testing.T) {
	for _, float := range []uint64{0, 0b0110_0010, 255} {
		c := chain{layers: 8, size: 11, channels: 19, float: float}
		var plain map[string]*tensor.Tensor
		for _, level := range tier.Supported() {
			undo := tier.Force(level)
			p, err := engine.New(engine.Options{}).Compile(c.model(), nil)
			require.NoError(t, err)
			out, err := p.Run(context.Background(), c.images(3, 2), [32]byte{})
			undo()
			require.NoError(t, err)
			if plain == nil {
				plain = out
			}
			require.Equal(t, plain, out, "%s, plan %b", level, float)
		}
	}
}
