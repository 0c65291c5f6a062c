package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestRowsSayWhatWasMeasured: figures in the units of the line, the peer's part only where there is a peer, no division by nothing.
func TestRowsSayWhatWasMeasured(t *testing.T) {
	l := layerRow{Name: "conv", Class: "dense", Type: "f32", Pick: "tile", Ops: 2e9, Ours: 0.5, Share: 0.25}
	require.EqualValues(t, 4, l.Speed())
	require.Zero(t, l.PeerSpeed())
	require.Zero(t, l.Ratio())
	require.Equal(t, "conv                                 dense     f32    2000.0 MOP    4.0 GOP/s  25% of peak  tile                        ", l.String())
	l.Theirs, l.Form = 1, "f32_nchwc"
	require.EqualValues(t, 2, l.PeerSpeed())
	require.EqualValues(t, 2, l.Ratio(), "half the time is twice as fast")
	require.True(t, strings.HasSuffix(l.String(), "tile                         f32_nchwc       2.0  x2.00"), l.String())

	m := modelRow{Name: "net", Type: "int8", Batch: 8, Ours: 0.0125, Allocs: 3, Resident: 5<<20 + 1<<19, Note: "; a note"}
	require.EqualValues(t, 12.5, m.Milliseconds())
	require.Zero(t, m.PeerMilliseconds())
	require.Equal(t, "net                          int8  batch 8     12.50 ms   3 allocations    5.8 MB; a note", m.String())
	m.Theirs = 0.025
	require.EqualValues(t, 25, m.PeerMilliseconds())
	require.Equal(t, "net                          int8  batch 8     12.50 ms   3 allocations    5.8 MB     25.00 ms  x2.00; a note", m.String())
}

// TestGroupsKeepClassesAndTypesApart: each class with a ratio has a row for each of its types, in the order of the classes, and all
// of a type are together in the last rows; layers that the peer has not count nowhere.
func TestGroupsKeepClassesAndTypesApart(t *testing.T) {
	r := &results{Layers: []layerRow{
		{Name: "deep", Class: "depthwise", Type: "u8s8", Ours: 1, Theirs: 9, Share: 0.9},
		{Name: "a", Class: "dense", Type: "f32", Ours: 1, Theirs: 4, Share: 0.16},
		{Name: "b", Class: "dense", Type: "f32", Ours: 4, Theirs: 4, Share: 0.04},
		{Name: "c", Class: "dense", Type: "u8s8", Ours: 2, Theirs: 1, Share: 0.5},
		{Name: "alone", Class: "dense", Type: "f32", Ours: 2, Share: 0.5},
	}}
	var got []string
	for _, g := range r.groups() {
		got = append(got, strings.Join([]string{g.Class, g.Type, g.Slowest}, " "))
		switch g.Class + g.Type {
		case "densef32", "allf32":
			require.Equal(t, 2, g.N)
			require.InDelta(t, 2, g.Mean, 1e-12)
			require.InDelta(t, 0.08, g.Share, 1e-12)
			require.EqualValues(t, 1, g.Lowest)
		case "allu8s8":
			require.Equal(t, 2, g.N)
			require.InDelta(t, 2.1213203435596424, g.Mean, 1e-12)
			require.EqualValues(t, 0.5, g.Lowest)
		}
	}
	require.ElementsMatch(t, []string{"dense f32 b", "dense u8s8 c", "depthwise u8s8 deep", "all f32 b", "all u8s8 c"}, got)
	require.Equal(t, []string{"all f32 b", "all u8s8 c"}, got[len(got)-2:])
	require.Empty(t, (&results{}).groups())
}

// TestPageMarksTheSlow: from the peer's speed on faster, within 15 % near, below slower; a bar ends at four times.
func TestPageMarksTheSlow(t *testing.T) {
	row := func(theirs float64) string {
		r := &results{Peer: "P", Layers: []layerRow{{Name: "a", Class: "dense", Type: "f32", Ops: 1, Ours: 1, Theirs: theirs, Share: 1}}}
		b, err := r.html()
		require.NoError(t, err)
		return string(b)
	}
	for theirs, want := range map[float64]string{1: "faster", 3: "faster", 0.99: "near", 0.85: "near", 0.84: "slower"} {
		require.Contains(t, row(theirs), `class="`+want+`"`, "%v", theirs)
	}
	require.NotContains(t, row(1), `class="slower"`)
	require.ErrorContains(t, (&results{}).write(filepath.Join(t.TempDir(), "no", "page.html")), "no such file")
	evil, err := (&results{Layers: []layerRow{{Name: "<script>", Class: "dense", Ours: 1, Theirs: 1, Share: 1}}}).html()
	require.NoError(t, err)
	require.NotContains(t, string(evil), "<td class=l><script>")
}

// TestTurnsAreTaken: ours first, then theirs, as many rounds as asked for, until one fails; the middle one counts.
func TestTurnsAreTaken(t *testing.T) {
	var order strings.Builder
	from := func(who string, times ...float64) func() (float64, error) {
		return func() (float64, error) {
			order.WriteString(who)
			if len(times) == 0 {
				return 0, errors.New(who + " failed")
			}
			s := times[0]
			times = times[1:]
			return s, nil
		}
	}
	ours, theirs, err := byTurns(3, from("o", 5, 1, 3), from("t", 10, 30, 20))
	require.NoError(t, err)
	require.EqualValues(t, 3, ours)
	require.EqualValues(t, 20, theirs)
	require.Equal(t, "ototot", order.String())
	ours, theirs, err = byTurns(2, from("o", 5, 1), nil)
	require.NoError(t, err)
	require.EqualValues(t, 5, ours, "of two the slower one")
	require.Zero(t, theirs)
	_, _, err = byTurns(2, from("o", 1), from("t", 1))
	require.EqualError(t, err, "o failed")
	_, _, err = byTurns(2, from("o", 1, 1), from("t", 1))
	require.EqualError(t, err, "t failed")
	values := []float64{3, 1, 2}
	require.EqualValues(t, 2, median(values))
	require.Equal(t, []float64{3, 1, 2}, values, "the argument stays in its order")
}

