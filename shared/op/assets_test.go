package op_test

import (
	"context"
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

// evaluate computes a graph node by node and returns all its values.
func evaluate(g *graph.Graph, in map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	return op.EvalGraph(context.Background(), g, in)
}
