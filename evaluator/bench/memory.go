package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"assay/evaluator/engine"
	"assay/shared/onnx"
)

// resident loads a model file as it is, runs it three times at a batch and prints the most memory that this process held.
func resident(ctx context.Context, path string, batch int, out io.Writer) error {
	m, err := onnx.Read(path)
	if err != nil {
		return err
	}
	in, ok := inputs(m, batch, 1)
	if !ok {
		return fmt.Errorf("%s: the model fixes another batch than %d", path, batch)
	}
	e := engine.New(engine.Options{})
	program, err := e.Compile(m, nil)
	if err != nil {
		return err
	}
	for range 3 {
		if _, err := program.Run(ctx, in, [32]byte{}); err != nil {
			return err
		}
	}
	most, err := highWater()
	if err != nil {
		return err
	}
	u := e.Usage()
	_, err = fmt.Fprintf(out, "%s, batch %d: %d MB resident at most; arena %d MB, packed weights %d MB\n", path, batch, most>>20, u.Arena>>20, u.Weights>>20)
	return err
}

// highWater is the most resident bytes of this process so far, as Linux counts them.
func highWater() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("resident memory is read from Linux's /proc: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/self/status names no VmHWM")
}
