package dataset

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"assay/shared/dataset/npy"
	"assay/shared/tensor"
)

// pair is how many rows make a sample whose score compares two of them.
const pair = 2

// scoresOf reads labels that are numbers, one a sample in the samples' order: a .npy or idx of any number type, or a text
// of one number a line.
func scoresOf(file string) ([]float64, error) {
	if e := ext(file); e != ".npy" && e != ".npz" && !isIdx(file) {
		return textScores(file)
	}
	arrays, err := readArrays(file)
	if err != nil {
		return nil, err
	}
	if len(arrays) != 1 {
		return nil, fmt.Errorf("labels: %s has %d arrays, one is needed", file, len(arrays))
	}
	t := arrays[0].Tensor
	if len(t.Shape) == 0 || t.Len() != t.Shape[0] {
		return nil, fmt.Errorf("labels: %s has shape %v: one score a sample is needed", file, t.Shape)
	}
	if t, err = convert(t, tensor.Float64); err != nil {
		return nil, fmt.Errorf("labels: %s: %w", file, err)
	}
	out := tensor.View[float64](t)
	for i, x := range out {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("labels: %s[%d] is %v: a finite score is needed", file, i, x)
		}
	}
	return out, nil
}

// textScores reads one decimal number a line; NaN and infinities are refused with the number of their line.
func textScores(file string) ([]float64, error) {
	b, err := readFile(file)
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	var out []float64
	for i, line := range strings.Split(strings.TrimPrefix(string(b), "\ufeff"), "\n") {
		field := strings.TrimSpace(line)
		if field == "" {
			continue
		}
		x, err := strconv.ParseFloat(field, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("labels: %s:%d: %.40q is no score: one finite number a line is needed, in the order of the samples", file, i+1, field)
		}
		out = append(out, x)
	}
	return out, nil
}

// score gives the found samples the scores of a label file, and says how many rows make a sample: two where there are half
// as many scores as rows.
func (f *found) score(file string, rows int) (perSample int, err error) {
	if f.scores, err = scoresOf(file); err != nil {
		return 0, err
	}
	switch n := len(f.scores); {
	case n == rows:
		return 1, nil
	case n*pair == rows:
		f.notes = append(f.notes, fmt.Sprintf("%d scores for %d rows: rows 2k and 2k+1 are the pair of score k", n, rows))
		return pair, nil
	}
	return 0, fmt.Errorf("labels: %s has %d scores, the data has %d rows: one score a row, or one for each two rows, is needed", file, len(f.scores), rows)
}

// scoreEach gives every found file its score.
func (f *found) scoreEach(file string) error {
	scores, err := scoresOf(file)
	if err == nil && len(scores) != len(f.names) {
		err = fmt.Errorf("labels: %s has %d scores, the data has %d files: one score a file is needed, in the order of their names", file, len(scores), len(f.names))
	}
	f.scores = scores
	return err
}

// grouped are arrays whose first axis is split, so that each sample has n rows of its own.
func grouped(as []npy.Array, n int) ([]npy.Array, error) {
	out := make([]npy.Array, len(as))
	for i, a := range as {
		shape := a.Tensor.Shape
		if len(shape) == 0 || shape[0]%n != 0 {
			return nil, fmt.Errorf("data: array %q has shape %v: its rows do not come in groups of %d", a.Name, shape, n)
		}
		t := *a.Tensor
		t.Shape = append([]int{shape[0] / n, n}, shape[1:]...)
		out[i] = npy.Array{Name: a.Name, Tensor: &t}
	}
	return out, nil
}
