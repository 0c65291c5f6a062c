package run

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/config"
	"assay/shared/tensor"
)

// level is what testdata/levels.py says of one level of ONNX Runtime's optimiser.
type level struct {
	Samples, Equal, Clear int
	Error, Noise          float64
	Same                  int `json:"top1_clear"`
}

// literal is what testdata/literal.py says of one file.
type literal struct {
	Steps, Levels, Moved, Most int
	Through                    float64
}

// TestArchitecturesAgree carries out whole jobs on well-known architectures with random weights, as two exporters write
// them. Their files load in ONNX Runtime at every level of its optimiser.
//
// At levels 2 and 99, which run INT8 in integers, its outputs are ours bit for bit where everything between the first
// QuantizeLinear and the last DequantizeLinear is INT8. Else the order of float sums moves a value over the border of two
// levels here and there, which the layers behind it multiply: the largest output is the same unless the margin is tiny.
//
// Levels 0 and 1 promise less, since nothing is fused there: the runtime computes each operator in float between a
// DequantizeLinear and a QuantizeLinear, and its float sum lies a rounding error beside the exact one. Where that is the
// middle of two levels, the other one is taken. It happens to 0.5 to 5 integers of a million where an operator is given the
// same integers, and moves them by one level: that is required below. A whole network is another matter, because a moved
// integer reaches all that is behind it. Of YOLO's 13.8 million integers 8 move by themselves and 28 % in the end, its
// outputs by noise of 2 % of their energy, and of its 263 rows with a clear largest element 146 have the same one.
func TestArchitecturesAgree(t *testing.T) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" || testing.Short() {
		t.Skip("skipped: whole jobs against ONNX Runtime, which ASSAY_PYTHON has")
	}
	script, err := filepath.Abs(filepath.Join(asset(t, "models"), "..", "..", "peers", "make_arch.py"))
	require.NoError(t, err)
	for _, c := range []struct {
		name, style string
		size        int
		exact, long bool
	}{
		{name: "resnet50", size: 224, exact: true}, {name: "mobilenet_v1", size: 224, exact: true},
		{name: "mobilenet_v2", size: 224, exact: true}, {name: "efficientnet_b0", size: 224, exact: true},
		{name: "yolo_nano", size: 320, exact: true}, {name: "vit_s16", size: 224},
		{name: "vit_s16", style: "torchscript", size: 224},
		{name: "vit_b16", size: 224, long: true}, {name: "vit_b16", style: "torchscript", size: 224, long: true},
		{name: "bert_base", long: true}, {name: "bert_base", style: "torchscript", long: true},
	} {
		style := cmp.Or(c.style, "dynamo")
		t.Run(c.name+"/"+style, func(t *testing.T) {
			if c.long && os.Getenv("ASSAY_LONG") == "" {
				t.Skip("skipped: a model of more than 300 MB; run with ASSAY_LONG=1")
			}
			dir := t.TempDir()
			out, err := exec.CommandContext(t.Context(), python, script, "--out", dir, "--only", c.name, "--style", style).CombinedOutput()
			require.NoError(t, err, "%s", out)
			in := sentences()
			if c.size > 0 {
				in = map[string]*tensor.Tensor{"input": noise(2, 3, c.size, c.size)}
			}
			j := config.New()
			j.Model, j.Data.Source = filepath.Join(dir, c.name+".onnx"), arrays(t, in)
			j.Drop, j.Iterations, j.OutputDir, j.StateDir = "1", 0, t.TempDir(), t.TempDir()
			res, err := Job(t.Context(), j, "", Events{})
			require.NoError(t, err)
			require.Empty(t, res.Report.Decisions.FloatGroups)
			requireLevels(t, python, res.Files[0], in, c.exact)
			t.Logf("all INT8 %v", res.Report.Decisions.Metrics[0].Int8)
		})
	}
}

