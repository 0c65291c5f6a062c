package dataset

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset/npy"
	"assay/shared/tensor"
)

// fieldCase is what this room reads of a case.json.
type fieldCase struct {
	Check struct {
		Labels        map[string]int32
		Data          string
		ErrorMentions []string `json:"error_mentions"`
		Arrays        []string
		Preprocessing struct {
			Scale  float32
			Mean   []float32
			Layout string
		}
	}
}

// TestFieldData runs the data cases that users met: pixels against Pillow's, labels, layouts, and refusals. The accuracy
// of their models is the engine's matter; fed inputs that are equal give it.
func TestFieldData(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(assets(t, "field"), "data-*"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, dir := range folders {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var c fieldCase
			b, err := os.ReadFile(filepath.Join(dir, "case.json"))
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(b, &c))
			switch {
			case c.Check.Arrays != nil:
				fieldArrays(t, dir, c)
			case c.Check.Data == "refuse":
				fieldRefused(t, dir, c)
			default:
				fieldPictures(t, dir, c)
			}
		})
	}
}

func (c fieldCase) source(dir string) Source {
	p := c.Check.Preprocessing
	return Source{Data: filepath.Join(dir, "images"), Labels: filepath.Join(dir, "labels.txt"),
		Inputs: []Want{{"x", tensor.Float32, []int{-1, 3, 16, 16}}},
		Prep:   Prep{Layout: p.Layout, Affine: Affine{p.Scale, p.Mean, nil}}}
}

func fieldRefused(t *testing.T, dir string, c fieldCase) {
	set, err := Open(t.Context(), c.source(dir))
	if err == nil {
		var faults Faults
		_, faults, err = set.Build(t.Context(), memory{}.put, nil)
		require.NoError(t, err, "the good samples are not lost")
		require.Equal(t, set.Len()-1, set.without(faults).Len())
		err = faults.Err()
		require.ErrorContains(t, err, "truncated")
	}
	for _, want := range c.Check.ErrorMentions {
		require.ErrorContains(t, err, want)
	}
}

func fieldPictures(t *testing.T, dir string, c fieldCase) {
	for _, orient := range []bool{false, true} {
		pixels := map[bool]string{false: "pixels", true: "pixels_rotated"}[orient]
		if _, err := os.Stat(filepath.Join(dir, pixels)); err != nil && orient {
			continue
		}
		s := c.source(dir)
		s.Prep.Orient = orient
		s.Inputs[0].Shape = []int{-1, 3, -1, -1}
		set, in, m := build(t, s)
		require.Len(t, set.Names, len(c.Check.Labels))
		for i, name := range set.Names {
			require.Equal(t, c.Check.Labels[name], set.Labels[i], name)
		}
		for i, got := range all(t, in, m) {
			file := filepath.Join(dir, pixels, strings.ReplaceAll(set.Names[i], "/", "_")+".npy")
			b, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			want, err := npy.Decode(b)
			require.NoError(t, err)
			require.Equal(t, scaled(want), got.F32(), set.Names[i])
		}
	}
}

// scaled is x/255 of a picture in rows of pixels, channels first.
func scaled(t *tensor.Tensor) []float32 {
	n := t.Shape[0] * t.Shape[1]
	out := make([]float32, 3*n)
	for i, v := range t.Data {
		out[i%3*n+i/3] = float32(v) / 255
	}
	return out
}

func fieldArrays(t *testing.T, dir string, c fieldCase) {
	want := Source{Data: filepath.Join(dir, "test_0.npy"), Inputs: []Want{{"x", tensor.Float32, []int{1, 3, 6, 6}}}}
	_, in, m := build(t, want)
	reference := all(t, in, m)
	require.Len(t, reference, 5)
	for _, file := range c.Check.Arrays {
		want.Data = filepath.Join(dir, file)
		_, in, m := build(t, want)
		for i, got := range all(t, in, m) {
			require.Equal(t, []int{1, 3, 6, 6}, got.Shape)
			require.Equal(t, reference[i].F32(), got.F32(), "%s, sample %d", file, i)
		}
	}
}
