package op_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/onnx/suite"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestValues evaluates the graphs of testdata/values, which hold all their data, and prints their outputs: numbers of every
// operator family that need no other file. `eval` upgrades and evaluates; what the shape rule says of each output is what
// the run gives. `refuse` is `eval` whose result is one error. TestValuesAgreeWithOracle keeps the numbers honest.
func TestValues(t *testing.T) {
	datadriven.Walk(t, "testdata/values", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			m, err := graph.Parse(d.Input)
			require.NoError(t, err, d.Pos)
			out, err := values(m)
			if d.Cmd == "refuse" {
				require.Error(t, err, d.Pos)
				return err.Error()
			}
			require.NoError(t, err, d.Pos)
			return out
		})
	})
}

// values computes the outputs of a graph without inputs, one line each.
func values(m *graph.Model) (string, error) {
	if err := op.UpgradeModel(m); err != nil {
		return "", err
	}
	if err := graph.Validate(m); err != nil {
		return "", err
	}
	info, err := op.InferShapes(m.Graph, nil)
	if err != nil {
		return "", err
	}
	env, err := evaluate(m.Graph, nil)
	if err != nil {
		return "", err
	}
	out := &graph.Graph{Consts: map[string]*tensor.Tensor{}}
	for _, p := range m.Graph.Outputs {
		v := env[p.Name]
		if i, ok := info[p.Name]; ok && (i.DType != v.DType || fmt.Sprint(i.Shape) != fmt.Sprint(v.Shape)) {
			return "", fmt.Errorf("output %q: the shape rule says %s%v, the run gives %s%v", p.Name, i.DType, i.Shape, v.DType, v.Shape)
		}
		out.Consts[p.Name] = v
	}
	return graph.PrintGraph(out), nil
}

// TestValuesAgreeWithOracle gives every graph of `eval` in its own spelling, before any upgrade, to ONNX Runtime, or to the
// reference of package onnx where the runtime has not the operator: integers are equal, floats within 1e-5.
func TestValuesAgreeWithOracle(t *testing.T) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	dir := t.TempDir()
	type asked struct {
		pos string
		m   *graph.Model
	}
	var cases []asked
	datadriven.Walk(t, "testdata/values", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "eval" || d.HasArg("ours") {
				return d.Expected
			}
			m, err := graph.Parse(d.Input)
			require.NoError(t, err, d.Pos)
			b, err := onnx.Encode(m)
			require.NoError(t, err, d.Pos)
			require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.onnx", len(cases))), b, 0o644))
			cases = append(cases, asked{d.Pos, m})
			return d.Expected
		})
	})
	out, err := exec.Command(python, "testdata/values.py", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for i, c := range cases {
		said, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.txt", i)))
		require.NoError(t, err, c.pos)
		if !strings.HasPrefix(string(said), "ok") {
			t.Errorf("%s: no oracle computes it: %s", c.pos, said)
			continue
		}
		require.NoError(t, op.UpgradeModel(c.m), c.pos)
		env, err := evaluate(c.m.Graph, nil)
		require.NoError(t, err, c.pos)
		for k, p := range c.m.Graph.Outputs {
			want, err := suite.ReadTensor(filepath.Join(dir, fmt.Sprintf("%d_%d.pb", i, k)))
			require.NoError(t, err, c.pos)
			if err := (tolerance{1e-5, 0x1p-7, 1e-6}).check(want, env[p.Name]); err != nil {
				t.Errorf("%s: output %q, by %s: %v", c.pos, p.Name, strings.TrimSpace(string(said)), err)
			}
		}
	}
}