// requireLevels demands of a file what TestArchitecturesAgree says of the levels of ONNX Runtime's optimiser.
func requireLevels(t *testing.T, python, file string, in map[string]*tensor.Tensor, exact bool) {
	t.Helper()
	dir := inputs(t, in)
	levels, lit := atLevels(t, python, file, in, dir), literal{}
	runScript(t, &lit, python, "testdata/literal.py", file, dir)
	t.Logf("levels %+v, literally %+v", levels, lit)
	require.Len(t, levels, 4)
	for _, at := range []string{"2", "99"} {
		l := levels[at]
		require.Equal(t, l.Clear, l.Same, "level %s", at)
		if exact && vnni() {
			require.Equal(t, l.Samples, l.Equal, "level %s", at)
		}
	}
	require.Positive(t, lit.Steps)
	require.LessOrEqual(t, lit.Most, 1)
	require.LessOrEqual(t, float64(lit.Moved), 2e-5*float64(lit.Levels))
}

// noise is normally distributed.
func noise(shape ...int) *tensor.Tensor {
	x, r := tensor.New(tensor.Float32, shape...), rand.New(rand.NewPCG(3, 4))
	for i := range x.F32() {
		x.F32()[i] = float32(r.NormFloat64())
	}
	return x
}

// sentences are two of 128 random tokens, the second one 80 long.
func sentences() map[string]*tensor.Tensor {
	const n, length = 2, 128
	ids, mask, types := tensor.New(tensor.Int64, n, length), tensor.New(tensor.Int64, n, length), tensor.New(tensor.Int64, n, length)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range n * length {
		if i < length+80 {
			tensor.View[int64](ids)[i], tensor.View[int64](mask)[i] = 1000+r.Int64N(29000), 1
		}
	}
	return map[string]*tensor.Tensor{"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
}

// arrays writes a folder of .npy.
func arrays(t *testing.T, in map[string]*tensor.Tensor) string {
	dir := t.TempDir()
	for name, x := range in {
		descr := map[tensor.DType]string{tensor.Float32: "<f4", tensor.Int64: "<i8"}[x.DType]
		shape := ""
		for _, d := range x.Shape {
			shape += fmt.Sprintf("%d, ", d)
		}
		head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, shape)
		b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(head)))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".npy"), append(append(b, head...), x.Data...), 0o600))
	}
	return dir
}

// inputs writes a folder for the scripts of testdata: each input with its type and shape.
func inputs(t *testing.T, in map[string]*tensor.Tensor) string {
	dir := t.TempDir()
	for name, x := range in {
		head, err := json.Marshal(map[string]any{"type": x.DType.String(), "shape": x.Shape})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "in_"+name+".bin"), append(append(head, '\n'), x.Data...), 0o600))
	}
	return dir
}

// atLevels runs the file here and in ONNX Runtime at each level of its optimiser, a sample at a time, on the inputs that
// stand in dir.
func atLevels(t *testing.T, python, file string, in map[string]*tensor.Tensor, dir string) map[string]level {
	p := compiled(t, file)
	var ours []byte
	for i := range samplesOf(in) {
		feed := map[string]*tensor.Tensor{}
		for name, x := range in {
			size := len(x.Data) / x.Shape[0]
			feed[name] = &tensor.Tensor{DType: x.DType, Shape: append([]int{1}, x.Shape[1:]...), Data: x.Data[i*size : (i+1)*size]}
		}
		out, err := p.Run(t.Context(), feed, [32]byte{})
		require.NoError(t, err)
		ours = append(ours, out[p.Wants()[0]].Data...)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ours.f32"), ours, 0o600))
	var levels map[string]level
	runScript(t, &levels, python, "testdata/levels.py", file, dir)
	return levels
}

// samplesOf is the first axis of every input.
func samplesOf(in map[string]*tensor.Tensor) int {
	for _, x := range in {
		return x.Shape[0]
	}
	return 0
}

// runScript runs a script that prints one JSON value.
func runScript(t *testing.T, into any, python string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, into))
}
