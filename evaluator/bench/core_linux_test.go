package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestPin runs in a process of its own, which stays where it was put, with what it starts.
func TestPin(t *testing.T) {
	var set unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &set))
	if os.Getenv("BENCH_PINNED") == "" {
		c := exec.Command(os.Args[0], "-test.run", "^TestPin$")
		c.Env = append(os.Environ(), "BENCH_PINNED=1")
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	last := len(set)*64 - 1
	for !set.IsSet(last) {
		last--
	}
	require.NoError(t, pin(-1))
	require.NoError(t, unix.SchedGetaffinity(0, &set))
	require.Equal(t, 1, set.Count())
	require.True(t, set.IsSet(last))
	out, err := exec.Command("cat", "/proc/self/status").Output()
	require.NoError(t, err)
	_, list, _ := strings.Cut(string(out), "Cpus_allowed_list:")
	require.NotContains(t, strings.Fields(list)[0], ",", "the child may use one core")
	require.NotContains(t, strings.Fields(list)[0], "-")
	require.NoError(t, pin(last))
	require.ErrorContains(t, pin(1000), "--core")
}
