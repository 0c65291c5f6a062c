package dataset

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// voice are the inputs of a recurrent network: a frame, a state whose batch is its second axis, and a number.
var voice = []Want{
	{"frame", tensor.Float32, []int{-1, 4}}, {"state", tensor.Float32, []int{2, -1, 3}}, {"rate", tensor.Int64, []int{}},
}

// voiceFolder holds an array of so many elements of 4 bytes for each input.
func voiceFolder(t *testing.T, frame, state, rate string, n ...int) string {
	dir := t.TempDir()
	for i, name := range []string{"frame", "state", "rate"} {
		descr, size := "<f4", 4
		if name == "rate" {
			descr, size = "<i8", 8
		}
		write(t, dir, name+".npy", npyOf(descr, []string{frame, state, rate}[i], make([]byte, n[i]*size)))
	}
	return dir
}

// TestStates: a state without a batch axis in front has one sample in each entry of its array, fed as it is.
func TestStates(t *testing.T) {
	_, in, m := build(t, Source{Data: voiceFolder(t, "(5, 4)", "(5, 2, 1, 3)", "(5,)", 20, 30, 5), Inputs: voice})
	require.EqualValues(t, 5, in.Count)
	fed, err := in.Feed(t.Context(), m.get, []uint32{3})
	require.NoError(t, err)
	require.Equal(t, []int{1, 4}, fed["frame"].Shape)
	require.Equal(t, []int{2, 1, 3}, fed["state"].Shape)
	require.Empty(t, fed["rate"].Shape)
	require.Equal(t, 1, in.Together([]uint32{0, 1}), "a number has no room for two samples")
}

// TestStatesAsTheModelHasThem: arrays of the model's own shapes are no samples; the error says what shapes are.
func TestStatesAsTheModelHasThem(t *testing.T) {
	_, err := Open(t.Context(), Source{Data: voiceFolder(t, "(5, 4)", "(2, 5, 3)", "(5,)", 20, 30, 5), Inputs: voice})
	require.EqualError(t, err, `data: the array for "state" has 2 samples, that for "frame" has 5: the first axis counts samples, so that "frame" is [samples, 4] and "state" is [samples, 2, ?, 3]`)
	_, err = Open(t.Context(), Source{Data: voiceFolder(t, "(5, 4)", "(5, 2, 1, 3)", "(1,)", 20, 30, 1), Inputs: voice})
	require.ErrorContains(t, err, `and "rate" is [samples]`)
}
