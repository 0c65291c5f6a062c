package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// pngOf is a w x h picture of one colour.
func pngOf(t *testing.T, w, h int, c color.Color) []byte {
	t.Helper()
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		im.Set(i%w, i/w, c)
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, im))
	return b.Bytes()
}

// npyOf is a .npy of version 1 with the given header entries.
func npyOf(descr, shape string, data []byte) []byte {
	head := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	return append(append(b, head...), data...)
}

func idxOf(kind byte, data []byte, shape ...uint32) []byte {
	b := []byte{0, 0, kind, byte(len(shape))}
	for _, d := range shape {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, data...)
}

var tiny = []Want{{"x", tensor.Float32, []int{-1, 3, 2, 2}}}

// TestFolderPerClass: folders in alphabetical order are the classes; hidden files do not count.
func TestFolderPerClass(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"dog/1.png", "cat/b.png", "cat/a.png", "ant/x/1.png", ".git/1.png", "dog/._1.png"} {
		write(t, dir, name, pngOf(t, 2, 2, color.White))
	}
	write(t, dir, "readme.md", nil)
	set, in, _ := build(t, Source{Data: dir, Inputs: tiny})
	require.Equal(t, []string{"ant/x/1.png", "cat/a.png", "cat/b.png", "dog/1.png"}, set.Names)
	require.Equal(t, []int32{0, 1, 1, 2}, set.Labels)
	require.Equal(t, []string{"ant", "cat", "dog"}, set.Classes)
	require.EqualValues(t, 4, in.Count)
	require.ErrorContains(t, set.CheckLabels(2), "class 2 of dog/1.png is outside 0..1")
	require.NoError(t, set.CheckLabels(3))
}

// TestPreprocessingOfPictures: what is resized, cropped and refused for a model of 2 x 2.
func TestPreprocessingOfPictures(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.png", pngOf(t, 8, 4, color.NRGBA{255, 128, 0, 255}))
	open := func(p Prep, shape ...int) error {
		set, err := Open(t.Context(), Source{Data: dir, Prep: p, Inputs: []Want{{"x", tensor.Float32, shape}}})
		if err != nil {
			return err
		}
		_, faults, err := set.Build(t.Context(), memory{}.put, nil)
		return errors.Join(err, faults.Err())
	}
	require.NoError(t, open(Prep{}, -1, 3, 2, 2))
	require.NoError(t, open(Prep{Resize: Resize{Short: 2}, Crop: Size{2, 2}}, -1, 3, 2, 2))
	require.NoError(t, open(Prep{}, -1, 3, -1, -1))
	require.NoError(t, open(Prep{}, -1, 2, 2, 1))
	require.NoError(t, open(Prep{}, -1, 32, 1), "32 grey pixels in a row")
	require.NoError(t, open(Prep{}, -1, 4, 8), "grey without an axis for channels")
	for want, err := range map[string]error{
		"gives 3x3 pixels":            open(Prep{Crop: Size{3, 3}}, -1, 3, 2, 2),
		"become 4 x 2, the model":     open(Prep{Resize: Resize{Short: 2}}, -1, 3, 2, 2),
		"less than the crop":          open(Prep{Resize: Resize{Short: 1}, Crop: Size{2, 2}}, -1, 3, 2, 2),
		"has 4 channels":              open(Prep{}, -1, 4, 2, 2),
		"do not fill shape":           open(Prep{}, -1, 33, 1),
		"takes no pictures":           open(Prep{}, -1, -1),
		"1/255 is written 255":        open(Prep{Affine: Affine{Scale: 1.0 / 255}}, -1, 3, 2, 2),
		"mean has 2 values":           open(Prep{Affine: Affine{Mean: []float32{1, 2}}}, -1, 3, 2, 2),
		`layout "HWC"`:                open(Prep{Layout: "HWC"}, -1, 3, 2, 2),
		`channels "yuv"`:              open(Prep{Channels: "yuv"}, -1, 3, 2, 2),
		"size 100000 is outside":      open(Prep{Crop: Size{100000, 1}}, -1, 3, 2, 2),
		"check --layout and --channe": open(Prep{Channels: "grey"}, -1, 3, 2, 2),
	} {
		require.ErrorContains(t, err, want)
	}
}

