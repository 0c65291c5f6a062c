package run

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"assay/coordinator/report"
	"assay/coordinator/search"
	"assay/shared/onnx"
	"assay/shared/plan"
	"assay/shared/quant"
)

// digestOf is the store's name of bytes: plain SHA-256.
func digestOf(b []byte) plan.Digest { return sha256.Sum256(b) }

// export writes the final model, reads the written file back, and evaluates it like any model: its records must be those
// of the plan, cell for cell. A file that does not compute what was measured is not left behind. The file's own bytes
// are read back and evaluated as a float plan of another model, so fusion, reading and writing are all in the
// comparison.
func (w *work) export(ctx context.Context) error {
	m, err := quant.Apply(w.model.graph, w.params, w.outcome.Plan)
	if err != nil {
		return err
	}
	b := quant.BordersOf(m)
	w.output = report.Output{
		File: w.job.Stem() + "_int8.onnx", Integer: b.Integer, Quantize: b.Quantize, Dequantize: b.Dequantize, Unfused: append([]string{}, b.Unfused...),
	}
	path := filepath.Join(w.job.OutputDir, w.output.File)
	encoded, err := onnx.Encode(m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := writeOutput(path, encoded); err != nil {
		return err
	}
	read, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	w.output.Digest, w.output.Bytes = digestOf(read).String(), len(read)
	if err := w.verify(ctx, read); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	w.output.Verified = true
	return nil
}

// verify evaluates the file's bytes as a model of their own on the same samples. Equal records, byte for byte and
// sample by sample, are required; a difference is a fault of this program.
func (w *work) verify(ctx context.Context, file []byte) error {
	problem := w.problem
	problem.Model = digestOf(file)
	if err := w.put(ctx, file, plan.Encode("Problem", problem)); err != nil {
		return err
	}
	a := newAsker(w.cells, w.seat.objects, problem, w.meter, w.data.searchView)
	a.what, a.ref, a.onRound = w.asker.what, w.asker.ref, w.asker.onRound
	w.watch.about(len(w.data.searchView.Samples))
	trial := search.Trial{View: w.data.searchView}
	if _, err := a.Ask(ctx, search.Round{Name: "verify", Need: []search.Trial{trial}}); err != nil {
		return err
	}
	want := w.asker.known[plan.EffectiveDigest(w.params, w.outcome.Plan)].join(w.data.searchView.Samples)
	got := a.known[plan.Digest{}].join(w.data.searchView.Samples)
	return unequal(want, got, w.meter.RecordSize())
}

// unequal is the error of a file whose records are not those that were measured, nil where all are equal.
func unequal(want, got []byte, size int) error {
	if bytes.Equal(want, got) {
		return nil
	}
	return fmt.Errorf("the written file does not compute what was measured (a fault of this program: please report the model); samples differ: %d of %d", differing(want, got, size), len(want)/size)
}

// differing counts records that differ, of two lists of equal length.
func differing(a, b []byte, size int) int {
	n := 0
	for i := 0; i+size <= len(a); i += size {
		if !bytes.Equal(a[i:i+size], b[i:i+size]) {
			n++
		}
	}
	return n
}

// writeFile writes by way of a temporary file in the same directory, so that a file is whole or not there. The
// temporary file is removed after any error. Directories are not synced: a power cut may lose the newest file, never
// leave half of it.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(b)
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// writeOutput is writeFile for what the user gets: the directory is made again if it is gone, and the error is an *InputError that says
// what to do.
func writeOutput(path string, b []byte) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = writeFile(path, b)
	}
	if err != nil {
		return explainOutput(err, path, len(b))
	}
	return nil
}
