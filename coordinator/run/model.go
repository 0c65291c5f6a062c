package run

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/op"
	"assay/shared/pass"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// model is the float model, ready to be quantized. shape, macs and classes are known after measure only; group after
// fed.
type model struct {
	path    string       // of the user's file
	graph   *graph.Model // normalised
	bytes   []byte       // of the normalised model; its SHA-256 is the model digest
	file    [32]byte     // SHA-256 of the user's file
	outputs []string     // what is measured
	macs    int64        // of one sample
	classes int          // scores of the measured output, 0 when unknown
	shape   []int        // of the first measured output for one sample; nil when unknown
	group   int          // samples that fill the batch which the model fixes; 1 where it is free
	floats  bool         // that output holds floats
}

// loadModel reads, checks and normalises. The bytes that evaluators get are an encoding of the normalised graph and not
// the user's file: nodes do no passes of their own.
func loadModel(path string) (*model, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, &InputError{fmt.Errorf("model: %w", err)}
	}
	m, err := onnx.Read(path)
	if err != nil {
		return nil, &InputError{err}
	}
	if err := graph.CheckFinite(m); err != nil {
		return nil, &InputError{fmt.Errorf("%s: %w", path, err)}
	}
	if err := pass.Normalize(m); err != nil {
		return nil, &InputError{fmt.Errorf("%s: %w", path, err)}
	}
	out := &model{path: path, graph: m, file: sha256.Sum256(raw)}
	if out.bytes, err = onnx.Encode(m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(m.Graph.Outputs) == 0 {
		return nil, &InputError{fmt.Errorf("%s: the model has no output", path)}
	}
	for _, p := range m.Graph.Inputs {
		if p.Type.DType.Container() {
			return nil, &InputError{fmt.Errorf("%s: input %q is %s, and data sets hold tensors: let the model build it from tensors", path, p.Name, p.Type)}
		}
	}
	return out, nil
}

// wants lists the inputs that need data.
func (m *model) wants() []dataset.Want {
	var out []dataset.Want
	for _, p := range m.graph.Graph.Inputs {
		w := dataset.Want{Name: p.Name, DType: p.Type.DType}
		for _, d := range p.Type.Shape {
			n := d.N
			if n < 0 {
				n = -1
			}
			w.Shape = append(w.Shape, n)
		}
		out = append(out, w)
	}
	return out
}

// fed is type and shape of what goes into each input at once: one sample, or as many as fill the batch that the model fixes.
func (m *model) fed(in dataset.Inputs) map[string]op.Info {
	rows := 0
	for _, p := range m.graph.Graph.Inputs {
		if len(p.Type.Shape) > 0 && p.Type.Shape[0].N >= 0 && rows == 0 {
			rows = p.Type.Shape[0].N
		}
	}
	m.group = int(in.Group(rows))
	out := map[string]op.Info{}
	for _, p := range m.graph.Graph.Inputs {
		for _, s := range in.Streams {
			if s.Input == p.Name {
				out[p.Name] = op.Info{DType: s.Want, Shape: s.FedShape(m.group)}
			}
		}
	}
	return out
}

// measure finds the multiply-adds and the number of scores of one sample, from the shapes that the data really has.
// classes is the product of the axes behind the first.
func (m *model) measure(in dataset.Inputs) error {
	types, shapes := m.fed(in), map[string][]int{}
	for name, info := range types {
		shapes[name] = info.Shape
	}
	info, err := op.InferShapes(m.graph.Graph, types)
	if err == nil {
		_, m.macs, err = quant.MACShare(m.graph, &plan.Params{}, plan.Plan{}, shapes)
	}
	if err != nil {
		return &InputError{fmt.Errorf("%s: model and data do not fit, or the model not itself (fed with %s): %w", m.path, strings.Join(fedNames(shapes), ", "), err)}
	}
	m.macs /= int64(m.group)
	first := info[m.outputs[0]]
	m.shape = first.Shape
	m.floats = first.DType == tensor.Float32 || first.DType == tensor.Float64 || first.DType == tensor.Float16
	if shape := m.shape; len(shape) > 0 {
		m.classes = 1
		for _, d := range shape[1:] {
			m.classes *= d
		}
	}
	return nil
}

// fedNames lists inputs with the shapes of one sample, by name.
func fedNames(shapes map[string][]int) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		out = append(out, fmt.Sprintf("%s %v", name, shapes[name]))
	}
	return out
}

// Bounds of a cell: enough work that a message is worth sending, few enough samples that a killed evaluator loses little.
const (
	cellMACs  = 2e9
	cellLimit = 32
)

// block is the number of samples of a cell; it follows from the model and is part of the problem. It is ceil(2e9 /
// MACs), 1 to 32: never from a clock, as it decides what a cell is.
func block(macs int64) uint16 {
	return uint16(max(1, min(cellLimit, int64(math.Ceil(cellMACs/float64(max(macs, 1)))))))
}

// InputError marks bad input of the user's, or what else the user can mend, such as a full disk: exit code 2. errors.As finds it however it
// is wrapped; BadInput makes one.
type InputError struct{ err error }

func (e *InputError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *InputError) Unwrap() error { return e.err }

// checkIgnored names the first ignored node that the model has not, or ignored operator that there is not, with its line. An
// operator that the model has not is no mistake, since job files serve for several models, but it is told.
func checkIgnored(j *config.Job, m *graph.Model, note func(string)) error {
	var names []string
	nodes, types := map[string]bool{}, map[string]bool{}
	for _, n := range m.Graph.Nodes {
		names = append(names, n.Name)
		nodes[n.Name], types[n.Op] = true, true
	}
	for _, n := range j.Quantize.IgnoredNames {
		if !nodes[n.Text] {
			return &InputError{j.Unknown(n, "node", names)}
		}
	}
	operators := op.Names()
	for _, n := range j.Quantize.IgnoredTypes {
		switch {
		case types[n.Text]:
		case slices.Contains(operators, n.Text):
			note(fmt.Sprintf("%s: the model has no %s that could stay float", n.Key, n.Text))
		default:
			return &InputError{j.NoOperator(n, operators)}
		}
	}
	return nil
}

// BadInput marks err, which is not nil, as bad input of the user's. The text stays as it is.
func BadInput(err error) error { return &InputError{err} }
