package op_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// assets is the folder of shared models and cases beside the repository; the test is skipped where it is absent.
func assets(t testing.TB) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the test")
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "assets")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return dir
}

// evaluate computes a graph node by node with op.Eval and returns all its values.
func evaluate(g *graph.Graph, in map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	env := map[string]*tensor.Tensor{}
	for name, t := range g.Consts {
		env[name] = t
	}
	for name, t := range in {
		env[name] = t
	}
	for _, n := range g.Nodes {
		args := make([]*tensor.Tensor, len(n.Inputs))
		for i, name := range n.Inputs {
			args[i] = env[name]
		}
		out, err := op.Eval(n, args)
		if err != nil {
			return nil, err
		}
		for i, name := range n.Outputs {
			env[name] = out[i]
		}
	}
	return env, nil
}
