package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/shared/graph"

	"github.com/stretchr/testify/require"
)

// assets is ../shared/assets beside the root of the module; the test is skipped where it is absent.
func assets(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the test")
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "..", "shared", "assets")
	if _, err := os.Stat(path); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return path
}

// TestRealModels parses every model of the assets, sorts it, writes it and parses it again: same digest, same bytes.
// Whether its operators are known is package op's business and not looked at.
func TestRealModels(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(assets(t), "models", "*.onnx"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".onnx"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			m, err := parse(b, []string{filepath.Dir(file)})
			require.NoError(t, err)
			requireStable(t, m)
		})
	}
}

// requireStable settles a parsed model but for the upgrade and takes it through its bytes twice.
func requireStable(t *testing.T, m *graph.Model) {
	t.Helper()
	arrange := func(m *graph.Model) {
		graph.NameNodes(m.Graph)
		require.NoError(t, graph.Inline(m))
		graph.Unhide(m.Graph)
		require.NoError(t, graph.Sort(m.Graph))
		prune(m.Graph)
		require.NoError(t, graph.Validate(m))
	}
	arrange(m)
	first, err := Encode(m)
	require.NoError(t, err)
	again, err := parse(first, nil)
	require.NoError(t, err)
	require.NoError(t, graph.Validate(again), "what was written needs no arranging")
	require.Equal(t, graph.Digest(m), graph.Digest(again))
	second, err := Encode(again)
	require.NoError(t, err)
	require.True(t, string(first) == string(second), "bytes differ")
	fromText, err := graph.ParseWith(graph.Print(m), graph.Table(m))
	require.NoError(t, err)
	require.Equal(t, graph.Digest(m), graph.Digest(fromText))
}

// TestConformanceModels does the same with the node and network models of ONNX's own test suite; those with values that
// are no tensors or constants of types that are not kept must be refused with a reason, never read wrongly.
func TestConformanceModels(t *testing.T) {
	root := filepath.Join(assets(t), "onnx-conformance")
	read, refused := 0, map[string]int{}
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.Name() != "model.onnx" {
			return err
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		m, err := parse(b, []string{filepath.Dir(path)})
		if err != nil {
			text := err.Error()
			refused[text[strings.LastIndex(text, ": ")+2:]]++
			return nil
		}
		read++
		requireStable(t, m)
		return nil
	})
	require.NoError(t, err)
	t.Logf("%d read, refused: %v", read, refused)
	require.Greater(t, read, 1700)
}

// TestFieldModels reads the models of the field cases completely where the case is about loading.
func TestFieldModels(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(assets(t), "field", "load-*", "*.onnx"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			m, err := Read(file)
			if name == "load-external-out-of-bounds" {
				require.ErrorContains(t, err, "beyond its")
				return
			}
			if err != nil && strings.Contains(err.Error(), "cannot be read") {
				t.Skipf("skipped: package op does not know it: %v", err)
			}
			require.NoError(t, err)
			require.NoError(t, graph.Validate(m))
		})
	}
}
