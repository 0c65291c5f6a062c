package run

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/plan"
	"assay/shared/store"
)

// agreement is what testdata/agree.py prints.
type agreement struct {
	Samples, Equal, Clear, Literal int
	FloatError                     float64 `json:"float_error"`
	Float                          int     `json:"top1_float"`
	INT8                           int     `json:"top1_int8"`
	Same                           int     `json:"top1_clear"`
	OpenVINO                       *int    `json:"openvino"`
}

// agreeing is how many samples the runtimes are asked about.
const agreeing = 100

// TestRuntimesAgree carries out whole jobs on real models and gives the written file to ONNX Runtime and OpenVINO, on the
// inputs that we used: where everything between the first QuantizeLinear and the last DequantizeLinear is INT8, ONNX
// Runtime's outputs are ours bit for bit; everywhere its top-1 is ours unless the margin is tiny. On 95 samples of 100 it is
// OpenVINO's, and ONNX Runtime's with its optimiser off, which computes the file in float.
func TestRuntimesAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: whole jobs")
	}
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	imagenet := func(like string) func(*testing.T, *config.Job) {
		return func(t *testing.T, j *config.Job) {
			dir := asset(t, "imagenet")
			j.Data.Source, j.Data.Labels, j.Calibration.Every = filepath.Join(dir, "images"), filepath.Join(dir, "labels.txt"), 5
			convention(t, j, like)
		}
	}
	cifar := func(like string) func(*testing.T, *config.Job) {
		return func(t *testing.T, j *config.Job) {
			j.Data.Source = thinned(t, asset(t, "cifar10/test"), 12)
			convention(t, j, like)
		}
	}
	for _, c := range []struct {
		model  string
		data   func(*testing.T, *config.Job)
		exact  bool // nothing in float between the first Q and the last DQ
		tensor bool // one weight scale a tensor
	}{
		{model: "squeezenet1.1", data: imagenet("imagenet-torch"), exact: true},
		{model: "mlperf-tiny-ic-resnet8", data: cifar("raw255"), exact: true},
		{model: "cifar10-resnet20", data: cifar("imagenet-torch"), exact: true},
		{model: "mobilenet_v1_0.25_224", data: imagenet("imagenet-tf"), exact: true},
		{model: "cifar10-cnn-medium", data: cifar("unit")},
		{model: "cifar10-resnet20", data: cifar("imagenet-torch"), exact: true, tensor: true},
	} {
		t.Run(fmt.Sprintf("%s/%s", c.model, map[bool]string{false: "perchannel", true: "pertensor"}[c.tensor]), func(t *testing.T) {
			j := config.New()
			j.Model = asset(t, "models/"+c.model+".onnx")
			j.Drop, j.Iterations, j.Quantize.PerTensor = "1", 0, c.tensor
			j.OutputDir, j.StateDir = t.TempDir(), t.TempDir()
			c.data(t, j)
			res, err := Job(t.Context(), j, "", Events{})
			require.NoError(t, err)
			require.Empty(t, res.Report.Decisions.FloatGroups)
			a := agree(t, python, j, res.Files[0])
			t.Logf("%d samples: %d equal bit for bit, top-1 the same on %d (%d of the %d clear ones), in float on %d; literally on %d; OpenVINO on %d; float error %.2g",
				a.Samples, a.Equal, a.INT8, a.Same, a.Clear, a.Float, a.Literal, *a.OpenVINO, a.FloatError)
			require.Equal(t, agreeing, a.Samples)
			require.LessOrEqual(t, a.FloatError, 1e-4)
			require.Equal(t, a.Clear, a.Same)
			if c.exact && vnni() {
				require.Equal(t, agreeing, a.Equal)
			}
			require.GreaterOrEqual(t, a.Literal, agreeing*95/100)
			if a.OpenVINO != nil {
				require.GreaterOrEqual(t, *a.OpenVINO, agreeing*95/100)
			}
		})
	}
}

