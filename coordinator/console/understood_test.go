package console

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/run"
	"assay/shared/config"
	"assay/shared/quant"
)

// TestUnderstood: keys in columns with a gap between sections, then what model and data hold.
func TestUnderstood(t *testing.T) {
	var b strings.Builder
	u := &run.Understood{
		Opset: 13, Nodes: 1200, Inputs: []string{"x: float32[n,3,224,224]", "m: int64[n]"}, Outputs: []string{"y: float32[n,10]"}, Measured: "y",
		Operations: 30, Groups: 1, AlwaysFloat: make([]quant.Reason, 12), Search: 1000, Calibration: 250, Labelled: true, Pictures: true,
		Preprocessing: "--scale 255", Notes: []string{"one file is left out"}, Least: 3250, Ranking: 300, Revert: 1000,
	}
	u.AlwaysFloat[0] = quant.Reason{Node: "a", Op: "MatMul", Why: "both operands are computed"}
	require.NoError(t, Understood(&b, []config.Setting{
		{Key: "model.model", Value: "net.onnx", From: "job.json:3"}, {Key: "engine.data_source", Value: "images", From: "--data"},
		{Key: "…params.maximal_drop", Value: "0.01", From: "default"},
	}, u))
	reasons := strings.Repeat("               (): \n", 9)
	require.Equal(t, `model.model           job.json:3  net.onnx

engine.data_source    --data      images

…params.maximal_drop  default     0.01

model         1,200 operations, opset 13
inputs        x: float32[n,3,224,224]
              m: int64[n]
outputs       y: float32[n,10]
measured      y
can be INT8   30 operations in 1 group
stay float    a (MatMul): both operands are computed
`+reasons+`              and 2 more
samples       1,000 to measure on, 250 to calibrate on; labelled
pictures      --scale 255
note          one file is left out
inferences    3,250 if everything in INT8 keeps the limit
              300 more for a ranking of all groups, and up to 1,000 for every group that is tried in float
`, b.String())

	b.Reset()
	require.NoError(t, Understood(&b, nil, &run.Understood{Pictures: true, Unknown: true}))
	require.Contains(t, b.String(), "not given (--like")
	require.Contains(t, b.String(), "without labels")
	require.NotContains(t, b.String(), "ranking")
	b.Reset()
	require.NoError(t, Understood(&b, nil, &run.Understood{Pictures: true}))
	require.Contains(t, b.String(), "as they are")
}
