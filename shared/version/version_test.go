package version

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestString begins with the release, whatever is known of the commit, and says the same every time.
func TestString(t *testing.T) {
	number, commit, known := strings.Cut(String(), "+")
	require.Equal(t, Number, number)
	require.Regexp(t, `^\d+\.\d+\.\d+`, number)
	if known {
		require.Regexp(t, "^[0-9a-f]{12}$", commit)
	}
	require.Equal(t, String(), String())
}
