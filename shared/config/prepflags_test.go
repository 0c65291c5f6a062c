package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/dataset"
	"assay/shared/dataset/resample"
)

// parsed are the flags of a line that dataset.Prep.Flags printed.
func parsed(t require.TestingT, line string) Flags {
	var f Flags
	words := strings.Fields(line)
	require.Zero(t, len(words)%2, line)
	for i := 0; i < len(words); i += 2 {
		found := false
		for k := range reflect.TypeFor[Flags]().NumField() {
			if field := reflect.TypeFor[Flags]().Field(k); "--"+flagName(field) == words[i] {
				reflect.ValueOf(&f).Elem().Field(k).SetString(words[i+1])
				found = true
			}
		}
		require.True(t, found, words[i])
	}
	return f
}

// TestPrintedFlagsAreThePreprocessing: the flags that a probe prints to be copied mean the preprocessing that won, whatever its parts.
func TestPrintedFlagsAreThePreprocessing(t *testing.T) {
	size := rapid.Custom(func(t *rapid.T) dataset.Size {
		return dataset.Size{W: rapid.IntRange(1, 16384).Draw(t, "w"), H: rapid.IntRange(1, 16384).Draw(t, "h")}
	})
	list := rapid.SliceOfN(rapid.Float32Range(0.001, 300), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		maybe := func(what string) bool { return rapid.Bool().Draw(t, what) }
		p := dataset.Prep{Layout: rapid.SampledFrom([]string{"", "NCHW", "NHWC"}).Draw(t, "layout")}
		p.Reader = rapid.SampledFrom([]string{"", dataset.PillowReader, dataset.OpenCVReader, dataset.NumpyReader}).Draw(t, "reader")
		p.Orient = p.Reader == dataset.OpenCVReader
		p.Channels = rapid.SampledFrom([]string{"rgb", "bgr", "grey"}).Draw(t, "channels")
		if maybe("part") {
			p.Fraction = rapid.Float64Range(0.001, 1).Draw(t, "fraction")
		}
		if maybe("resize") {
			p.Resize.Filter, _ = resample.ParseFilter(rapid.SampledFrom(resample.Filters()).Draw(t, "filter"))
			if maybe("short") {
				p.Resize.Short = rapid.IntRange(1, 16384).Draw(t, "side")
			} else {
				p.Resize.Size = size.Draw(t, "size")
				p.Resize.Keep = dataset.Aspect(rapid.SampledFrom(append(dataset.Aspects(), "")).Draw(t, "keep"))
			}
		}
		if maybe("crop") {
			p.Crop, p.CropFloor = size.Draw(t, "crop"), maybe("floor")
		}
		if maybe("pad") {
			p.Pad = dataset.Pad{Stride: rapid.IntRange(0, 64).Draw(t, "stride"), At: rapid.SampledFrom([]string{"", "left_top", "right_bottom"}).Draw(t, "at")}
			if p.Pad.Stride == 0 || maybe("sized") {
				p.Pad.Size = size.Draw(t, "padded")
			}
			p.Pad.Value = [3]byte{rapid.Byte().Draw(t, "r"), rapid.Byte().Draw(t, "g"), rapid.Byte().Draw(t, "b")}
		}
		if maybe("scale") {
			p.Scale = rapid.Float32Range(1, 1000).Draw(t, "divisor")
		}
		if v := list.Draw(t, "mean"); len(v) > 0 {
			p.Mean = v
		}
		if v := list.Draw(t, "std"); len(v) > 0 {
			p.Std = v
		}
		j := New()
		require.NoError(t, parsed(t, p.Flags()).Apply(j), p.Flags())
		require.Equal(t, p, j.Data.Prep, p.Flags())
	})
	require.Empty(t, dataset.Prep{}.Flags())
}
