package engine_test

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/onnx"
	"assay/shared/pass"
)

// BenchmarkModel measures milliseconds per image, one image at a time on one goroutine, float and INT8, and the ratio to
// ONNX Runtime's on one thread in the same minute. Ratios of a machine with other load mean little.
func BenchmarkModel(b *testing.B) {
	for _, c := range []struct{ file, kind string }{
		{"squeezenet1.1", "imagenet"}, {"mobilenet_v1_0.25_224", "imagenet"}, {"efficientnet-lite0", "imagenet"},
	} {
		for _, form := range []string{"float", "int8"} {
			b.Run(c.file+"/"+form, func(b *testing.B) {
				path := filepath.Join(assets(b), "models", c.file+".onnx")
				if form == "int8" {
					path = qdq(b, c.file, c.kind, 2)
				}
				in := runtimeOutputs(b, path, c.kind, 1).in
				m, err := onnx.Read(path)
				require.NoError(b, err)
				if form == "float" {
					require.NoError(b, pass.Normalize(m))
				}
				p, err := engine.New(engine.Options{}).Compile(m, nil)
				require.NoError(b, err)
				runtime, err := strconv.ParseFloat(oracle(b, "time", path, c.kind, "1", "-"), 64)
				require.NoError(b, err)
				_, err = p.Run(context.Background(), in, [32]byte{})
				require.NoError(b, err)
				for b.Loop() {
					_, err := p.Run(context.Background(), in, [32]byte{})
					require.NoError(b, err)
				}
				ms := b.Elapsed().Seconds() * 1e3 / float64(b.N)
				b.ReportMetric(ms, "ms/image")
				b.ReportMetric(runtime, "ms/image-onnxruntime")
				b.ReportMetric(ms/runtime, "ratio")
			})
		}
	}
}