// TestSampleRunsAtLeastOnce after one run that does not count, however short the slice, and stops at an error of either.
func TestSampleRunsAtLeastOnce(t *testing.T) {
	n := 0
	s, err := sample(0, func() error { n++; return nil })
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.True(t, s >= 0)
	for broken := range 3 {
		n = 0
		_, err = sample(1<<40, func() error {
			if n++; n > broken {
				return errors.New("broken")
			}
			return nil
		})
		require.EqualError(t, err, "broken")
		require.Equal(t, broken+1, n)
	}
}

// TestSampleSeldomReadsTheClock: a run that takes next to nothing is measured by itself, and not with the clock's microsecond.
func TestSampleSeldomReadsTheClock(t *testing.T) {
	n := 0
	s, err := sample(2*time.Millisecond, func() error { n++; return nil })
	require.NoError(t, err)
	require.Greater(t, n, 20_000)
	require.Less(t, s, 100e-9)
}

// TestFeedsFitTheModel: free axes are the batch in front and tokens elsewhere, a fixed batch is kept to, constants need no feed,
// masks are ones, words are small, and the same seed gives the same feed.
func TestFeedsFitTheModel(t *testing.T) {
	m, err := graph.Parse("input x: float32[N,3,T]\ninput attention_mask: int64[N,4]\ninput token_type_ids: int32[N,50]\ninput ids: int64[2,50]\ninput w: float32[1]\ninput s: int64[]\nw: float32[1] = const [1]\n")
	require.NoError(t, err)
	in, ok := inputs(m, 2, 7)
	require.True(t, ok)
	require.Len(t, in, 5)
	require.Equal(t, []int{2, 3, open}, in["x"].Shape)
	require.Equal(t, []int64{1, 1, 1, 1, 1, 1, 1, 1}, tensor.View[int64](in["attention_mask"]))
	for _, v := range tensor.View[int32](in["token_type_ids"]) {
		require.True(t, v == 0 || v == 1)
	}
	for _, v := range tensor.View[int64](in["ids"]) {
		require.True(t, v >= 0 && v < 256)
	}
	again, _ := inputs(m, 2, 7)
	require.Equal(t, in["x"].Data, again["x"].Data)
	other, _ := inputs(m, 2, 8)
	require.NotEqual(t, in["x"].Data, other["x"].Data)
	_, ok = inputs(m, 3, 7)
	require.False(t, ok, "ids fixes a batch of 2")
}

// TestLayersAreChosen by part of the name and by network; a choice of nothing is a mistake in a flag, not an empty table.
func TestLayersAreChosen(t *testing.T) {
	all, err := chosen(flags{Shapes: "absent.json"})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	some, err := chosen(flags{Shapes: "absent.json", Names: all[0].Name})
	require.NoError(t, err)
	require.NotEmpty(t, some)
	require.Less(t, len(some), len(all))
	net, err := chosen(flags{Shapes: "absent.json", Nets: []string{all[0].Net}})
	require.NoError(t, err)
	for _, l := range net {
		require.Equal(t, all[0].Net, l.Net)
	}
	_, err = chosen(flags{Shapes: "absent.json", Names: "no-such-layer"})
	require.ErrorContains(t, err, `no layer's name holds "no-such-layer"`)
	_, err = chosen(flags{Shapes: "absent.json", Nets: []string{"no-such-net"}})
	require.ErrorContains(t, err, `--nets [no-such-net]`)
	broken := filepath.Join(t.TempDir(), "shapes.json")
	require.NoError(t, os.WriteFile(broken, []byte("{"), 0o600))
	_, err = chosen(flags{Shapes: broken})
	require.ErrorContains(t, err, broken)
}

// TestModelsAreChosen: what is absent is named and left out; an architecture that has to be made needs an interpreter.
func TestModelsAreChosen(t *testing.T) {
	t.Setenv("ASSAY_PYTHON", "")
	dir := t.TempDir()
	for _, name := range []string{"squeezenet1.1", "magika-v3_3"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".onnx"), nil, 0o600))
	}
	var out bytes.Buffer
	paths, err := modelFiles(context.Background(), flags{Assets: dir}, &out)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "squeezenet1.1.onnx"), filepath.Join(dir, "magika-v3_3.onnx")}, paths)
	require.Equal(t, len(labelled)-2, strings.Count(out.String(), "is absent: left out\n"))
	paths, err = modelFiles(context.Background(), flags{Assets: dir, Models: []string{"magika"}}, &out)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "magika-v3_3.onnx")}, paths)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "resnet50.onnx"), nil, 0o600))
	paths, err = modelFiles(context.Background(), flags{Assets: dir, Arch: dir, Models: []string{"resnet50"}}, &out)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "resnet50.onnx")}, paths)
	_, err = modelFiles(context.Background(), flags{Assets: dir, Arch: dir, Models: []string{"bert"}}, &out)
	require.ErrorContains(t, err, "bert_base.onnx is absent in "+dir+" and ASSAY_PYTHON names no interpreter to make it")
}
