package dataset

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"assay/shared/plan"
	"assay/shared/tensor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// assets is a path below ../shared/assets next to the repository; the test is skipped where that is absent.
func assets(t *testing.T, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	path := filepath.Join(append([]string{filepath.Dir(dir), "shared", "assets"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return path
}

// memory is a store of pieces.
type memory map[plan.Digest][]byte

func (m memory) put(b []byte) (plan.Digest, error) {
	d := plan.Digest(sha256.Sum256(b))
	m[d] = append([]byte(nil), b...)
	return d, nil
}

func (m memory) get(_ context.Context, d plan.Digest) ([]byte, error) {
	if b, ok := m[d]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("object %s is not stored", d.Short())
}

// build opens and builds a source that has no faults.
func build(t *testing.T, s Source) (*Set, Inputs, memory) {
	t.Helper()
	set, err := Open(t.Context(), s)
	require.NoError(t, err)
	m := memory{}
	in, faults, err := set.Build(t.Context(), m.put, nil)
	require.NoError(t, err)
	require.NoError(t, faults.Err())
	require.EqualValues(t, set.Len(), in.Count)
	return set, in, m
}

// all feeds every sample of the manifest's only input, one by one.
func all(t *testing.T, in Inputs, m memory) []*tensor.Tensor {
	t.Helper()
	var out []*tensor.Tensor
	for i := range in.Count {
		fed, err := in.Feed(t.Context(), m.get, []uint32{i})
		require.NoError(t, err)
		out = append(out, fed[in.Streams[0].Input])
	}
	return out
}

// write makes a file in a folder of the test.
func write(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, b, 0o644))
	return path
}
