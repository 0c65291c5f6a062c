package config

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnitsOfMemory: every unit by its size, in any case; a fraction of it is cut to bytes.
func TestUnitsOfMemory(t *testing.T) {
	want := map[string]int64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
	for i, prefix := range []string{"K", "M", "G", "T"} {
		for _, unit := range []string{prefix, prefix + "i", prefix + "iB"} {
			want[unit] = 1 << (10 * (i + 1))
		}
	}
	for unit, size := range want {
		for _, spelled := range []string{unit, strings.ToLower(unit), strings.ToUpper(unit), " " + unit} {
			n, err := ParseBytes("3" + spelled)
			require.NoError(t, err, spelled)
			require.Equal(t, 3*size, n, spelled)
			n, err = ParseBytes("1.5" + spelled)
			require.NoError(t, err, spelled)
			require.Equal(t, size+size/2, n, spelled)
		}
	}
	require.Len(t, units, len(want))
	n, err := ParseBytes("9223372036854775807")
	require.NoError(t, err)
	require.EqualValues(t, math.MaxInt64, n)
}

// TestWordsThatAreNear: letters of another case and other separators are nearer than other letters, up to 256 bytes.
func TestWordsThatAreNear(t *testing.T) {
	long := strings.Repeat("a", maxWord)
	for _, c := range []struct {
		word, want string
		candidates []string
	}{
		{"Model", "model", []string{"modem", "model"}},
		{"stat-subset.size", "stat_subset_size", []string{"stat_subset_sizes", "stat_subset_size"}},
		{"aaZZaa", "aazzaa", []string{"aayyaa", "aazzaa"}},
		{"@@@@@", "", []string{"`````"}}, // they differ by the same bit as letters of another case do
		{"[[[[[", "", []string{"{{{{{"}},
		{"ab", "ba", []string{"xy", "ba"}},
		{"abc", "", []string{"axy"}},
		{long, long, []string{long}}, {long + "a", "", []string{long + "a"}}, {long, "", []string{long + "a"}},
	} {
		require.Equal(t, c.want, Nearest(c.word, c.candidates), "%.20s", c.word)
	}
}

// TestKeysReachTheJob: what a file says of outputs, masks, metrics and agreement is what the job holds.
func TestKeysReachTheJob(t *testing.T) {
	j, err := Parse("dir/job.json", []byte(`{"model": {"model": "m.onnx"},
"engine": {"data_source": "x.npz", "output": "scores", "mask": "attention_mask"},
"compression": {"algorithms": [{"name": "AccuracyAwareQuantization", "params": {"annotation_free": true, "metrics": [
  {"name": "agreement"}, {"name": "mine", "type": "agreement"}]}}]}}`))
	require.NoError(t, err)
	require.Equal(t, "scores", j.Data.Output)
	require.Equal(t, "attention_mask", j.Data.Mask)
	require.True(t, j.Agreement)
	require.Len(t, j.Metrics, 2)
	for i, name := range []string{"agreement", "mine"} {
		require.Equal(t, name, j.Metrics[i].Name)
		require.Equal(t, "agreement", j.Metrics[i].Type)
		require.EqualValues(t, 1, j.Metrics[i].TopK)
	}
}

// TestSplitAtItsBorders: as many samples as are asked for are all of them, and every second of two leaves one to search.
func TestSplitAtItsBorders(t *testing.T) {
	calibration, search, err := Calibration{Count: 3}.Split(3)
	require.NoError(t, err)
	require.Equal(t, []uint32{0, 1, 2}, calibration)
	require.Equal(t, calibration, search)
	calibration[0] = 9
	require.EqualValues(t, 0, search[0], "the lists are the caller's")
	calibration, search, err = Calibration{Count: 1, Every: 2}.Split(2)
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, calibration)
	require.Equal(t, []uint32{1}, search)
	_, _, err = Calibration{Count: 1, Every: 2}.Split(1)
	require.ErrorContains(t, err, "none is left to search")
	_, _, err = Calibration{Count: 1}.Split(0)
	require.EqualError(t, err, "no samples")
	calibration, _, err = Calibration{Count: 1}.Split(1)
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, calibration)
	for text, want := range map[string]string{"0": "1 or more samples", "-1": "1 or more samples", "every:1": "K of 2 or more", "every:x": "K of 2 or more", "": "empty"} {
		c, err := ParseCalibration(text, Calibration{Count: 7})
		require.ErrorContains(t, err, want)
		require.Equal(t, Calibration{Count: 7}, c)
	}
	c, err := ParseCalibration("1", Calibration{Count: 7, Every: 2})
	require.NoError(t, err)
	require.Equal(t, Calibration{Count: 1}, c)
}
