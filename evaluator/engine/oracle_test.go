package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// assets is the folder of real models and data beside the repository; the test is skipped where it is absent.
func assets(t testing.TB) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		require.NotEqual(t, filepath.Dir(dir), dir, "no go.mod above the test")
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "assets")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return dir
}

// oracle runs testdata/oracle.py with the interpreter that ASSAY_PYTHON names.
func oracle(t testing.TB, args ...string) string {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	cmd := exec.Command(python, append([]string{"testdata/oracle.py"}, args...)...)
	cmd.Env = append(os.Environ(), "ASSETS="+assets(t))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	return strings.TrimSpace(string(out))
}

// ran is what ONNX Runtime computed.
type ran struct {
	in, out   map[string]*tensor.Tensor
	operators map[string]int
}

// runtimeOutputs lets ONNX Runtime run a model on inputs of a kind.
func runtimeOutputs(t testing.TB, model, kind string, count int) ran {
	dir := t.TempDir()
	oracle(t, "run", model, kind, fmt.Sprint(count), dir)
	r := ran{in: map[string]*tensor.Tensor{}, out: map[string]*tensor.Tensor{}}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		switch base := filepath.Base(f); {
		case base == "operators.json":
			require.NoError(t, json.Unmarshal(b, &r.operators))
		case strings.HasPrefix(base, "in"):
			name, x := readDump(t, b)
			r.in[name] = x
		case strings.HasPrefix(base, "out"):
			name, x := readDump(t, b)
			r.out[name] = x
		}
	}
	return r
}

// readDump reads what the oracle wrote: a line of JSON, then the elements.
func readDump(t testing.TB, b []byte) (string, *tensor.Tensor) {
	line, data, ok := bytes.Cut(b, []byte("\n"))
	require.True(t, ok)
	var head struct {
		Name, Type string
		Shape      []int
	}
	require.NoError(t, json.Unmarshal(line, &head))
	d, err := tensor.ParseDType(head.Type)
	require.NoError(t, err)
	return head.Name, &tensor.Tensor{DType: d, Shape: head.Shape, Data: data}
}
