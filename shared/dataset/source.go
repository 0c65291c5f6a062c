package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/shared/tensor"
)

// Want is one model input that needs data. Shape is the declared one, -1 where an axis is free; the first axis is the
// batch, and rank 0 has none.
type Want struct {
	Name  string
	DType tensor.DType
	Shape []int
}

// Source says where samples come from and what is done to them. Data is one of
//
//   - a folder of pictures with a label file: every line of it is a sample;
//   - a folder with one folder of pictures per class: classes are the folders in alphabetical order;
//   - a folder of pictures without labels;
//   - a pattern such as val/*/*.jpg, or a .txt that names one picture a line, with its class or without;
//   - a .npy, whose first axis counts samples; a .npz, or a folder of .npy, with one array for each model input by name;
//     a folder of other .npy, each of them one sample;
//   - an idx file as MNIST has them, plain or .gz.
//
// Labels is a text of "name class" lines, a text of one class a line, a .npy or an idx file of integers, or "". With Scores
// they are numbers instead, in the order of the samples; where an array has two rows for each of them, a sample is a pair
// of rows. Rows says how many rows of an array make a sample, for data that has no scores itself; 0 means 1.
type Source struct {
	Data, Labels string
	Scores       bool
	Rows         int
	Inputs       []Want
	Prep         Prep
	Background   bool // the model has a class for the background in front: each label becomes one more
}

// Set is an opened source: which samples there are, and how to read them. Names, Labels and Scores have one entry a sample;
// a name is a path within the folder, with slashes, or file[index] of an array. Labels is nil without labels, Scores without
// scores; Classes are the names of the classes where folders give them. Rows is the number of rows that make a sample.
// Notes are remarks for the user, such as pictures that no line names. Sets that come from one another share lists: nobody
// writes to a field.
type Set struct {
	Names   []string
	Labels  []int32
	Scores  []float64
	Rows    int
	Classes []string
	Notes   []string

	base   []string // Notes that hold under every preprocessing
	src    Source
	reader reader
	pick   []int    // sample -> index of the reader
	where  []string // sample -> where its label stands, for errors
}

// reader gives samples in their stored form.
type reader interface {
	// plan decides how samples are stored: the streams without their pieces, and remarks for the user.
	plan(Source) ([]Stream, []string, error)
	// bind gives a reader for the streams that plan gave for the same source.
	bind(Source, []Stream) (reader, error)
	// read gives sample i of every stream, and the shape of each. It is called from several goroutines, after bind.
	read(i int) ([][]byte, [][]uint32, error)
}

// found is what a kind of source finds.
type found struct {
	reader  reader
	names   []string
	labels  []int32
	scores  []float64
	rows    int
	where   []string
	classes []string
	notes   []string
	pick    []int
}

// Open finds the samples and labels and checks what can be checked without decoding pictures: label lines and their files, counts,
// shapes against the model's. Arrays of one file are read here and stay in memory, of a folder of samples the first is. ctx ends
// the listing of a folder. An error names the file and the line, up to ten of them.
func Open(ctx context.Context, s Source) (*Set, error) {
	if err := s.Prep.Check(); err != nil {
		return nil, err
	}
	if len(s.Inputs) == 0 {
		return nil, errors.New("data: the model has no input that needs data")
	}
	f, err := find(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(f.names) == 0 {
		return nil, fmt.Errorf("data: %s holds no samples", s.Data)
	}
	if f.pick == nil {
		f.pick = sequence(len(f.names))
	}
	if s.Background {
		for i := range f.labels {
			f.labels[i]++
		}
	}
	set := &Set{Names: f.names, Labels: f.labels, Scores: f.scores, Rows: max(f.rows, 1), Classes: f.classes, base: f.notes, reader: f.reader, pick: f.pick, where: f.where}
	return set.With(s)
}

// find tells the kinds of sources apart.
func find(ctx context.Context, s Source) (found, error) {
	info, err := os.Stat(s.Data)
	switch {
	case err != nil && isPattern(s.Data):
		return openPattern(s)
	case err != nil:
		return found{}, fmt.Errorf("data: %w", err)
	case info.IsDir():
		return openFolder(ctx, s)
	case ext(s.Data) == ".txt" || ext(s.Data) == ".lst":
		return openList(s)
	}
	return openFile(s)
}

func sequence(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// openFile opens a source that is one file.
func openFile(s Source) (found, error) {
	arrays, err := readArrays(s.Data)
	if err != nil {
		return found{}, err
	}
	return openArrays(s, arrays)
}

// With is the same samples under another preprocessing or other inputs of s; what says which samples and labels there are (Data,
// Labels, Scores, Rows, Background) is ignored. An error says what does not fit the model.
func (set *Set) With(s Source) (*Set, error) {
	if err := s.Prep.Check(); err != nil {
		return nil, err
	}
	_, notes, err := set.reader.plan(s)
	if err != nil {
		return nil, err
	}
	out := *set
	out.src = s
	out.Notes = append(slices.Clone(set.base), notes...)
	return &out, nil
}

// Len is the number of samples.
func (set *Set) Len() int { return len(set.Names) }

// Select is the samples of the given indices, 0 to Len()-1, in their order.
func (set *Set) Select(samples []int) *Set {
	out := *set
	out.Names, out.pick, out.Labels, out.Scores, out.where = nil, nil, nil, nil, nil
	for _, i := range samples {
		out.Names = append(out.Names, set.Names[i])
		out.pick = append(out.pick, set.pick[i])
		if set.Labels != nil {
			out.Labels = append(out.Labels, set.Labels[i])
		}
		if set.Scores != nil {
			out.Scores = append(out.Scores, set.Scores[i])
		}
		if set.where != nil {
			out.where = append(out.where, set.where[i])
		}
	}
	return &out
}

// CheckLabels refuses labels outside 0..classes-1, each with its place, and a set without labels.
func (set *Set) CheckLabels(classes int) error {
	if set.Labels == nil {
		return errors.New("labels: the data has none")
	}
	var bad lines
	for i, l := range set.Labels {
		if l < 0 || int(l) >= classes {
			bad.add("%s: class %d of %s is outside 0..%d", set.place(i), l, set.Names[i], classes-1)
		}
	}
	return bad.err("labels")
}

// place says where the label of a sample stands.
func (set *Set) place(i int) string {
	if set.where != nil {
		return set.where[i]
	}
	return fmt.Sprintf("sample %d", i)
}

// lines collects errors of many places; it keeps the first ten and counts the rest.
type lines struct {
	text []string
	n    int
}

func (l *lines) add(format string, args ...any) {
	if l.n++; l.n <= 10 {
		l.text = append(l.text, fmt.Sprintf(format, args...))
	}
}

func (l *lines) err(what string) error {
	switch {
	case l.n == 0:
		return nil
	case l.n > len(l.text):
		return fmt.Errorf("%s: %s\nand %d more", what, strings.Join(l.text, "\n"), l.n-len(l.text))
	}
	return fmt.Errorf("%s: %s", what, strings.Join(l.text, "\n"))
}

// maxFile bounds a file that is read as a whole.
const maxFile = 1 << 34

// readFile reads a file of at most maxFile bytes.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s: a regular file of at most %d bytes is needed", path, int64(maxFile))
	}
	return os.ReadFile(path)
}

// ext is the lower-case extension of a name, below a ".gz".
func ext(name string) string {
	return strings.ToLower(filepath.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")))
}
