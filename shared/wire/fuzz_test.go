package wire_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// seeds of a fuzzer are its kind's samples and the hostile bytes.
func seeds(t testing.TB, k kind) map[string][]byte {
	out := map[string][]byte{}
	for name, b := range hostile(k.version) {
		out["hostile-"+strings.ReplaceAll(name, " ", "-")] = b
	}
	for name, sample := range k.samples {
		b, err := sample()
		require.NoError(t, err)
		out["sample-"+name] = b
	}
	return out
}

func corpus(k kind) string {
	return filepath.Join("testdata", "fuzz", "Fuzz"+strings.ToUpper(k.name[:1])+k.name[1:])
}

// TestCorpora: every fuzzer's seeds are in the tree, as the go command reads them.
func TestCorpora(t *testing.T) {
	for _, k := range kinds() {
		for name, b := range seeds(t, k) {
			path := filepath.Join(corpus(k), name)
			text := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", b)
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(got))
		}
	}
}

// fuzz: no bytes panic or cost more memory than a small multiple of the largest message, and what is taken has one spelling.
func fuzz(f *testing.F, name string) {
	for _, k := range kinds() {
		if k.name != name {
			continue
		}
		f.Fuzz(func(t *testing.T, b []byte) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m, err := k.decode(b)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
			if err != nil {
				require.Less(t, len(err.Error()), 1000)
				return
			}
			again, err := k.encode(m)
			require.NoError(t, err)
			require.Equal(t, b, again)
		})
	}
}

// FuzzTask feeds any bytes to the decoder of tasks.
func FuzzTask(f *testing.F) { fuzz(f, "task") }

// FuzzResult feeds any bytes to the decoder of results.
func FuzzResult(f *testing.F) { fuzz(f, "result") }

// FuzzClaim feeds any bytes to the decoder of claims.
func FuzzClaim(f *testing.F) { fuzz(f, "claim") }

// FuzzFailure feeds any bytes to the decoder of failures.
func FuzzFailure(f *testing.F) { fuzz(f, "failure") }

// FuzzHeartbeat feeds any bytes to the decoder of heartbeats.
func FuzzHeartbeat(f *testing.F) { fuzz(f, "heartbeat") }