// TestArrays: which shapes and types fit which inputs, and how they are fed.
func TestArrays(t *testing.T) {
	f32 := []byte{0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64} // 1 2 3 4
	for name, c := range map[string]struct {
		file  []byte
		want  Want
		prep  Prep
		shape []int
		bytes []byte
		err   string
	}{
		"as it is":        {file: npyOf("<f4", "(2, 2)", f32), want: Want{"x", tensor.Float32, []int{-1, 2}}, shape: []int{1, 2}, bytes: f32[:8]},
		"own batch axis":  {file: npyOf("<f4", "(2, 1, 2)", f32), want: Want{"x", tensor.Float32, []int{1, 2}}, shape: []int{1, 2}, bytes: f32[:8]},
		"batch of two":    {file: npyOf("<f4", "(1, 2, 2)", f32), want: Want{"x", tensor.Float32, []int{-1, 2}}, shape: []int{2, 2}, bytes: f32},
		"same elements":   {file: npyOf("<f4", "(2, 2)", f32), want: Want{"x", tensor.Float32, []int{-1, 1, 2, 1}}, shape: []int{1, 1, 2, 1}, bytes: f32[:8]},
		"a single number": {file: npyOf("<f4", "(4,)", f32), want: Want{"x", tensor.Float32, nil}, shape: []int{}, bytes: f32[:4]},
		"other side":      {file: npyOf("<f4", "(1, 2, 1, 2)", f32), want: Want{"x", tensor.Float32, []int{-1, 2, 2, 1}}, shape: []int{1, 2, 2, 1}, bytes: []byte{0, 0, 128, 63, 0, 0, 64, 64, 0, 0, 0, 64, 0, 0, 128, 64}},
		"integers widen":  {file: npyOf("|u1", "(1, 2)", []byte{7, 9}), want: Want{"x", tensor.Int64, []int{-1, 2}}, shape: []int{1, 2}, bytes: []byte{7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0}},
		"half":            {file: npyOf("<f2", "(1, 1)", []byte{0, 0x3c}), want: Want{"x", tensor.Float32, []int{-1, 1}}, shape: []int{1, 1}, bytes: f32[:4]},
		"big-endian idx":  {file: idxOf(0x0d, []byte{63, 128, 0, 0}, 1, 1), want: Want{"x", tensor.Float32, []int{-1, 1}}, shape: []int{1, 1}, bytes: f32[:4]},
		"wrong shape":     {file: npyOf("<f4", "(1, 4)", f32), want: Want{"x", tensor.Float32, []int{-1, 3}}, err: "a sample has shape [4], the model wants [3]"},
		"floats as ints":  {file: npyOf("<f4", "(1, 4)", f32), want: Want{"x", tensor.Int64, []int{-1, 4}}, err: "float32 cannot become int64"},
		"does not fit":    {file: npyOf("<i8", "(1, 1)", []byte{0, 1, 0, 0, 0, 0, 0, 0}), want: Want{"x", tensor.Uint8, []int{-1, 1}}, err: "element 0 is 256 and does not fit uint8"},
		"resize":          {file: npyOf("<f4", "(1, 4)", f32), want: Want{"x", tensor.Float32, []int{-1, 4}}, prep: Prep{Resize: Resize{Short: 2}}, err: "--resize, --crop and --pad are for pictures"},
		"scaled integers": {file: npyOf("|u1", "(1, 2)", []byte{7, 9}), want: Want{"x", tensor.Int64, []int{-1, 2}}, prep: Prep{Affine: Affine{Scale: 255}}, err: "normalisation needs a float32 input"},
		"no samples":      {file: npyOf("<f4", "(0, 4)", nil), want: Want{"x", tensor.Float32, []int{-1, 4}}, err: "holds no samples"},
		"truncated":       {file: npyOf("<f4", "(9, 4)", f32), want: Want{"x", tensor.Float32, []int{-1, 4}}, err: "truncated: shape [9 4] of float32 needs 144 bytes"},
		"no array":        {file: []byte("hello"), want: Want{"x", tensor.Float32, []int{-1, 4}}, err: "no .npy, .npz or idx file"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Source{Data: write(t, t.TempDir(), "data.npy", c.file), Inputs: []Want{c.want}, Prep: c.prep}
			set, err := Open(t.Context(), s)
			m := memory{}
			var in Inputs
			if err == nil {
				in, _, err = set.Build(t.Context(), m.put, nil)
			}
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			got := all(t, in, m)[0]
			require.Equal(t, c.bytes, got.Data)
			require.ElementsMatch(t, c.shape, got.Shape)
		})
	}
}

