package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
	"assay/evaluator/engine"
	"assay/shared/dataset"
	"assay/shared/dataset/npy"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/pass"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/tensor"
)

// arrays writes one kind of the case's arrays as a data source: a .npz by input name, or a folder of one file a sample.
func (c *fieldCase) arrays(t *testing.T, w *world, name string, of func(i int) files) string {
	if len(c.Inputs) == 1 && len(of(0)) > 1 {
		for k, f := range of(0) {
			w.write(fmt.Sprintf("%s/%02d.npy", name, k), c.read(t, f))
		}
		return w.path(name)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, in := range c.Inputs {
		f, err := z.Create(in.Name + ".npy")
		require.NoError(t, err)
		_, err = f.Write(c.read(t, of(i)[0]))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	w.write(name+".npz", b.Bytes())
	return w.path(name + ".npz")
}

func (c *fieldCase) read(t *testing.T, name string) []byte {
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	require.NoError(t, err)
	return b
}

func (c *fieldCase) calibration(i int) files { return c.Inputs[i].Calibration }
func (c *fieldCase) test(i int) files        { return c.Inputs[i].Test }

// expected is the float results of output o, by sample.
func (c *fieldCase) expected(t *testing.T, o int) []*tensor.Tensor {
	var out []*tensor.Tensor
	for _, f := range c.Outputs[o].Expected {
		x, err := npy.Decode(c.read(t, f))
		require.NoError(t, err)
		if len(c.Outputs[o].Expected) > 1 {
			out = append(out, x)
			continue
		}
		size := len(x.Data) / x.Shape[0]
		for i := range x.Shape[0] {
			out = append(out, &tensor.Tensor{DType: x.DType, Shape: x.Shape[1:], Data: x.Data[i*size : (i+1)*size]})
		}
	}
	return out
}

// labels writes the largest element of the first output of each sample as its class, one a line.
func (c *fieldCase) labels(t *testing.T, w *world) string {
	var b strings.Builder
	for _, x := range c.expected(t, 0) {
		best := 0
		if x.DType == tensor.Float32 {
			for i, v := range x.F32() {
				if v > x.F32()[best] {
					best = i
				}
			}
		}
		fmt.Fprintln(&b, best)
	}
	w.write("labels.txt", []byte(b.String()))
	return w.path("labels.txt")
}

// minmax is the range estimator that the cases' bounds hold for.
var minmax = map[string]any{
	"min": map[string]any{"type": "min", "aggregator": "min"},
	"max": map[string]any{"type": "max", "aggregator": "max"},
}

// job writes a job file for the case's model, without labels, and gives its path.
func (c *fieldCase) job(t *testing.T, w *world, params map[string]any) string {
	p := map[string]any{"preset": "mixed"}
	for k, v := range params {
		p[k] = v
	}
	return c.jobWith(t, w, map[string]any{"algorithms": []any{map[string]any{"name": "DefaultQuantization", "params": p}}}, "")
}

func (c *fieldCase) jobWith(t *testing.T, w *world, compression any, labels string) string {
	model, err := filepath.Abs(filepath.Join(c.dir, c.Model))
	require.NoError(t, err)
	data := map[string]any{"data_source": c.arrays(t, w, "test", c.test), "calibration_source": c.arrays(t, w, "calibration", c.calibration)}
	if labels != "" {
		data["labels"] = labels
	}
	b, err := json.Marshal(map[string]any{
		"model":       map[string]any{"model": model, "model_name": "model"},
		"engine":      data,
		"compression": compression,
		"run":         map[string]any{"output_dir": w.path("out"), "state_dir": w.path("state")},
	})
	require.NoError(t, err)
	w.write("job.json", b)
	return w.path("job.json")
}

// runRefused checks a model that no job may take.
func (c *fieldCase) runRefused(w *world) error {
	code, _, stderr := w.execute(w.t.Context(), c.refusedArgs(w)...)
	return refused(w, code, stderr, c.Check.Mentions)
}

func (c *fieldCase) refusedArgs(w *world) []string {
	w.write("data.npy", npyOnes(1, 3))
	return []string{"run", "-m", filepath.Join(c.dir, c.Model), "--data", w.path("data.npy"), "--output-dir", w.path("out"), "--state-dir", w.path("state")}
}

// npyOnes is a .npy of float32 ones.
func npyOnes(shape ...int) []byte {
	head := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", strings.Trim(strings.Join(strings.Fields(fmt.Sprint(shape)), ", "), "[]"))
	head += strings.Repeat(" ", 63-(len(head)+10)%64) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	b = append(b, head...)
	for range tensor.Count(shape) {
		b = append(b, 0, 0, 0x80, 0x3f)
	}
	return b
}

// runModel checks float results, quantizes by a job with everything INT8, and checks the written file.
func (c *fieldCase) runModel(t *testing.T, w *world, oracle *oracle) error {
	if err := c.checkFloat(t, w); err != nil {
		return fmt.Errorf("float: %w", err)
	}
	estimator := minmax
	if c.Check.Estimator == "robust" {
		estimator = map[string]any{"preset": "quantile", "min": map[string]any{"aggregator": "median"}, "max": map[string]any{"aggregator": "median"}}
	}
	params := map[string]any{"activations": map[string]any{"range_estimator": estimator}}
	job := c.job(t, w, params)
	code, _, stderr := w.execute(t.Context(), "run", job)
	if c.Check.Quantize == "refuse" {
		return refused(w, code, stderr, c.Check.Mentions)
	}
	if code != exitMet && code != exitMissed {
		return fmt.Errorf("exit code %d: %s", code, stderr)
	}
	r, err := report.Parse(w.read("out/report.json"))
	if err != nil {
		return err
	}
	return all(c.checkWritten(t, w, w.path("out/model_int8.onnx"), r, oracle), c.checkWords(t, w), c.checkAgain(t, w, params))
}

// checkWords: with plain minimum and maximum the run warns of what the case says.
func (c *fieldCase) checkWords(t *testing.T, w *world) error {
	if len(c.Check.Warns) == 0 {
		return nil
	}
	job := c.job(t, w, map[string]any{"activations": map[string]any{"range_estimator": minmax}})
	_, stdout, stderr := w.execute(t.Context(), "run", job)
	said := stdout + stderr
	for _, m := range c.Check.Warns {
		if !strings.Contains(said, "sample "+m) {
			return fmt.Errorf("no warning names sample %s: %s", m, said)
		}
	}
	return nil
}

// checkAgain: the file has the same bytes whatever batch the statistics are asked for in.
func (c *fieldCase) checkAgain(t *testing.T, w *world, params map[string]any) error {
	first := w.read("out/model_int8.onnx")
	for _, n := range c.Check.SameBytes {
		params["stat_batch_size"] = n
		code, _, stderr := w.execute(t.Context(), "run", c.job(t, w, params), "--state-dir", w.path(fmt.Sprint("state", n)))
		if code != exitMet {
			return fmt.Errorf("stat_batch_size %d: exit code %d: %s", n, code, stderr)
		}
		if !bytes.Equal(first, w.read("out/model_int8.onnx")) {
			return fmt.Errorf("stat_batch_size %d gives another file", n)
		}
	}
	return nil
}

// checkFloat loads the model as a run does and compares its outputs on the test samples.
func (c *fieldCase) checkFloat(t *testing.T, w *world) error {
	m, err := onnx.Read(filepath.Join(c.dir, c.Model))
	if err != nil {
		return err
	}
	if err := pass.Normalize(m); err != nil {
		return err
	}
	if c.Check.DataInputs != nil {
		var names []string
		for _, p := range m.Graph.Inputs {
			names = append(names, p.Name)
		}
		if !slices.Equal(names, c.Check.DataInputs) {
			return fmt.Errorf("the data inputs are %q", names)
		}
	}
	if c.Check.Float == nil {
		return nil
	}
	bounds := make([]float64, len(c.Outputs))
	for o, name := range c.Outputs {
		bounds[o] = *c.Check.Float
		if slices.Contains(c.Check.Exact, name.Name) {
			bounds[o] = 0
		}
	}
	return c.compare(t, w, m, bounds)
}

// compare runs m on the test samples and compares all outputs with the expected ones.
func (c *fieldCase) compare(t *testing.T, w *world, m *graph.Model, bounds []float64) error {
	got, err := c.outputs(t, w, m)
	if err != nil {
		return err
	}
	for o, name := range c.Outputs {
		want := c.expected(t, o)
		for k, out := range got {
			if d := largest(out[name.Name], want[k]); !(d <= bounds[o]) {
				return fmt.Errorf("output %q of sample %d differs by %.4g, %.4g is allowed", name.Name, k, d, bounds[o])
			}
		}
	}
	return nil
}

// outputs runs m on the test samples, one by one.
func (c *fieldCase) outputs(t *testing.T, w *world, m *graph.Model) ([]map[string]*tensor.Tensor, error) {
	src := dataset.Source{Data: c.arrays(t, w, "test", c.test)}
	for _, p := range m.Graph.Inputs {
		want := dataset.Want{Name: p.Name, DType: p.Type.DType}
		for _, d := range p.Type.Shape {
			want.Shape = append(want.Shape, d.N)
		}
		src.Inputs = append(src.Inputs, want)
	}
	set, err := dataset.Open(t.Context(), src)
	if err != nil {
		return nil, err
	}
	objects := store.NewMemory()
	in, faults, err := set.Build(t.Context(), func(b []byte) (plan.Digest, error) { return objects.Put(t.Context(), b) }, nil)
	if err = all(err, faults.Err()); err != nil {
		return nil, err
	}
	p, err := engine.New(engine.Options{Memory: 1 << 30}).Compile(m, nil)
	if err != nil {
		return nil, err
	}
	if c.Check.Batch == 1 && p.RowWise() {
		return nil, fmt.Errorf("the engine batches what runs sample by sample only")
	}
	var out []map[string]*tensor.Tensor
	for k := range in.Count {
		fed, err := in.Feed(t.Context(), objects.Get, []uint32{k})
		if err != nil {
			return nil, err
		}
		got, err := p.Run(t.Context(), fed, [32]byte{})
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, nil
}

// largest is the largest difference; infinite where type or shape differ, or where elements that are no floats do.
func largest(got, want *tensor.Tensor) float64 {
	if got == nil || got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		return math.Inf(1)
	}
	if bytes.Equal(got.Data, want.Data) {
		return 0
	}
	if got.DType != tensor.Float32 {
		return math.Inf(1)
	}
	worst := 0.0
	for i, v := range got.F32() {
		d := math.Abs(float64(v) - float64(want.F32()[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst
}
