package conv

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
)

// oracleCase is what testdata/oracle.py reads besides the arrays.
type oracleCase struct {
	Geometry
	XZero, YZero uint8
}

// TestI8EqualsONNXRuntime demands the bytes of QLinearConv. The oracle is the interpreter that ASSAY_PYTHON names.
func TestI8EqualsONNXRuntime(t *testing.T) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	dir, r := t.TempDir(), rand.New(rand.NewPCG(9, 9))
	var cases []oracleCase
	var ours [][]uint8
	for i, g := range []Geometry{
		square(1, 28, 64, 64, 3, 1, 1, 1), square(1, 33, 3, 16, 3, 2, 1, 1), square(2, 14, 96, 40, 1, 1, 0, 1),
		square(1, 14, 96, 96, 3, 1, 1, 96), square(1, 15, 72, 72, 5, 2, 2, 72), square(1, 7, 120, 120, 5, 1, 2, 120),
		square(1, 16, 32, 32, 3, 1, 1, 32), square(1, 9, 12, 24, 3, 1, 1, 4), square(1, 5, 10, 30, 3, 1, 1, 1),
	} {
		c := oracleCase{g, uint8(r.IntN(256)), uint8(r.IntN(256))}
		x, w := make([]uint8, g.Batch*g.H*g.W*g.C), make([]int8, g.OC*g.C/g.Group*g.KH*g.KW)
		for j := range x {
			x[j] = uint8(r.Uint32())
		}
		for j := range w {
			w[j] = int8(r.IntN(255) - 127)
		}
		bias, mult := make([]int32, g.OC), make([]float32, g.OC)
		for j := range bias {
			bias[j], mult[j] = int32(r.IntN(20000)-10000), float32(math.Exp(-6-4*r.Float64()))
			if j%8 == 0 {
				mult[j] = 1.0 / 128 // ties
			}
		}
		p, err := PackI8(g, w, bias, nil)
		require.NoError(t, err)
		y := make([]uint8, g.Batch*g.OutH()*g.OutW()*g.OC)
		p.Run(y, x, g, c.XZero, numeric.NewRequant(mult, int32(c.YZero)), make([]byte, p.Scratch(g)))
		cases, ours = append(cases, c), append(ours, y)
		for name, data := range map[string][]byte{"x": x, "w": raw(w), "b": raw(bias), "m": raw(mult)} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.%s", i, name)), data, 0o600))
		}
	}
	text, err := json.Marshal(cases)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cases.json"), text, 0o600))
	out, err := exec.Command(python, filepath.Join("testdata", "oracle.py"), dir).CombinedOutput()
	require.NoError(t, err, string(out))
	for i, c := range cases {
		theirs, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.y", i)))
		require.NoError(t, err)
		require.Equal(t, theirs, ours[i], "%+v", c)
	}
}

// raw is the little-endian bytes of s on the machines that run the oracle.
func raw[T guard.Element](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(s[0])))
}
