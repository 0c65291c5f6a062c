package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed peer.py
var script []byte

// peer is ONNX Runtime in another process. A nil peer is none: every question has no answer. cmd, in and out are nil until the
// process runs; dir is the folder of its script, which close removes.
type peer struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	dir  string
	name string
}

// startPeer starts the script by the interpreter that ASSAY_PYTHON names; without that, or without the folder of
// ort_bench.py, there is no peer.
func startPeer(ctx context.Context, folder string) (*peer, error) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		return nil, nil
	}
	if _, err := os.Stat(filepath.Join(folder, "ort_bench.py")); err != nil {
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "assay-bench-")
	if err != nil {
		return nil, err
	}
	p := &peer{dir: dir}
	if err := p.start(ctx, python, folder); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// start writes the script, starts it, and waits for its name. After an error close still has to remove what there is.
func (p *peer) start(ctx context.Context, python, folder string) error {
	path := filepath.Join(p.dir, "peer.py")
	if err := os.WriteFile(path, script, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, python, path, folder)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("ASSAY_PYTHON: %w", err)
	}
	p.cmd, p.in, p.out = cmd, in, bufio.NewScanner(out)
	p.out.Buffer(nil, 1<<20)
	p.name, err = p.line()
	return err
}

// version is the peer's name, "" for none.
func (p *peer) version() string {
	if p == nil {
		return ""
	}
	return p.name
}

// close ends the peer's process, if there is one, waits for it, and removes its folder. A process whose input ends, ends.
func (p *peer) close() {
	if p == nil {
		return
	}
	if p.cmd != nil {
		_ = p.in.Close()
		_ = p.cmd.Wait()
	}
	_ = os.RemoveAll(p.dir)
}

// line reads one answer of the peer; its end before that is an error, and what it said stands on the terminal.
func (p *peer) line() (string, error) {
	if !p.out.Scan() {
		return "", fmt.Errorf("the peer ended: see its message above: %w", io.ErrUnexpectedEOF)
	}
	return p.out.Text(), nil
}

// ask sends a command and returns the seconds of one run, 0 for none.
func (p *peer) ask(command any) (float64, error) {
	text, err := json.Marshal(command)
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintln(p.in, string(text)); err != nil {
		return 0, fmt.Errorf("the peer ended: %w", err)
	}
	answer, err := p.line()
	if err != nil {
		return 0, err
	}
	if strings.HasPrefix(answer, "none") {
		return 0, nil
	}
	v, err := strconv.ParseFloat(answer, 64)
	if err != nil {
		return 0, fmt.Errorf("the peer answers %q", answer)
	}
	return v, nil
}

// again times one more slice of what was asked for last.
func (p *peer) again() (float64, error) { return p.ask(nil) }