// agree feeds the job's first samples to our engine and to the runtimes.
func agree(t *testing.T, python string, j *config.Job, int8File string) agreement {
	m, err := loadModel(j.Model)
	require.NoError(t, err)
	set, _, err := openData(t.Context(), j, m)
	require.NoError(t, err)
	every := make([]int, agreeing)
	for i := range every {
		every[i] = i * set.Len() / agreeing
	}
	objects := store.NewMemory()
	in, faults, err := set.Select(every).Build(t.Context(), func(b []byte) (plan.Digest, error) { return objects.Put(t.Context(), b) }, nil)
	require.NoError(t, err)
	require.NoError(t, faults.Err())
	dir := t.TempDir()
	var files [4][]byte
	var shape []int
	bare := beforeLast(t, int8File, "Softmax")
	programs := []*engine.Program{compiled(t, j.Model), compiled(t, int8File), compiled(t, bare)}
	for i := range uint32(agreeing) {
		feed, err := in.Feed(t.Context(), objects.Get, []uint32{i})
		require.NoError(t, err)
		for _, x := range feed {
			shape, files[0] = x.Shape, append(files[0], x.Data...)
		}
		for k, p := range programs {
			out, err := p.Run(t.Context(), feed, [32]byte{})
			require.NoError(t, err)
			files[k+1] = append(files[k+1], out[p.Wants()[0]].Data...)
		}
	}
	for i, name := range []string{"input", "ours_float", "ours_int8", "ours_bare"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".f32"), files[i], 0o600))
	}
	head, err := json.Marshal(map[string]any{"input": append([]int{agreeing}, shape[1:]...)})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shape.json"), head, 0o600))
	cmd := exec.CommandContext(t.Context(), python, "testdata/agree.py", j.Model, int8File, bare, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var a agreement
	require.NoError(t, json.Unmarshal(out, &a))
	return a
}

// beforeLast writes the model of path without the operator that makes its first output, if that is op: a Softmax is float
// and sums in another order in every runtime, a Sigmoid hides how large its argument is. Else it is path.
func beforeLast(t *testing.T, path, op string) string {
	m, err := onnx.Read(path)
	require.NoError(t, err)
	last := graph.NewIndex(m.Graph).Producer[m.Graph.Outputs[0].Name]
	if last.Op != op {
		return path
	}
	m.Graph.Outputs[0].Name = last.Inputs[0]
	m.Graph.Nodes = slices.DeleteFunc(m.Graph.Nodes, func(n *graph.Node) bool { return n == last })
	out := filepath.Join(t.TempDir(), "bare.onnx")
	require.NoError(t, onnx.Write(out, m))
	return out
}

// compiled is the model of path, ready to give its first output.
func compiled(t *testing.T, path string) *engine.Program {
	m, err := onnx.Read(path)
	require.NoError(t, err)
	p, err := engine.New(engine.Options{}).Compile(m, []string{m.Graph.Outputs[0].Name})
	require.NoError(t, err)
	return p
}

// asset is a file or folder of the shared assets; the test is skipped where they are absent.
func asset(t *testing.T, name string) string {
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "assets", name))
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return path
}

func convention(t *testing.T, j *config.Job, like string) {
	p, err := dataset.Like(like)
	require.NoError(t, err)
	j.Data.Like, j.Data.Prep, j.Data.Prepared = like, p, true
}

// thinned is a folder with the first n images of every class of dir.
func thinned(t *testing.T, dir string, n int) string {
	out := t.TempDir()
	classes, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, c := range classes {
		require.NoError(t, os.Mkdir(filepath.Join(out, c.Name()), 0o755))
		images, err := os.ReadDir(filepath.Join(dir, c.Name()))
		require.NoError(t, err)
		for _, f := range images[:n] {
			require.NoError(t, os.Symlink(filepath.Join(dir, c.Name(), f.Name()), filepath.Join(out, c.Name(), f.Name())))
		}
	}
	return out
}

// vnni reports whether ONNX Runtime accumulates exactly on this machine.
func vnni() bool { return tier.Best() >= tier.AVX512VNNI }