// TestLabelsByOrder: integers in a .npy, an idx, a text; their number must be that of the samples.
func TestLabelsByOrder(t *testing.T) {
	dir := t.TempDir()
	data := write(t, dir, "x.npy", npyOf("|u1", "(3, 1)", []byte{1, 2, 3}))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(idxOf(8, []byte{4, 0, 1}, 3))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, b := range map[string][]byte{
		"a.npy":                npyOf("<i4", "(3, 1)", []byte{4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}),
		"f.npy":                npyOf("<f4", "(3,)", []byte{0, 0, 128, 64, 0, 0, 0, 0, 0, 0, 128, 63}),
		"labels-idx1-ubyte.gz": zipped.Bytes(),
		"c.txt":                []byte("4\n0\n1\n"),
	} {
		set, err := Open(t.Context(), Source{Data: data, Labels: write(t, dir, name, b), Inputs: []Want{{"x", tensor.Uint8, []int{-1, 1}}}})
		require.NoError(t, err, name)
		require.Equal(t, []int32{4, 0, 1}, set.Labels, name)
		require.ErrorContains(t, set.CheckLabels(4), "class 4 of x.npy[0] is outside 0..3")
	}
	_, err = Open(t.Context(), Source{Data: data, Labels: write(t, dir, "d.txt", []byte("1\n2\n")), Inputs: []Want{{"x", tensor.Uint8, []int{-1, 1}}}})
	require.ErrorContains(t, err, "has 2 labels, the data has 3 samples")
}

// TestFaultsLoseNothingElse: broken pictures among good ones are named, the others keep order and labels, and the
// manifest is that of the good ones alone.
func TestFaultsLoseNothingElse(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	for i, name := range []string{"a", "b", "c", "d", "e"} {
		b := pngOf(t, 2, 2, color.Gray{uint8(40 * i)})
		switch name {
		case "b":
			b = b[:len(b)/2]
		case "d":
			b = nil
		}
		write(t, dir, "i/"+name+".png", b)
		text.WriteString(name + ".png " + string(rune('0'+i)) + "\n")
	}
	labels := write(t, dir, "labels.txt", []byte(text.String()))
	s := Source{Data: filepath.Join(dir, "i"), Labels: labels, Inputs: tiny}
	set, err := Open(t.Context(), s)
	require.NoError(t, err)
	m := memory{}
	last := 0
	in, faults, err := set.Build(t.Context(), m.put, func(done, total int) {
		require.Equal(t, 5, total)
		require.Equal(t, last+1, done)
		last = done
	})
	require.NoError(t, err)
	require.Equal(t, 5, last)
	require.ErrorContains(t, faults.Err(), "2 samples cannot be read (repair them, or leave them out of the folder and of the labels): b.png: ")
	require.ErrorContains(t, faults.Err(), "d.png: the file is empty")
	good := set.without(faults)
	require.Equal(t, []string{"a.png", "c.png", "e.png"}, good.Names)
	require.Equal(t, []int32{0, 2, 4}, good.Labels)
	again, none, err := good.Build(t.Context(), m.put, nil)
	require.NoError(t, err)
	require.Empty(t, none)
	require.Equal(t, in, again)
	require.ErrorContains(t, good.CheckLabels(3), "labels.txt:5: class 4 of e.png")
}

