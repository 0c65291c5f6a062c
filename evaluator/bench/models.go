package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/op"
	"assay/shared/pass"
)

// labelled are the models of the assets folder that are measured, generated those of make_arch.py. Between them stand the operators
// that exporters of pictures, texts and detectors write, so that the page says of each whether it has but the plain form.
var (
	labelled = []string{"squeezenet1.1", "mobilenet_v1_0.25_224", "efficientnet-lite0", "magika-v3_3", "cifar10-resnet20", "cifar10-vit-3x3",
		"all-minilm-l6-v2", "ultraface-rfb-320", "ch_PP-OCRv3_det_infer", "ch_ppocr_mobile_v2.0_cls_infer"}
	generated = []string{"resnet50", "mobilenet_v1", "mobilenet_v2", "efficientnet_b0", "bert_base"}
)

// modelFiles are the paths of the models that the flags ask for, generating those that are absent.
func modelFiles(ctx context.Context, f flags, out io.Writer) ([]string, error) {
	wanted := func(name string) bool {
		return len(f.Models) == 0 || slices.ContainsFunc(f.Models, func(w string) bool { return strings.Contains(name, w) })
	}
	var paths []string
	for _, name := range labelled {
		if path := filepath.Join(f.Assets, name+".onnx"); wanted(name) {
			if _, err := os.Stat(path); err != nil {
				fmt.Fprintf(out, "%s is absent: left out\n", path)
				continue
			}
			paths = append(paths, path)
		}
	}
	if f.Arch == "" {
		return paths, nil
	}
	for _, name := range generated {
		path := filepath.Join(f.Arch, name+".onnx")
		if !wanted(name) {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			if err := generate(ctx, f, name, out); err != nil {
				return nil, err
			}
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// generate lets make_arch.py write one architecture with random weights.
func generate(ctx context.Context, f flags, name string, out io.Writer) error {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		return fmt.Errorf("%s.onnx is absent in %s and ASSAY_PYTHON names no interpreter to make it", name, f.Arch)
	}
	c := exec.CommandContext(ctx, python, filepath.Join(f.Peers, "make_arch.py"), "--out", f.Arch, "--fold-bn", "--only", name)
	c.Stdout, c.Stderr = out, out
	if err := c.Run(); err != nil {
		return fmt.Errorf("make_arch.py %s: %w", name, err)
	}
	return nil
}

// variant is a model in one type: where ONNX Runtime finds it, and what we compile.
type variant struct {
	typ, path string
	model     *graph.Model
	note      string
}

// measureModels adds a row for each model, type and batch to r and prints it. The files of INT8 models live as long as the
// call.
func measureModels(ctx context.Context, f flags, p *peer, r *results, out io.Writer) error {
	paths, err := modelFiles(ctx, f, out)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "assay-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, path := range paths {
		variants, err := prepare(ctx, path, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, batch := range f.Batch {
			for _, v := range variants {
				if err := measureModel(ctx, f, p, r, v, batch, out); err != nil {
					return fmt.Errorf("%s, %s, batch %d: %w", path, v.typ, batch, err)
				}
			}
		}
	}
	return nil
}

// prepare reads a model, normalises it and quantizes all of it, and writes the INT8 file to dir. The float variant of the peer is the
// file as it is, since its own optimiser folds what pass.Normalize folds.
func prepare(ctx context.Context, path, dir string) ([]variant, error) {
	m, err := onnx.Read(path)
	if err != nil {
		return nil, err
	}
	if err := pass.Normalize(m); err != nil {
		return nil, err
	}
	q, groups, err := quantized(ctx, m)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, filepath.Base(path))
	b, err := onnx.Encode(q)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return nil, err
	}
	return []variant{{"float", path, m, ""}, {"int8", file, q, fmt.Sprintf("  %d groups", groups)}}, nil
}

// modelQuestion asks the peer for a model: a path, the size of the free first axis, and seconds of a slice.
type modelQuestion struct {
	Model string  `json:"model"`
	Batch int     `json:"batch"`
	Slice float64 `json:"slice"`
}

// measureModel adds the row of one variant at one batch, or none if the model fixes another. Plan, packed weights and arena are made
// before the clock starts, as a job pays them once for many samples. Samples have no name, so that no activations are stored from
// run to run. A slice is 30 times a layer's, or one run.
func measureModel(ctx context.Context, f flags, p *peer, r *results, v variant, batch int, out io.Writer) error {
	in, ok := inputs(v.model, batch, 1)
	if !ok {
		return nil // the model fixes another batch
	}
	e := engine.New(engine.Options{})
	program, err := e.Compile(v.model, nil)
	if err != nil {
		return err
	}
	once := func() error {
		out, err := program.Run(ctx, in, [32]byte{})
		program.Reuse(out)
		return err
	}
	if err := once(); err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(v.path), ".onnx")
	row := modelRow{Name: name, Type: v.typ, Batch: batch, Note: v.note, Plain: plain(program.Operators())}
	if row.Allocs, err = allocations(once); err != nil {
		return err
	}
	u := e.Usage()
	row.Resident = u.Arena + u.Weights
	slice := 30 * f.Slice
	var theirs func() (float64, error)
	if p != nil {
		s, err := p.ask(modelQuestion{v.path, batch, slice.Seconds()})
		if err != nil {
			return err
		}
		if s > 0 {
			theirs = p.again
		}
	}
	row.Ours, row.Theirs, err = byTurns(f.Rounds, func() (float64, error) { return sample(slice, once) }, theirs)
	if err != nil {
		return err
	}
	r.Models = append(r.Models, row)
	fmt.Fprintln(out, row)
	return nil
}

// allocations counts those of one run of f, which ran before: the fewest of three, since those of the whole process are counted and the
// runtime has a few of its own now and then.
func allocations(f func() error) (float64, error) {
	fewest := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := f(); err != nil {
			return 0, err
		}
		runtime.ReadMemStats(&after)
		fewest = min(fewest, after.Mallocs-before.Mallocs)
	}
	return float64(fewest), nil
}

// plain lists, of operators and their numbers, those that have no form but the plain one.
func plain(operators map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		if op.Plain("", name) || op.Plain("com.microsoft", name) {
			list = append(list, fmt.Sprintf("%d %s", operators[name], name))
		}
	}
	return strings.Join(list, ", ")
}
