package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
	"assay/shared/onnx"
	"assay/shared/tensor"
)

// TestPerTensorJob: weights.granularity pertensor gives every weight and bias of the written file one scale, without an axis;
// the file still computes what was measured, and is another one than the default's.
func TestPerTensorJob(t *testing.T) {
	w := newWorld(t)
	written := map[string][]byte{}
	for _, granularity := range []string{"perchannel", "pertensor"} {
		b, err := json.Marshal(map[string]any{
			"model":  map[string]any{"model": w.path("model.onnx")},
			"engine": map[string]any{"data_source": w.path("images"), "labels": w.path("labels.txt"), "like": "unit"},
			"compression": map[string]any{"algorithms": []any{map[string]any{"name": "DefaultQuantization", "params": map[string]any{
				"weights": map[string]any{"granularity": granularity},
			}}}},
			"run": map[string]any{"output_dir": w.path(granularity), "state_dir": w.path("state")},
		})
		require.NoError(t, err)
		w.write("job.json", b)
		code, _, stderr := w.execute(t.Context(), "run", w.path("job.json"))
		require.Equal(t, exitMet, code, stderr)
		r, err := report.Parse(w.read(granularity + "/report.json"))
		require.NoError(t, err)
		require.True(t, r.Decisions.Output.Verified)
		require.InDelta(t, 1, r.Decisions.MACShare, 1e-9)
		written[granularity] = w.read(granularity + "/model_int8.onnx")
		m, err := onnx.Read(w.path(granularity + "/model_int8.onnx"))
		require.NoError(t, err)
		weights := 0
		for _, n := range m.Graph.Nodes {
			q := m.Graph.Consts[n.Input(0)]
			if n.Op != "DequantizeLinear" || q == nil {
				continue
			}
			weights++
			channels := 1
			if granularity == "perchannel" {
				channels = 4
			}
			require.Equal(t, channels, m.Graph.Consts[n.Input(1)].Len(), "%s of %s", n.Name, q.DType)
			require.Equal(t, channels > 1, n.Attr("axis") != nil, n.Name)
			require.Contains(t, []tensor.DType{tensor.Int8, tensor.Int32}, q.DType)
		}
		require.Equal(t, 2, weights)
	}
	require.NotEqual(t, written["perchannel"], written["pertensor"])
}
