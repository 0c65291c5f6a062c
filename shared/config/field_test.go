package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// field is the folder of a field case beside the repository, "" when there is none.
func field(t *testing.T, name string) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		require.NotEqual(t, up, dir, "no go.mod above the test")
		dir = up
	}
	out := filepath.Join(dir, "..", "shared", "assets", "field", name)
	if _, err := os.Stat(out); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return out
}

// TestFieldConfig reads the job files of the field cases config-*: which are taken, with what, and what the refusals name.
func TestFieldConfig(t *testing.T) {
	for _, c := range []struct {
		dir, file string
		subset    int
		mentions  []string // of the refusal; none: taken
	}{
		{"config-comments-bom-duplicates", "job.json", 3, nil},
		{"config-comments-bom-duplicates", "job_twice.json", 0, []string{"stat_subset_size", "lines 10 and 11"}},
		{"config-subset-larger-than-data", "job.json", 300, nil},
		{"config-subset-larger-than-data", "job_zero.json", 0, []string{"stat_subset_size", "whole number of 1 or more"}},
		{"config-subset-larger-than-data", "job_fraction.json", 0, []string{"stat_subset_size", "2.5", "whole number of 1 or more"}},
		{"config-ignored-name-not-there", "job.json", 300, nil},
	} {
		t.Run(c.dir+"/"+c.file, func(t *testing.T) {
			j, err := Read(filepath.Join(field(t, c.dir), c.file))
			if c.mentions != nil {
				require.Error(t, err)
				require.Len(t, err, 1, "one error")
				for _, m := range c.mentions {
					require.ErrorContains(t, err, m)
				}
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.subset, j.Calibration.Count)
			require.FileExists(t, j.Model)
			require.DirExists(t, j.Data.Source)
			require.NoError(t, j.Check())
		})
	}
}

// TestFieldIgnoredName: a node name that the model does not have is reported with its line and the nearest node.
func TestFieldIgnoredName(t *testing.T) {
	j, err := Read(filepath.Join(field(t, "config-ignored-name-not-there"), "job.json"))
	require.NoError(t, err)
	require.Len(t, j.Quantize.IgnoredNames, 1)
	err = j.Unknown(j.Quantize.IgnoredNames[0], "node", []string{"/features/0/Relu", "/features/0/Conv", "/fc/Gemm"})
	require.ErrorContains(t, err, "job.json:10:32: compression.algorithms[0].params.ignored.scope[0]: ")
	require.ErrorContains(t, err, `"features.0.Conv"`)
	require.ErrorContains(t, err, "did you mean /features/0/Conv?")
}

// TestReadRefuses keeps the errors about the file as such.
func TestReadRefuses(t *testing.T) {
	_, err := Read(filepath.Join(t.TempDir(), "none.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Read("pot.yaml")
	require.ErrorContains(t, err, "YAML job files are not read")
	_, err = Read(t.TempDir())
	require.Error(t, err, "a folder")
	big := filepath.Join(t.TempDir(), "big.json")
	require.NoError(t, os.WriteFile(big, make([]byte, maxFile+1), 0o644))
	_, err = Read(big)
	require.ErrorContains(t, err, "larger than")
}

// TestPickIsPartOfTheData: calibration data of its own gives its first samples, or all.
func TestPickIsPartOfTheData(t *testing.T) {
	require.Equal(t, []uint32{0, 1, 2}, Calibration{Count: 3, Source: "x"}.Pick(5))
	require.Equal(t, []uint32{0, 1}, Calibration{Count: 3, Source: "x"}.Pick(2))
	drawn := Calibration{Count: 100, Shuffle: true, Seed: 5, Source: "x"}.Pick(1000)
	require.IsIncreasing(t, drawn)
	require.Len(t, drawn, 100)
	require.Less(t, drawn[99], uint32(1000))
}

// TestErrorsUnwrap: a caller finds single errors with their places.
func TestErrorsUnwrap(t *testing.T) {
	_, err := Parse("job.json", []byte("{\n\"modle\": {}, \"x\": 1}"))
	var one *Error
	require.ErrorAs(t, err, &one)
	require.Equal(t, Pos{Line: 2, Column: 1}, one.Pos)
	require.Equal(t, "modle", one.Key)
	require.Len(t, err, 2)
	require.Empty(t, Pos{}.String())
}
