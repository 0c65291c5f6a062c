package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/numeric"
	"assay/shared/broker"
	"assay/shared/wire"
)

// program is this binary as the evaluator, with those arguments.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asMain+"=1", "ASSAY_NATS=")
	return cmd
}

// code is the exit code of a program that has ended by itself, and -1 when a signal ended it.
func code(cmd *exec.Cmd) int { return cmd.ProcessState.ExitCode() }

// TestUnreadAnswer: a reader that went away before the answer is told nothing, and no signal ends the program.
func TestUnreadAnswer(t *testing.T) {
	for _, args := range [][]string{{"--version"}, {"--help"}, {"health", "--help"}} {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, r.Close())
		var stderr bytes.Buffer
		cmd := program(t, args...)
		cmd.Stdout, cmd.Stderr = w, &stderr
		err = cmd.Run()
		require.Error(t, err)
		require.NoError(t, w.Close())
		require.Equal(t, 141, code(cmd), "%v: %v", args, err)
		require.Empty(t, stderr.String())
	}
}

// TestFullDisk: an answer without room is an error in one line; a log without room is none, and the evaluator says what it did by its
// exit code.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("skipped: no /dev/full here")
	}
	defer full.Close()
	for _, args := range [][]string{{"--version"}, {"--help"}} {
		var stderr bytes.Buffer
		cmd := program(t, args...)
		cmd.Stdout, cmd.Stderr = full, &stderr
		require.Error(t, cmd.Run())
		require.Equal(t, 2, code(cmd), args)
		require.Equal(t, "assay-evaluator: standard output: no space left on device: what it holds is not all\n", stderr.String())
	}
	cmd := program(t, "--nats", nobody, "--allow-slow", "--wait", "0s")
	cmd.Stderr = full
	require.Error(t, cmd.Run())
	require.Equal(t, 1, code(cmd))
}

// TestUnreadLog: an evaluator whose log nobody reads any more leaves in good order, so that its coordinators do not wait for it.
func TestUnreadLog(t *testing.T) {
	url := jetStream(t)
	b, err := broker.Dial(t.Context(), url, generous, nil)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	beats, err := b.Conn.SubscribeSync(wire.HeartbeatSubject)
	require.NoError(t, err)
	require.NoError(t, b.Conn.Flush())
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	cmd := program(t, "--nats", url, "--allow-slow", "--name", "Ada", "--slots", "1", "--verbose")
	cmd.Stderr = w
	require.NoError(t, cmd.Start())
	require.NoError(t, w.Close())
	line, err := bufio.NewReader(r).ReadString('\n') // the first line says that it works; what follows finds nobody
	require.NoError(t, err)
	require.Contains(t, line, "ready")
	require.NoError(t, r.Close())
	_, err = b.JS.Publish(t.Context(), wire.TaskSubject(numeric.Version, "job"), []byte("no task")) // it warns of that
	require.NoError(t, err)
	for h := heard(t, beats); !h.Leaving; h = heard(t, beats) {
	}
	require.Error(t, cmd.Wait())
	require.Equal(t, 141, code(cmd))
}
