package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExampleJobs: every committed example is a complete job whose files are there, and is under 1 MB.
func TestExampleJobs(t *testing.T) {
	jobs, err := filepath.Glob("../../deployments/examples/*/job.json")
	require.NoError(t, err)
	require.NotEmpty(t, jobs)
	for _, path := range jobs {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			j, err := Read(path)
			require.NoError(t, err)
			require.NoError(t, j.Check())
			for _, f := range []string{j.Model, j.Data.Source, j.Data.Labels, j.Calibration.Source} {
				if f != "" {
					_, err := os.Stat(f)
					require.NoError(t, err)
				}
			}
			files, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			var bytes int64
			for _, f := range files {
				info, err := f.Info()
				require.NoError(t, err)
				bytes += info.Size()
			}
			require.Less(t, bytes, int64(5_000_000))
		})
	}
}
