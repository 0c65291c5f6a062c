package run

import (
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
	Equal, Clear int
	Error, Noise float64
	Same         int `json:"top1_clear"`
}

// TestArchitecturesAgree carries out whole jobs on well-known architectures with random weights. Their files load in ONNX
// Runtime at every level of its optimiser. At those that run INT8 in integers, its outputs are ours bit for bit where
// everything between the first QuantizeLinear and the last DequantizeLinear is INT8. Else the order of float sums moves a
// value over the border of a level here and there, which the layers behind it multiply: the largest output is the same
// unless the margin is tiny.
func TestArchitecturesAgree(t *testing.T) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" || testing.Short() {
		t.Skip("skipped: whole jobs against ONNX Runtime, which ASSAY_PYTHON has")
	}
	script, err := filepath.Abs(filepath.Join(asset(t, "models"), "..", "..", "peers", "make_arch.py"))
	require.NoError(t, err)
	for _, c := range []struct {
		name  string
		size  int
		exact bool
	}{
		{"resnet50", 224, true}, {"mobilenet_v1", 224, true}, {"mobilenet_v2", 224, true}, {"efficientnet_b0", 224, true},
		{"yolo_nano", 320, true}, {"vit_s16", 224, false}, {"bert_base", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.size == 0 && os.Getenv("ASSAY_LONG") == "" {
				t.Skip("skipped: a model of 434 MB; run with ASSAY_LONG=1")
			}
			dir := t.TempDir()
			out, err := exec.CommandContext(t.Context(), python, script, "--out", dir, "--only", c.name).CombinedOutput()
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
			levels := atLevels(t, python, res.Files[0], in)
			t.Logf("all INT8 %v, levels %+v", res.Report.Decisions.Metrics[0].Int8, levels)
			require.Len(t, levels, 4)
			for _, at := range []string{"2", "99"} {
				l := levels[at]
				require.Equal(t, l.Clear, l.Same, "level %s", at)
				if c.exact && vnni() {
					require.Equal(t, 2, l.Equal, "level %s", at)
				}
			}
		})
	}
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

// atLevels runs the file here and in ONNX Runtime at each level of its optimiser, a sample at a time.
func atLevels(t *testing.T, python, file string, in map[string]*tensor.Tensor) map[string]level {
	dir := t.TempDir()
	p := compiled(t, file)
	var ours []byte
	for i := range 2 {
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
	for name, x := range in {
		head, err := json.Marshal(map[string]any{"type": x.DType.String(), "shape": x.Shape})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "in_"+name+".bin"), append(append(head, '\n'), x.Data...), 0o600))
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/levels.py", file, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var levels map[string]level
	require.NoError(t, json.Unmarshal(out, &levels))
	return levels
}
