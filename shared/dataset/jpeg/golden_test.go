package jpeg

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDecodedPixelsArePillows decodes every file of testdata to the bytes whose digest golden.py got from Pillow: all
// samplings, progressive, restart markers, grey, RGB, CMYK, YCCK, and sizes around the borders of blocks and filters.
func TestDecodedPixelsArePillows(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jpg")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".jpg"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			want, err := os.ReadFile(strings.TrimSuffix(path, ".jpg") + ".sha")
			require.NoError(t, err)
			im, err := Decode(b)
			require.NoError(t, err)
			require.Equal(t, string(want), fmt.Sprintf("%d %d %d %x\n", im.W, im.H, im.C, sha256.Sum256(im.Pix)))
		})
	}
}
