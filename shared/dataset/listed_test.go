package dataset

import (
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPatternAndList: pictures by a pattern and by a text, with classes from folders, from the text, and from a label file.
func TestPatternAndList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"val/cat/b.png", "val/cat/a.png", "val/dog/c d.png", "val/dog/e.webp", "more/f.png"} {
		write(t, dir, name, pngOf(t, 2, 2, color.White))
	}
	open := func(data, labels string) (*Set, error) {
		return Open(t.Context(), Source{Data: filepath.Join(dir, data), Labels: labels, Inputs: tiny})
	}
	set, err := open("val/*/*", "")
	require.NoError(t, err)
	require.Equal(t, []string{"cat/a.png", "cat/b.png", "dog/c d.png"}, set.Names)
	require.Equal(t, []int32{0, 0, 1}, set.Labels)
	require.Len(t, set.Notes, 1)

	labels := write(t, dir, "labels.csv", []byte("name;class\r\ndog/c d.png;4\r\nval/cat/a.png;2\r\n"))
	set, err = open("val/*/*.png", labels)
	require.NoError(t, err)
	require.Equal(t, []string{"dog/c d.png", "cat/a.png"}, set.Names)
	require.Equal(t, []int32{4, 2}, set.Labels)

	write(t, dir, "list.txt", []byte("\ufeff# mine\nval/dog/c d.png\n"+filepath.Join(dir, "more/f.png")+"\n"))
	set, in, _ := build(t, Source{Data: filepath.Join(dir, "list.txt"), Inputs: tiny})
	require.Equal(t, []string{"val/dog/c d.png", "more/f.png"}, set.Names)
	require.EqualValues(t, 2, in.Count)

	write(t, dir, "classes.txt", []byte("val/dog/c d.png 1\nval/cat/a.png\t0"))
	set, err = open("classes.txt", "")
	require.NoError(t, err)
	require.Equal(t, []int32{1, 0}, set.Labels)
	require.ErrorContains(t, set.CheckLabels(1), "classes.txt:1: class 1 of dog/c d.png")

	for text, want := range map[string]string{
		"":                               "names no picture",
		"none.png":                       "list.txt:1: none.png is no file",
		"more/f.png\nmore/f.png":         "list.txt:2: more/f.png stands in line 1 already",
		"more/f.png 1\nval/cat/a.png":    "1 lines end with a class and 1 do not",
		"more/f.png\nval/cat":            "list.txt:2: val/cat is no file",
		"more/f.png\n\xff.png":           "list.txt:2: it is no UTF-8 text",
		"more/f.png 99999999999999999\n": "is no file",
	} {
		write(t, dir, "list.txt", []byte(text))
		_, err := open("list.txt", "")
		require.ErrorContains(t, err, want)
	}
	_, err = open("val/*/*.tif", "")
	require.ErrorContains(t, err, "no picture")
	_, err = open("none/[", "")
	require.ErrorContains(t, err, "syntax error in pattern")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a[1]"), 0o755))
	write(t, dir, "a[1]/x.png", pngOf(t, 2, 2, color.White))
	set, err = open("a[1]", "")
	require.NoError(t, err, "a folder that looks like a pattern is a folder")
	require.Equal(t, 1, set.Len())
}

// TestFormatsThatAreNotReadAreNamed: a picture is what its first bytes say.
func TestFormatsThatAreNotReadAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"RIFF\x00\x00\x00\x00WEBPVP8 ":      "it is a WebP file",
		"II*\x00\x08\x00\x00\x00":           "it is a TIFF file",
		"\x00\x00\x00\x20ftypheic":          "it is a HEIC file",
		"\x00\x00\x00\x20ftypavif":          "it is a AVIF file",
		"P6 1 1 255 aaa":                    "it is a PPM file",
		"hello":                             "its first bytes are no JPEG, PNG, GIF or BMP",
		"":                                  "the file is empty",
		"BM\x00\x00":                        "truncated",
		"BM" + string(make([]byte, 60)):     "convert it to PNG",
		"\x89PNG\r\n\x1a\n\x00\x00\x00\rIH": "truncated",
	} {
		_, err := decodePicture([]byte(text), "")
		require.ErrorContains(t, err, want, "%q", text)
	}
}
