package quant

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/plan"
)

// store writes a plan's graph with the list of operations that must run in integers.
func store(t *testing.T, dir, name string, q *graph.Model) {
	require.NoError(t, onnx.Write(filepath.Join(dir, name+".onnx"), q))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".txt"), []byte(strings.Join(IntegerOps(q), "\n")), 0o600))
}

// plans are everything INT8, every second group float, every second other one, and a sparse one.
func plans(t *testing.T, p *plan.Params) []plan.Plan {
	out := []plan.Plan{plan.All(p)}
	for _, float := range []func(g int) bool{
		func(g int) bool { return g%2 == 0 }, func(g int) bool { return g%2 == 1 }, func(g int) bool { return g%5 == 3 },
	} {
		pl := plan.All(p)
		for g := range p.Groups {
			if float(g) {
				var err error
				pl, err = pl.Revert(g, len(p.Groups))
				require.NoError(t, err)
			}
		}
		out = append(out, pl)
	}
	return out
}

// openShapes are shapes of one sample where a model leaves more than the batch open.
var openShapes = map[string]map[string][]int{
	"all-minilm-l6-v2": {"input_ids": {1, 6}, "attention_mask": {1, 6}, "token_type_ids": {1, 6}},
}

// TestRuntimesRunWhatThePlanSays: for every decision of a plan ONNX Runtime's optimised graph holds the integer
// operator where the operation is INT8, and the float one on the file's own weights where it is float; OpenVINO loads
// the same file and runs its layers in integers.
func TestRuntimesRunWhatThePlanSays(t *testing.T) {
	for _, name := range []string{
		"mnist-mlp-256x2", "mnist-cntk", "mlperf-tiny-ic-resnet8", "cifar10-cnn-medium", "cifar10-resnet20", "squeezenet1.1",
		"mobilenet_v1_0.25_224", "efficientnet-lite0", "cifar10-vit-3x3", "magika-v3_3", "all-minilm-l6-v2",
	} {
		for _, placement := range []Placement{Regions, POT} {
			t.Run(name+"/"+string(placement), func(t *testing.T) {
				t.Parallel() // the runtimes' own time is most of it
				m := normalized(t, asset(t, "models/"+name+".onnx"))
				shapes := openShapes[name]
				cfg := Config{Placement: placement, InputShapes: shapes}
				dir := t.TempDir()
				p, _, err := Build(m, cfg, statistics(t, m, cfg, noise(m, 1, shapes)))
				require.NoError(t, err)
				for i, pl := range plans(t, p) {
					q, err := Apply(m, p, pl)
					require.NoError(t, err)
					store(t, dir, fmt.Sprint(i), q)
				}
				require.Empty(t, python(t, "runtime.py", dir))
			})
		}
	}
}

// TestRuntimesAgreeOnTheScripts asks the same of every graph of the scripts for Apply, with scales per channel and per tensor.
func TestRuntimesAgreeOnTheScripts(t *testing.T) {
	dir := t.TempDir()
	i := 0
	datadriven.Walk(t, "testdata/apply", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			m := parse(t, d.Input)
			for _, granularity := range []string{PerChannel, PerTensor} {
				cfg := configOf(t, d)
				cfg.Weights.Granularity = granularity
				p, _, err := Build(m, cfg, statistics(t, m, cfg, noise(m, 2, nil)))
				require.NoError(t, err)
				all := plans(t, p)
				if granularity == PerTensor {
					all = all[:1]
				}
				for _, pl := range all {
					q, err := Apply(m, p, pl)
					require.NoError(t, err)
					store(t, dir, fmt.Sprintf("%03d", i), q)
					i++
				}
			}
			return d.Expected
		})
	})
	require.Empty(t, python(t, "runtime.py", dir))
}
