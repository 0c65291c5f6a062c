package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// pairsFolder is a folder of two arrays of six rows each.
func pairsFolder(t *testing.T) (dir string, want []Want) {
	dir = t.TempDir()
	write(t, dir, "ids.npy", npyOf("<i8", "(6, 2)", tensor.Of(tensor.Int64, []int{6, 2}, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}).Data))
	write(t, dir, "mask.npy", npyOf("<i8", "(6, 2)", tensor.Of(tensor.Int64, []int{6, 2}, []int64{1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0}).Data))
	return dir, []Want{{"ids", tensor.Int64, []int{-1, -1}}, {"mask", tensor.Int64, []int{-1, -1}}}
}

// TestScoresOfPairs: half as many scores as rows make pairs of rows, fed together; calibration data follows by Rows.
func TestScoresOfPairs(t *testing.T) {
	dir, want := pairsFolder(t)
	scores := filepath.Join(dir, "scores.txt")
	require.NoError(t, os.WriteFile(scores, []byte("\ufeff0.5\r\n\r\n 4\n-1e-2"), 0o644))
	set, err := Open(t.Context(), Source{Data: dir, Labels: scores, Scores: true, Inputs: want})
	require.NoError(t, err)
	require.Equal(t, []float64{0.5, 4, -0.01}, set.Scores)
	require.Equal(t, 2, set.Rows)
	require.Contains(t, set.Notes[0], "pair of score k")
	require.Equal(t, []float64{-0.01, 0.5}, set.Select([]int{2, 0}).Scores)

	s := memory{}
	in, faults, err := set.Build(t.Context(), s.put, nil)
	require.NoError(t, err)
	require.Empty(t, faults)
	fed, err := in.Feed(t.Context(), s.get, []uint32{2, 0})
	require.NoError(t, err)
	require.Equal(t, []int{4, 2}, fed["ids"].Shape)
	require.Equal(t, []int64{8, 9, 10, 11, 0, 1, 2, 3}, tensor.View[int64](fed["ids"]))

	calibration, err := Open(t.Context(), Source{Data: dir, Rows: 2, Inputs: want})
	require.NoError(t, err)
	require.Equal(t, 3, calibration.Len())
}

// TestScoresOfRows: as many scores as rows are one a row.
func TestScoresOfRows(t *testing.T) {
	dir, want := pairsFolder(t)
	scores := filepath.Join(dir, "scores.npy")
	write(t, dir, "scores.npy", npyOf("<f4", "(6, 1)", tensor.Of(tensor.Float32, []int{6, 1}, []float32{1, 2, 3, 4, 5, 6.5}).Data))
	set, err := Open(t.Context(), Source{Data: dir, Labels: scores, Scores: true, Inputs: want})
	require.NoError(t, err)
	require.Equal(t, 1, set.Rows)
	require.Equal(t, []float64{1, 2, 3, 4, 5, 6.5}, set.Scores)
}

// TestScoresRefused: what is no score, or the wrong number of them, is named with its place.
func TestScoresRefused(t *testing.T) {
	dir, want := pairsFolder(t)
	for text, says := range map[string]string{
		"1\ntwo\n3":     "scores.txt:2: \"two\" is no score",
		"1\nnan\n3":     "scores.txt:2",
		"1\n2":          "2 scores, the data has 6 rows",
		"1\n2\n3\n4\n5": "5 scores",
	} {
		scores := filepath.Join(dir, "scores.txt")
		require.NoError(t, os.WriteFile(scores, []byte(text), 0o644))
		_, err := Open(t.Context(), Source{Data: dir, Labels: scores, Scores: true, Inputs: want})
		require.ErrorContains(t, err, says)
	}
	_, err := Open(t.Context(), Source{Data: dir, Rows: 4, Inputs: want})
	require.ErrorContains(t, err, "groups of 4")
}
