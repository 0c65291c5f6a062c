package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/tensor"
)

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr, pin))
	}
	goleak.VerifyTestMain(m)
}

// shared is the folder of assets and peers beside the repository; the test is skipped where it is absent.
func shared(t *testing.T, name string) string {
	path := filepath.Join("..", "..", "..", "shared", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("skipped: ../shared/" + name + " is absent")
	}
	return path
}

func command(t *testing.T, want int, args ...string) (stdout, stderr string) {
	var out, bad bytes.Buffer
	require.Equal(t, want, run(context.Background(), args, &out, &bad, func(int) error { return nil }), "%s", bad.String())
	return out.String(), bad.String()
}

func TestBadFlagsAreNamed(t *testing.T) {
	_, stderr := command(t, 2, "--round", "3")
	require.Contains(t, stderr, "unknown flag --round")
	_, stderr = command(t, 2, "--rounds", "0")
	require.Contains(t, stderr, "--rounds: at least one round is needed")
	_, stderr = command(t, 1, "--shapes", ".", "--no-models")
	require.Contains(t, stderr, "is a directory")
	out, _ := command(t, 0, "--help")
	require.Contains(t, out, "ASSAY_PYTHON")
}

// TestLayersWithoutPeer measures a built-in layer and writes the page.
func TestLayersWithoutPeer(t *testing.T) {
	t.Setenv("ASSAY_PYTHON", "")
	file := filepath.Join(t.TempDir(), "page.html")
	out, _ := command(t, 0, "--shapes", "absent.json", "--names", "convdw3x3s1_128", "--no-models", "--rounds", "1", "--slice", "1ms", "--page", file)
	require.Equal(t, 3, strings.Count(out, "\n"))
	require.Contains(t, out, "u8s8_depth_")
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), "convdw3x3s1_128-128_14x14")
	require.NotContains(t, string(page), "http", "the page needs nothing else")
}

// tiny writes a model of one convolution and a Relu, and two operators in plain form behind it.
func tiny(t *testing.T) string {
	w := tensor.New(tensor.Float32, 8, 3, 3, 3)
	for i := range w.F32() {
		w.F32()[i] = float32(i%7) - 3
	}
	conv := &graph.Node{Name: "conv", Op: "Conv", Inputs: []string{"x", "w"}, Outputs: []string{"c"}}
	relu := &graph.Node{Name: "relu", Op: "Relu", Inputs: []string{"c"}, Outputs: []string{"r"}}
	soft := &graph.Node{Name: "soft", Op: "Softsign", Inputs: []string{"r"}, Outputs: []string{"s"}}
	sign := &graph.Node{Name: "sign", Op: "Sign", Inputs: []string{"s"}, Outputs: []string{"y"}}
	free := graph.Type{DType: tensor.Float32, Ranked: true, Shape: []graph.Dim{{N: -1, Sym: "n"}, {N: 3}, {N: 16}, {N: 16}}}
	m := &graph.Model{Opset: 21, FileOpset: 21, IRVersion: 10, Graph: &graph.Graph{
		Nodes: []*graph.Node{conv, relu, soft, sign}, Consts: map[string]*tensor.Tensor{"w": w}, Types: map[string]graph.Type{},
		Inputs: []graph.Port{{Name: "x", Type: free}}, Outputs: []graph.Port{{Name: "y", Type: graph.Type{DType: tensor.Float32}}},
	}}
	b, err := onnx.Encode(m)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "squeezenet1.1.onnx")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func TestModelsInBothTypes(t *testing.T) {
	t.Setenv("ASSAY_PYTHON", "")
	path, file := tiny(t), filepath.Join(t.TempDir(), "page.html")
	out, _ := command(t, 0, "--no-layers", "--assets", filepath.Dir(path), "--models", "squeeze", "--rounds", "1", "--slice", "1ms", "--page", file)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 4, strings.Count(string(page), "<td><td class=r><td class=l>1 Sign, 1 Softsign"), "of both types and batches, behind two empty cells for the peer")
	require.Equal(t, 4, strings.Count(out, "squeezenet1.1"), out)
	require.Contains(t, out, "int8  batch 8")
	out, _ = command(t, 0, "--profile", path, "--rounds", "1")
	require.Contains(t, out, "QLinearConv")
	out, _ = command(t, 0, "--no-layers", "--assets", t.TempDir(), "--models", "squeeze")
	require.Contains(t, out, "is absent: left out")
}

// TestPeerTakesTurns runs a layer and a model beside ONNX Runtime.
func TestPeerTakesTurns(t *testing.T) {
	if os.Getenv("ASSAY_PYTHON") == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	path, peers := tiny(t), shared(t, "peers")
	out, _ := command(t, 0, "--peers", peers, "--shapes", "absent.json", "--names", "512-2048_7x7", "--assets", filepath.Dir(path), "--models", "squeeze",
		"--rounds", "1", "--slice", "1ms", "--batch", "1")
	for _, want := range []string{"ONNX Runtime 1.", "f32_nchwc", "qlinear_nhwc", "geometric mean of 1 layer;"} {
		require.Contains(t, out, want)
	}
	require.Equal(t, 4, strings.Count(out, " MOP ")+strings.Count(out, " allocations "), out)
	require.NotContains(t, out, "Inf")
}

// TestGroupsAreGeometricMeans checks the summary on made figures.
func TestGroupsAreGeometricMeans(t *testing.T) {
	r := &results{Peer: "P", Peaks: map[string]float64{"f32": 1e11, "u8s8": 4e11}, Layers: []layerRow{
		{Name: "a", Class: "dense", Type: "f32", Ops: 1e6, Ours: 1, Theirs: 2, Share: 0.5},
		{Name: "b", Class: "dense", Type: "f32", Ops: 1e6, Ours: 1, Theirs: 0.5, Share: 0.5},
		{Name: "c", Class: "first", Type: "f32", Ops: 1e6, Ours: 1, Share: 0.5},
	}}
	var out bytes.Buffer
	r.summary(&out)
	require.Equal(t, `dense     f32  x1.00 of P, geometric mean of 2 layers; lowest x0.50: b; 50% of peak
all       f32  x1.00 of P, geometric mean of 2 layers; lowest x0.50: b; 50% of peak
`, out.String())
	page, err := r.html()
	require.NoError(t, err)
	require.Contains(t, string(page), `<tr class="faster"><td>dense<td class=l>f32<td>2`)
}

// TestAllocationsAreTheFewest has a function that allocates more in its first run.
func TestAllocationsAreTheFewest(t *testing.T) {
	var kept [100][]byte
	runs := 0
	got, err := allocations(func() error {
		n := 2
		if runs == 0 {
			n = len(kept)
		}
		runs++
		for i := range n {
			kept[i] = make([]byte, 1<<10)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 3, runs)
	require.Positive(t, got)
	require.Less(t, got, 50.0)
}
