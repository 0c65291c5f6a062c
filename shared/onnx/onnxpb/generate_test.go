package onnxpb

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGeneratedFileIsCurrent generates again and compares. The generator is a module of its own, whose dependencies may
// have to be downloaded, so the test runs only when it is asked for.
func TestGeneratedFileIsCurrent(t *testing.T) {
	if os.Getenv("ASSAY_GENERATE") == "" {
		t.Skip("skipped: ASSAY_GENERATE is not set")
	}
	cmd := exec.Command("go", "run", ".", "-check")
	cmd.Dir = "gen"
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
