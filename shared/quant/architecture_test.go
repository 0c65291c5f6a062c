package quant

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
)

// TestArchitectures: well-known architectures with random weights become plans whose files pass ONNX's checker, load in ONNX
// Runtime at every optimisation level and in OpenVINO, and run there what the plan says: everything INT8, and every
// second group in float.
func TestArchitectures(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: large models")
	}
	interpreter := os.Getenv("ASSAY_PYTHON")
	if interpreter == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	script := filepath.Join(filepath.Dir(asset(t, "models")), "..", "peers", "make_arch.py")
	for name, shapes := range map[string]map[string][]int{
		"resnet50": {"input": {1, 3, 64, 64}}, "mobilenet_v1": {"input": {1, 3, 64, 64}}, "mobilenet_v2": {"input": {1, 3, 64, 64}},
		"efficientnet_b0": {"input": {1, 3, 64, 64}}, "yolo_nano": {"input": {1, 3, 64, 64}}, "vit_s16": {"input": {1, 3, 224, 224}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out, err := exec.CommandContext(t.Context(), interpreter, script, "--out", dir, "--only", name).CombinedOutput()
			require.NoError(t, err, "%s", out)
			path := filepath.Join(dir, name+".onnx")
			m := normalized(t, path)
			require.NoError(t, os.Remove(path))
			cfg := Config{InputShapes: shapes}
			p, _, err := Build(m, cfg, statistics(t, m, cfg, noise(m, 1, shapes)))
			require.NoError(t, err)
			groups, err := CountGroups(m, cfg)
			require.NoError(t, err)
			require.Len(t, p.Groups, groups, "placement knows before calibration")
			some := plan.All(p)
			for g := 0; g < len(p.Groups); g += 2 {
				some, err = some.Revert(g, len(p.Groups))
				require.NoError(t, err)
			}
			for file, pl := range map[string]plan.Plan{"all": plan.All(p), "some": some} {
				q, err := Apply(m, p, pl)
				require.NoError(t, err)
				store(t, dir, file, q)
			}
			require.Empty(t, python(t, "runtime.py", dir))
		})
	}
}
