package mapped_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/mapped"
)

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	want := []byte("some bytes")
	require.NoError(t, os.WriteFile(path, want, 0o600))
	got, err := mapped.File(path)
	require.NoError(t, err)
	require.Equal(t, want, got)

	require.NoError(t, os.Remove(path))
	require.Equal(t, want, got, "bytes of a file that was replaced stay")

	require.NoError(t, os.WriteFile(path, nil, 0o600))
	got, err = mapped.File(path)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestFileRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := mapped.File(filepath.Join(dir, "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = mapped.File(dir)
	require.ErrorIs(t, err, mapped.ErrIrregular)
	require.ErrorContains(t, err, dir)
	if os.Geteuid() != 0 {
		path := filepath.Join(dir, "secret")
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o000))
		_, err = mapped.File(path)
		require.ErrorIs(t, err, os.ErrPermission)
	}
}

func TestCareful(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	page := os.Getpagesize()
	require.NoError(t, os.WriteFile(path, make([]byte, 3*page), 0o600))
	b, err := mapped.File(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, int64(page)))
	read := 0
	err = mapped.Careful(func() error {
		for _, v := range b {
			read += int(v) + 1
		}
		return nil
	})
	require.ErrorIs(t, err, mapped.ErrShortened)
	require.Equal(t, page, read)

	own := errors.New("its own")
	require.Equal(t, own, mapped.Careful(func() error { return own }))
	require.NoError(t, mapped.Careful(func() error { return nil }))
	require.PanicsWithValue(t, "else", func() { _ = mapped.Careful(func() error { panic("else") }) })
	require.Panics(t, func() {
		_ = mapped.Careful(func() error {
			var p *int
			*p++
			return nil
		})
	}, "a nil pointer is no file")
}
