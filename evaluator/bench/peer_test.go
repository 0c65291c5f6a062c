package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/kernels/layer"
)

// standIn makes ASSAY_PYTHON a shell script that speaks as the peer does, and returns the folder that asks for it. body sees
// each command as $line.
func standIn(t *testing.T, body string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "ort_bench.py"), nil, 0o600))
	program := filepath.Join(folder, "interpreter")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"+body), 0o700))
	t.Setenv("ASSAY_PYTHON", program)
	t.Setenv("TMPDIR", t.TempDir())
	return folder
}

// requireNothingLeft: the script's folder went with the peer.
func requireNothingLeft(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "assay-bench-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestPeerAnswers: seconds, none, and what is no answer; the first form that the peer has is the one that is timed.
func TestPeerAnswers(t *testing.T) {
	folder := standIn(t, `echo "Stand-in 1"
while read -r line; do
	case "$line" in
	null) echo 0.25 ;;
	*second*) echo 0.5 ;;
	*broken*) echo "a word" ;;
	*) echo none ;;
	esac
done
`)
	p, err := startPeer(t.Context(), folder)
	require.NoError(t, err)
	require.Equal(t, "Stand-in 1", p.version())
	var row layerRow
	again, err := p.form(layer.Layer{}, [2]string{"first", "second"}, time.Second, &row)
	require.NoError(t, err)
	require.Equal(t, "second", row.Form)
	s, err := again()
	require.NoError(t, err)
	require.EqualValues(t, 0.25, s)
	row = layerRow{}
	again, err = p.form(layer.Layer{}, [2]string{"first", "third"}, time.Second, &row)
	require.NoError(t, err)
	require.Nil(t, again, "the peer has neither")
	require.Empty(t, row.Form)
	_, err = p.form(layer.Layer{}, [2]string{"broken", "second"}, time.Second, &row)
	require.EqualError(t, err, `the peer answers "a word"`)
	p.close()
	requireNothingLeft(t)
}

// TestPeerThatEnds: an interpreter that is not there, ends before its name, or ends later is an error, never a wait, and leaves
// no folder behind.
func TestPeerThatEnds(t *testing.T) {
	p, err := startPeer(t.Context(), standIn(t, "exit 3\n"))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Nil(t, p)
	requireNothingLeft(t)

	folder := standIn(t, "")
	t.Setenv("ASSAY_PYTHON", filepath.Join(folder, "nowhere"))
	p, err = startPeer(t.Context(), folder)
	require.ErrorContains(t, err, "ASSAY_PYTHON: ")
	require.Nil(t, p)
	requireNothingLeft(t)

	p, err = startPeer(t.Context(), standIn(t, "echo name\nread -r line\nexit 0\n"))
	require.NoError(t, err)
	_, err = p.again()
	require.ErrorContains(t, err, "the peer ended")
	p.close()
	requireNothingLeft(t)
}

// TestNoPeer: without an interpreter, or without what it would run, there is none, and that is no error.
func TestNoPeer(t *testing.T) {
	folder := standIn(t, "exit 1\n")
	p, err := startPeer(t.Context(), t.TempDir())
	require.NoError(t, err)
	require.Nil(t, p)
	t.Setenv("ASSAY_PYTHON", "")
	p, err = startPeer(t.Context(), folder)
	require.NoError(t, err)
	require.Nil(t, p)
	require.Empty(t, p.version())
	f, err := p.form(layer.Layer{}, [2]string{}, 0, &layerRow{})
	require.NoError(t, err)
	require.Nil(t, f)
	p.close()
}
