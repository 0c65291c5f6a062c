package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/onnx"
	"assay/shared/pass"
)

// child is the environment variable by which this test binary runs the command instead of its tests.
const child = "ASSAY_BENCH_CHILD"

// inChild runs the command in a process of its own and returns what it printed.
func inChild(t *testing.T, args ...string) string {
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), child+"=1")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	require.NoError(t, err, "%s", stderr.String())
	return string(out)
}

// megabytes reads the figure of --resident.
func megabytes(t *testing.T, line string) (n int) {
	_, after, ok := strings.Cut(line, "batch 8: ")
	require.True(t, ok, line)
	_, err := fmt.Sscanf(after, "%d MB resident", &n)
	require.NoError(t, err, line)
	return n
}

// TestResNet50StaysSmall runs ResNet-50 at batch 8 in a process of its own: below 300 MB in float, 200 MB in INT8.
func TestResNet50StaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: makes a model of 100 MB and runs it")
	}
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter to make ResNet-50 with")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("skipped: resident memory is read from Linux's /proc")
	}
	dir := t.TempDir()
	f := flags{Peers: shared(t, "peers"), Arch: dir}
	require.NoError(t, generate(context.Background(), f, "resnet50", &bytes.Buffer{}))
	path := filepath.Join(dir, "resnet50.onnx")
	float := inChild(t, "--resident", path, "--batch", "8")
	require.Less(t, megabytes(t, float), 300, float)

	m, err := onnx.Read(path)
	require.NoError(t, err)
	require.NoError(t, pass.Normalize(m))
	q, _, err := quantized(context.Background(), m)
	require.NoError(t, err)
	b, err := onnx.Encode(q)
	require.NoError(t, err)
	path = filepath.Join(dir, "int8.onnx")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	integer := inChild(t, "--resident", path, "--batch", "8")
	require.Less(t, megabytes(t, integer), 200, integer)
}

func TestRankingAndResidentOfASmallModel(t *testing.T) {
	path := tiny(t)
	out, _ := command(t, 0, "--ranking", path)
	require.Contains(t, out, "of the kernels")
	if _, err := os.Stat("/proc/self/status"); err == nil {
		require.Positive(t, megabytes(t, inChild(t, "--resident", path, "--batch", "8")))
	}
}
