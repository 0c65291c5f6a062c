package fuse

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/op"
)

// TestTheRuntimeFusesTheSame gives each case to ONNX Runtime as well and compares the operators of the two graphs. Q and
// DQ are not compared: the runtime leaves pairs on graph outputs and constants as it likes.
func TestTheRuntimeFusesTheSame(t *testing.T) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	dir, ours := t.TempDir(), map[string][]string{}
	datadriven.Walk(t, "testdata/cases", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if !d.HasArg("differs") {
				name := fmt.Sprintf("%s_%03d.onnx", filepath.Base(path), len(ours))
				m := typed(t, prelude+d.Input)
				ours[name] = operators(Graph(m.Graph, nil))
				b, err := onnx.Encode(m)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
			}
			return d.Expected
		})
	})
	out, err := exec.Command(python, "testdata/optimise.py", dir).Output()
	require.NoError(t, err)
	var theirs map[string][]string
	require.NoError(t, json.Unmarshal(out, &theirs))
	for name, want := range theirs {
		want = slices.DeleteFunc(want, linearNode)
		if text := ours[name]; !slices.Equal(text, want) {
			t.Errorf("%s: ours %v, the runtime's %v", name, text, want)
		}
	}
}

func linearNode(s string) bool {
	return s == "QuantizeLinear" || s == "DequantizeLinear" || s == "Cast"
}

// operators lists a graph's operators in order of name.
func operators(g *graph.Graph) []string {
	ops := []string{}
	for _, n := range g.Nodes {
		if !linearNode(n.Op) {
			ops = append(ops, n.Op)
		}
	}
	slices.Sort(ops)
	return ops
}

// typed parses a text and gives its outputs and free inputs the types that a file must state.
func typed(t *testing.T, text string) *graph.Model {
	m, err := graph.Parse(text)
	require.NoError(t, err)
	g := m.Graph
	in := map[string]op.Info{}
	for i, p := range g.Inputs {
		shape, _ := p.Type.Fixed()
		if shape == nil {
			shape = make([]int, len(p.Type.Shape))
			for j, d := range p.Type.Shape {
				shape[j] = max(d.N, 2)
			}
		}
		in[p.Name] = op.Info{DType: g.Inputs[i].Type.DType, Shape: shape}
	}
	infos, err := op.InferShapes(g, in)
	if err != nil {
		t.Logf("types stay unknown: %v", err)
		return m
	}
	for i, p := range g.Outputs {
		g.Outputs[i].Type = graph.Type{DType: infos[p.Name].DType}
	}
	m.IRVersion = 10
	return m
}
