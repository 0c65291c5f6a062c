package dataset

import (
	"fmt"
	"strings"

	"assay/shared/dataset/npy"
	"assay/shared/tensor"
)

// samples is a folder of arrays, one file a sample: .npy for a model with one input, .npz with one array for each input by
// name. Their shapes may differ: sentences of many lengths, pictures of many sizes.
type samples struct {
	folder  string
	files   []string
	src     Source
	streams []Stream
}

// plan implements reader from the first file: types and ranks are those of all, shapes may differ.
func (r *samples) plan(s Source) ([]Stream, []string, error) {
	ts, err := r.load(0, s)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", r.files[0], err)
	}
	var streams []Stream
	var notes []string
	for k, t := range ts {
		st, _, note, err := arrayStream(s.Prep, s.Inputs[k], t.DType, t.Shape)
		if err != nil {
			return nil, nil, fmt.Errorf("data: %s: model input %q: %w", r.files[0], s.Inputs[k].Name, err)
		}
		if note != "" {
			notes = append(notes, note)
		}
		streams = append(streams, st)
	}
	return streams, notes, nil
}

// bind implements reader: the same folder, read as streams say. The receiver stays as it is.
func (r *samples) bind(s Source, streams []Stream) (reader, error) {
	return &samples{r.folder, r.files, s, streams}, nil
}

// load reads the arrays of sample i in the order of the model's inputs.
func (r *samples) load(i int, s Source) ([]*tensor.Tensor, error) {
	b, err := open(r.folder, r.files[i])
	if err != nil {
		return nil, err
	}
	if ext(r.files[i]) == ".npy" {
		if len(s.Inputs) > 1 {
			return nil, fmt.Errorf("one array, and the model wants %s: save each sample as .npz with an array for each input", inputNames(s.Inputs))
		}
		t, err := npy.Decode(b)
		return []*tensor.Tensor{t}, err
	}
	as, err := npy.DecodeArchive(b, maxSample)
	if err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(s.Inputs))
	var have []string
	for _, a := range as {
		have = append(have, a.Name)
		for k, w := range s.Inputs {
			if a.Name == w.Name || len(as) == 1 && len(s.Inputs) == 1 {
				out[k] = a.Tensor
			}
		}
	}
	for k, t := range out {
		if t == nil {
			return nil, fmt.Errorf("no array for model input %q: the model wants %s, the file has %s", s.Inputs[k].Name, inputNames(s.Inputs), strings.Join(have, ", "))
		}
	}
	return out, nil
}

// read implements reader: it opens one file, so memory holds one sample at a time.
func (r *samples) read(i int) ([][]byte, [][]uint32, error) {
	ts, err := r.load(i, r.src)
	if err != nil {
		return nil, nil, err
	}
	var data [][]byte
	var shapes [][]uint32
	for k, t := range ts {
		st, shape, _, err := arrayStream(r.src.Prep, r.src.Inputs[k], t.DType, t.Shape)
		want := r.streams[k]
		if err == nil && (st.DType != want.DType || st.From != want.From || st.Rows != want.Rows) {
			err = fmt.Errorf("%s%v differs in type or layout from the first sample", t.DType, t.Shape)
		}
		if err == nil {
			t, err = convert(t, st.DType)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("model input %q: %w", r.src.Inputs[k].Name, err)
		}
		data, shapes = append(data, t.Data), append(shapes, shape)
	}
	return data, shapes, nil
}

// openSamples opens a folder of arrays with one file a sample.
func openSamples(s Source, files []string) (found, error) {
	f := found{reader: &samples{folder: s.Data, files: files}, names: files}
	var err error
	switch {
	case s.Labels == "":
	case s.Scores:
		err = f.scoreEach(s.Labels)
	default:
		err = f.label(s, nil)
	}
	return f, err
}
