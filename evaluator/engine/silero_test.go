package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/onnx"
)

// TestSileroAgreesWithTheRuntime: a voice detector of 25 Ifs, nested four deep and decided by shapes, with an LSTM in one of
// them. One frame and two differ in the branches that run.
func TestSileroAgreesWithTheRuntime(t *testing.T) {
	path := filepath.Join(assets(t), "models", "silero_vad_16k_op15.onnx")
	m, err := onnx.Read(path)
	require.NoError(t, err)
	p, err := engine.New(engine.Options{}).Compile(m, nil)
	require.NoError(t, err)
	for _, rows := range []int{1, 2} {
		want := runtimeOutputs(t, path, fmt.Sprintf("input=%dx512,state=2x%dx128,sr=int64:", rows, rows), 1)
		got, err := p.Run(context.Background(), want.in, [32]byte{})
		require.NoError(t, err)
		for name, w := range want.out {
			if name == "output" { // a probability, far below 1 for noise
				require.InDeltaSlice(t, w.F32(), got[name].F32(), 1e-6)
				continue
			}
			near(t, name, got[name], w, 1e-4)
		}
	}
}
