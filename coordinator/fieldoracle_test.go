package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// oracle is ONNX Runtime in a process of its own, for as long as the test that started it.
type oracle struct {
	in  io.Writer
	out *bufio.Scanner
}

// verdict is what it says of one model.
type verdict struct {
	Faults         []string
	Worst, Between []float64
}

// startOracle is nil when ASSAY_PYTHON is unset.
func startOracle(t *testing.T) *oracle {
	interpreter := os.Getenv("ASSAY_PYTHON")
	if interpreter == "" {
		t.Log("ASSAY_PYTHON names no interpreter with onnxruntime: the exported models are run by Assay only")
		return nil
	}
	cmd := exec.Command(interpreter, "testdata/field/oracle.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	})
	return &oracle{in, bufio.NewScanner(out)}
}

// arraysOf is named arrays as the request wants them.
type arraysOf struct {
	Name  string   `json:"name"`
	Files []string `json:"files"`
}

// run asks for a verdict on the model at path.
func (o *oracle) run(c *fieldCase, path string) (verdict, error) {
	type part struct {
		Output string `json:"output"`
		Axis   int    `json:"axis"`
		Range  [2]int `json:"range"`
	}
	request := struct {
		Model       string     `json:"model"`
		Inputs      []arraysOf `json:"inputs"`
		Outputs     []arraysOf `json:"outputs"`
		NonNegative []part     `json:"non_negative"`
	}{Model: path}
	for _, in := range c.Inputs {
		request.Inputs = append(request.Inputs, arraysOf{in.Name, c.paths(in.Test)})
	}
	for _, out := range c.Outputs {
		request.Outputs = append(request.Outputs, arraysOf{out.Name, c.paths(out.Expected)})
	}
	for _, n := range c.Check.NonNegative {
		request.NonNegative = append(request.NonNegative, part{n.Output, n.Axis, n.Range})
	}
	b, err := json.Marshal(request)
	if err != nil {
		return verdict{}, err
	}
	if _, err := o.in.Write(append(b, '\n')); err != nil {
		return verdict{}, err
	}
	if !o.out.Scan() {
		return verdict{}, fmt.Errorf("the oracle ended: %w", io.ErrUnexpectedEOF)
	}
	var v verdict
	return v, json.Unmarshal(o.out.Bytes(), &v)
}

func (c *fieldCase) paths(fs files) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = filepath.Join(c.dir, f)
	}
	return out
}
