package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"assay/shared/dataset/npy"
	"assay/shared/mapped"
	"assay/shared/tensor"
)

// readArrays gives the arrays of a .npy, .npz or idx file, told apart by their first bytes. What can be used as it lies in the file stays
// there: an array may be larger than the memory.
func readArrays(path string) (out []npy.Array, err error) {
	b, err := mapped.File(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	err = mapped.Careful(func() (err error) { out, err = decodeArrays(path, b); return err })
	switch {
	case errors.Is(err, mapped.ErrShortened):
		return nil, shortened(path, err)
	case err != nil:
		return nil, fmt.Errorf("data: %s: %w", path, err)
	}
	return out, nil
}

// decodeArrays decodes a file's bytes.
func decodeArrays(path string, b []byte) ([]npy.Array, error) {
	b, err := gunzip(path, b)
	if err != nil {
		return nil, err
	}
	var t *tensor.Tensor
	switch {
	case bytes.HasPrefix(b, []byte("PK")):
		return npy.DecodeArchive(b, maxFile)
	case bytes.HasPrefix(b, []byte("\x93NUMPY")):
		t, err = npy.Decode(b)
	case len(b) > 3 && b[0] == 0 && b[1] == 0:
		t, err = decodeIdx(b)
	default:
		err = errors.New("it is no .npy, .npz or idx file; pictures are given as their folder")
	}
	return []npy.Array{{Tensor: t}}, err
}

// arrays is a source of whole arrays, one for each model input, whose first axis counts samples.
type arrays struct {
	byInput map[string]*tensor.Tensor
	only    *tensor.Tensor   // an array without a name, for a model with one input
	data    []*tensor.Tensor // per stream, converted
	shapes  [][]uint32       // per stream: Piece.Shape
}

// openArrays matches arrays with the model's inputs, and labels or scores with samples.
func openArrays(s Source, as []npy.Array) (found, error) {
	f := found{rows: max(s.Rows, 1)}
	var err error
	if s.Scores && s.Labels != "" {
		if f.rows, err = f.score(s.Labels, rowsOf(as)); err != nil {
			return found{}, err
		}
	}
	if f.rows > 1 {
		if as, err = grouped(as, f.rows); err != nil {
			return found{}, err
		}
	}
	r := &arrays{byInput: map[string]*tensor.Tensor{}}
	for _, a := range as {
		r.byInput[a.Name] = a.Tensor
	}
	if len(as) == 1 {
		r.only = as[0].Tensor
	}
	n, err := r.count(s)
	if err != nil {
		return found{}, err
	}
	f.reader = r
	base := filepath.Base(s.Data)
	for i := range n {
		f.names = append(f.names, fmt.Sprintf("%s[%d]", base, i))
	}
	if s.Labels != "" && !s.Scores && n > 0 {
		f.labels, f.where, err = classes(s.Labels, n)
	}
	return f, err
}

// rowsOf is the length of the arrays' first axis; that all have the same is checked by input.
func rowsOf(as []npy.Array) int {
	if len(as) == 0 || len(as[0].Tensor.Shape) == 0 {
		return 0
	}
	return as[0].Tensor.Shape[0]
}

// of is the array that feeds the input w: the one of its name, or the only one for a model with one input.
func (r *arrays) of(s Source, w Want) (*tensor.Tensor, error) {
	if t := r.byInput[w.Name]; t != nil {
		return t, nil
	}
	if r.only != nil && len(s.Inputs) == 1 {
		return r.only, nil
	}
	var have []string
	for name := range r.byInput {
		have = append(have, name)
	}
	return nil, fmt.Errorf("data: no array for model input %q: the model wants %s, the data has %q", w.Name, inputNames(s.Inputs), strings.Join(sorted(have), ", "))
}

// count is the number of samples, the same for every input.
func (r *arrays) count(s Source) (int, error) {
	n := -1
	for _, w := range s.Inputs {
		t, err := r.of(s, w)
		if err != nil {
			return 0, err
		}
		if len(t.Shape) == 0 {
			return 0, fmt.Errorf("data: the array for %q is a single number: a first axis that counts samples is needed", w.Name)
		}
		if n >= 0 && t.Shape[0] != n {
			return 0, fmt.Errorf("data: the array for %q has %d samples, that for %q has %d: the first axis counts samples, so that %q is %s and %q is %s",
				w.Name, t.Shape[0], s.Inputs[0].Name, n, s.Inputs[0].Name, arrayOf(s.Inputs[0].Shape), w.Name, arrayOf(w.Shape))
		}
		n = t.Shape[0]
	}
	return n, nil
}

// arrayOf spells the shape of an array of samples for a model input: samples take the place of a batch axis, and stand
// in front of an input without one. A free axis is a question mark.
func arrayOf(want []int) string {
	if len(want) > 0 && (want[0] < 0 || want[0] == 1) {
		want = want[1:]
	}
	axes := []string{"samples"}
	for _, d := range want {
		if d < 0 {
			axes = append(axes, "?")
		} else {
			axes = append(axes, fmt.Sprint(d))
		}
	}
	return "[" + strings.Join(axes, ", ") + "]"
}

// plan implements reader: a stream for each of the model's inputs, in its order, and what was concluded from shapes alone. That
// all arrays have the same number of samples is seen by count.
func (r *arrays) plan(s Source) ([]Stream, []string, error) {
	var notes []string
	var streams []Stream
	for _, w := range s.Inputs {
		t, err := r.of(s, w)
		if err != nil {
			return nil, nil, err
		}
		st, _, note, err := arrayStream(s.Prep, w, t.DType, t.Shape[1:])
		if err != nil {
			return nil, nil, fmt.Errorf("data: model input %q: %w", w.Name, err)
		}
		if note != "" {
			notes = append(notes, note)
		}
		streams = append(streams, st)
	}
	return streams, notes, nil
}

// bind fixes the streams for reading; it returns a new reader, since a Set may be read under several of them.
func (r *arrays) bind(s Source, streams []Stream) (reader, error) {
	out := &arrays{byInput: r.byInput, only: r.only}
	for i, st := range streams {
		t, err := r.of(s, s.Inputs[i])
		if err != nil {
			return nil, err
		}
		_, shape, _, err := arrayStream(s.Prep, s.Inputs[i], t.DType, t.Shape[1:])
		if err != nil {
			return nil, err
		}
		if t, err = convert(t, st.DType); err != nil {
			return nil, fmt.Errorf("data: model input %q: %w", st.Input, err)
		}
		out.data, out.shapes = append(out.data, t), append(out.shapes, shape)
	}
	return out, nil
}

// read implements reader. The rows alias the whole arrays, which live as long as the reader.
func (r *arrays) read(i int) ([][]byte, [][]uint32, error) {
	out := make([][]byte, len(r.data))
	for k, t := range r.data {
		size := len(t.Data) / t.Shape[0]
		out[k] = t.Data[i*size : (i+1)*size]
	}
	return out, r.shapes, nil
}

// arrayStream decides how samples of an array are stored and fed: have is the shape of one sample. The note, if any,
// says what was concluded from shapes alone.
func arrayStream(p Prep, w Want, d tensor.DType, have []int) (st Stream, shape []uint32, note string, err error) {
	if err := p.readsArrays(); err != nil {
		return st, nil, "", err
	}
	if p.shaped() {
		return st, nil, "", errors.New("--resize, --crop and --pad are for pictures; arrays are fed as they are")
	}
	if p.Channels == "grey" {
		return st, nil, "", errors.New("--channels grey is for pictures; arrays are fed as they are")
	}
	st = Stream{Input: w.Name, DType: stored(d, w.DType), Want: w.DType, Affine: p.Affine, Swap: p.Channels == "bgr"}
	if st.Rows, shape, st.From, st.To, err = fitShape(w.Shape, have); err != nil {
		return st, nil, "", err
	}
	if st.From == "" && p.Layout != "" {
		st.From, st.To = p.Layout, p.Layout
	}
	if st.From == "" && (st.Swap || len(p.Mean) > 1 || len(p.Std) > 1) {
		st.From = channelsOf(w.Shape)
		st.To = st.From
	}
	if st.From != st.To {
		note = fmt.Sprintf("samples of %q have shape %v and are fed as %s", w.Name, have, st.To)
	}
	return st, shape, note, st.check(1, Piece{Shape: shape, Count: 1})
}

// channelsOf guesses the layout of a model input from its shape: channels are an axis of 1 or 3, first before last.
func channelsOf(shape []int) string {
	if n := len(shape); n >= 3 && shape[1] != 1 && shape[1] != 3 && (shape[n-1] == 1 || shape[n-1] == 3) {
		return NHWC
	}
	if len(shape) < 3 {
		return ""
	}
	return NCHW
}

// fitShape matches a sample's shape with a model input's: as it is, with a batch axis of its own, with its channels on
// the other side, or with as many elements in another arrangement.
func fitShape(want, have []int) (rows uint32, shape []uint32, from, to string, err error) {
	if len(want) == 0 {
		if tensor.Count(have) != 1 {
			return 0, nil, "", "", fmt.Errorf("a sample has shape %v, the model wants a single number", have)
		}
		return 0, nil, "", "", nil
	}
	row := want[1:]
	switch {
	case agree(row, have):
		return 1, dims(have), "", "", nil
	case len(have) == len(want) && have[0] == 1 && agree(row, have[1:]):
		return 1, dims(have[1:]), "", "", nil
	case len(have) == len(want) && have[0] > 0 && agree(row, have[1:]):
		return uint32(have[0]), dims(have), "", "", nil
	case len(have) == len(row) && len(row) > 1 && agree(row, moved(have, true)):
		return 1, dims(have), NHWC, NCHW, nil
	case len(have) == len(row) && len(row) > 1 && agree(row, moved(have, false)):
		return 1, dims(have), NCHW, NHWC, nil
	case !slices.ContainsFunc(row, func(d int) bool { return d < 0 }) && tensor.Count(row) == tensor.Count(have):
		return 1, dims(row), "", "", nil
	}
	return 0, nil, "", "", fmt.Errorf("a sample has shape %v, the model wants %v without the batch axis", have, row)
}

// moved puts the last axis first, or the first one last.
func moved(shape []int, lastFirst bool) []int {
	n := len(shape) - 1
	if lastFirst {
		return append([]int{shape[n]}, shape[:n]...)
	}
	return append(slices.Clone(shape[1:]), shape[0])
}

// agree says that have is a value of want, whose free axes are negative.
func agree(want, have []int) bool {
	if len(want) != len(have) {
		return false
	}
	for i, d := range want {
		if d >= 0 && d != have[i] {
			return false
		}
	}
	return true
}

// dims are the lengths of axes as a manifest has them. The caller has checked that they fit.
func dims(shape []int) []uint32 {
	out := make([]uint32, len(shape))
	for i, d := range shape {
		out[i] = uint32(d)
	}
	return out
}