// TestBuildStops: a failing store and a cancelled context end Build, and no goroutine stays.
func TestBuildStops(t *testing.T) {
	dir := t.TempDir()
	for _, name := range "abcdefghijklmnop" {
		write(t, dir, string(name)+".png", pngOf(t, 2, 2, color.White))
	}
	set, err := Open(t.Context(), Source{Data: dir, Inputs: tiny})
	require.NoError(t, err)
	full := errors.New("disk full")
	_, _, err = set.Build(t.Context(), func([]byte) (plan.Digest, error) { return plan.Digest{}, full }, nil)
	require.ErrorIs(t, err, full)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err = set.Build(ctx, memory{}.put, func(done, _ int) {
		if done == 3 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
}

// TestSourcesThatAreNone: missing, empty and foreign folders.
func TestSourcesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(t.Context(), Source{Data: filepath.Join(dir, "no"), Inputs: tiny})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(t.Context(), Source{Data: dir, Inputs: tiny})
	require.ErrorContains(t, err, "holds no samples")
	write(t, dir, "x.webp", nil)
	_, err = Open(t.Context(), Source{Data: dir, Inputs: tiny})
	require.ErrorContains(t, err, "its 1 pictures are in formats that are not read")
	_, err = Open(t.Context(), Source{Data: dir})
	require.ErrorContains(t, err, "no input that needs data")
	write(t, dir, "x.png", pngOf(t, 1, 1, color.White))
	_, err = Open(t.Context(), Source{Data: dir, Inputs: append(tiny, Want{"y", tensor.Float32, nil})})
	require.ErrorContains(t, err, "pictures feed one input, the model has 2: x, y")
}

// TestArraysByInputName: a folder of .npy feeds the inputs that they are called after; other .npy are samples of their
// own shape.
func TestArraysByInputName(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.npy", npyOf("|u1", "(2, 1)", []byte{1, 2}))
	write(t, dir, "b.npy", npyOf("|u1", "(2,)", []byte{3, 4}))
	set, in, m := build(t, Source{Data: dir, Inputs: []Want{{"b", tensor.Uint8, nil}, {"a", tensor.Uint8, []int{-1, 1}}}})
	require.Equal(t, 2, set.Len())
	fed, err := in.Feed(t.Context(), m.get, []uint32{1})
	require.NoError(t, err)
	require.Equal(t, []byte{2}, fed["a"].Data)
	require.Equal(t, []byte{4}, fed["b"].Data)
	require.Equal(t, 1, in.Together([]uint32{0, 1}), "b has no batch axis")
	_, err = Open(t.Context(), Source{Data: dir, Inputs: []Want{{"a", tensor.Uint8, []int{-1, 1}}, {"c", tensor.Uint8, nil}}})
	require.ErrorContains(t, err, "has no c.npy")

	dir = t.TempDir()
	write(t, dir, "b.npy", npyOf("|u1", "(1, 2)", []byte{3, 4}))
	write(t, dir, "a.npy", npyOf("|u1", "(1, 3)", []byte{5, 6, 7}))
	set, in, m = build(t, Source{Data: dir, Inputs: []Want{{"x", tensor.Uint8, []int{-1, -1}}}})
	require.Equal(t, []string{"a.npy", "b.npy"}, set.Names)
	fed2 := all(t, in, m)
	require.Equal(t, []byte{5, 6, 7}, fed2[0].Data)
	require.Equal(t, []int{1, 2}, fed2[1].Shape)
	write(t, dir, "c.npy", npyOf("<f4", "(1,)", make([]byte, 4)))
	set, err = Open(t.Context(), Source{Data: dir, Inputs: []Want{{"x", tensor.Uint8, []int{-1, -1}}}})
	require.NoError(t, err)
	_, faults, err := set.Build(t.Context(), m.put, nil)
	require.NoError(t, err)
	require.ErrorContains(t, faults.Err(), "c.npy")
}

// TestLabelsOfSampleFiles: lines "name class" choose and order the files of a folder of .npy; lines of one class go by the
// order of the files.
func TestLabelsOfSampleFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/x.npy", "b.npy", "c.npy"} {
		write(t, dir, name, npyOf("|u1", "(1, 2)", []byte{name[0], 0}))
	}
	named := write(t, t.TempDir(), "labels.txt", []byte("c.npy 3\na/x.npy 1\n"))
	want := []Want{{"x", tensor.Uint8, []int{-1, 2}}}
	set, in, m := build(t, Source{Data: dir, Labels: named, Inputs: want})
	require.Equal(t, []string{"c.npy", "a/x.npy"}, set.Names)
	require.Equal(t, []int32{3, 1}, set.Labels)
	require.Equal(t, []string{"samples without a line in labels.txt: 1, left out"}, set.Notes)
	require.Equal(t, byte('c'), all(t, in, m)[0].Data[0])

	set, _, _ = build(t, Source{Data: dir, Labels: write(t, t.TempDir(), "labels.txt", []byte("5\n6\n7\n")), Inputs: want})
	require.Equal(t, []string{"a/x.npy", "b.npy", "c.npy"}, set.Names)
	require.Equal(t, []int32{5, 6, 7}, set.Labels)
	_, err := Open(t.Context(), Source{Data: dir, Labels: write(t, t.TempDir(), "labels.txt", []byte("c.npy 3\nd.npy 1\n")), Inputs: want})
	require.ErrorContains(t, err, "labels.txt:2: d.npy is not in")
}

// without is the samples that have no fault: those of the Inputs that Build gave with these faults.
func (set *Set) without(faults Faults) *Set {
	bad := make(map[int]bool, len(faults))
	for _, f := range faults {
		bad[int(f.Sample)] = true
	}
	var keep []int
	for i := range set.Names {
		if !bad[i] {
			keep = append(keep, i)
		}
	}
	return set.Select(keep)
}
