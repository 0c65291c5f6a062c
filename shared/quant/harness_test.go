package quant

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/op"
	"assay/shared/pass"
	"assay/shared/tensor"
)

// run evaluates every node of m's graph and returns all values.
func run(t testing.TB, m *graph.Model, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	env := map[string]*tensor.Tensor{}
	for k, v := range m.Graph.Consts {
		env[k] = v
	}
	for k, v := range in {
		env[k] = v
	}
	for _, n := range m.Graph.Nodes {
		args := make([]*tensor.Tensor, len(n.Inputs))
		for i, name := range n.Inputs {
			args[i] = env[name]
		}
		out, err := op.Eval(n, args)
		require.NoError(t, err, "node %q", n.Name)
		for i, name := range n.Outputs {
			env[name] = out[i]
		}
	}
	return env
}

// noise makes count samples for the inputs of m, open axes 1, values around zero that follow from the seed.
func noise(m *graph.Model, count int, shapes map[string][]int) []map[string]*tensor.Tensor {
	r := rand.New(rand.NewPCG(7, 8))
	var out []map[string]*tensor.Tensor
	for range count {
		in := map[string]*tensor.Tensor{}
		for _, p := range m.Graph.Inputs {
			shape := shapes[p.Name]
			if shape == nil {
				for _, d := range p.Type.Shape {
					shape = append(shape, max(1, d.N))
				}
			}
			if p.Type.DType != tensor.Float32 {
				in[p.Name] = tensor.New(p.Type.DType, shape...)
				continue
			}
			x := tensor.New(tensor.Float32, shape...)
			for i := range x.F32() {
				x.F32()[i] = float32(r.NormFloat64())
			}
			in[p.Name] = x
		}
		out = append(out, in)
	}
	return out
}

// statistics runs the float model on samples.
func statistics(t testing.TB, m *graph.Model, cfg Config, samples []map[string]*tensor.Tensor) *Stats {
	taps, err := Taps(m, cfg)
	require.NoError(t, err)
	var records [][]byte
	for _, in := range samples {
		rec, err := Record(taps, run(t, m, in))
		require.NoError(t, err)
		records = append(records, rec)
	}
	st, err := NewStats(taps, records, nil)
	require.NoError(t, err)
	return st
}

// moduleRoot is the directory of go.mod.
func moduleRoot(t testing.TB) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the test")
		dir = filepath.Dir(dir)
	}
}

// asset is a file of the shared assets; the test is skipped where they are absent.
func asset(t testing.TB, name string) string {
	path := filepath.Join(moduleRoot(t), "..", "shared", "assets", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return path
}

// python runs testdata/name with ASSAY_PYTHON and returns its output; the test is skipped where that is not set.
func python(t testing.TB, name string, args ...string) string {
	interpreter := os.Getenv("ASSAY_PYTHON")
	if interpreter == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	cmd := exec.Command(interpreter, append([]string{filepath.Join("testdata", name)}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s", name, out)
	return string(out)
}

// normalized reads a model as a run does.
func normalized(t testing.TB, path string) *graph.Model {
	m, err := onnx.Read(path)
	require.NoError(t, err)
	require.NoError(t, pass.Normalize(m))
	return m
}
