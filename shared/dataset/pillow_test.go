package dataset

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestFedFloatsArePythons decodes, resizes, crops and normalises photographs and compares every bit with Pillow and
// numpy. ASSAY_PILLOW_EVERY is the step through the 250 files, 25 unless set.
func TestFedFloatsArePythons(t *testing.T) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter")
	}
	dir := assets(t, "imagenet", "images")
	every, err := strconv.Atoi(os.Getenv("ASSAY_PILLOW_EVERY"))
	if err != nil {
		every = 25
	}
	for _, name := range []string{"imagenet-torch", "imagenet-tf", "imagenet-caffe", "lite"} {
		t.Run(name, func(t *testing.T) {
			prep := Prep{Usual: true, Affine: Affine{0, []float32{127}, []float32{128}}}
			if name != "lite" {
				prep, err = Like(name)
				require.NoError(t, err)
			}
			set, err := Open(t.Context(), Source{Data: dir, Prep: prep, Inputs: []Want{{"x", tensor.Float32, []int{-1, 3, 224, 224}}}})
			require.NoError(t, err)
			var pick []int
			args := []string{"testdata/pillow.py", name}
			for i := 0; i < set.Len(); i += every {
				pick = append(pick, i)
				args = append(args, filepath.Join(dir, set.Names[i]))
			}
			m := memory{}
			in, faults, err := set.Select(pick).Build(t.Context(), m.put, nil)
			require.NoError(t, err)
			require.NoError(t, faults.Err())
			want, err := exec.Command(python, args...).Output()
			require.NoError(t, err)
			size := 4 * 3 * 224 * 224
			require.Len(t, want, size*len(pick))
			for i, got := range all(t, in, m) {
				require.True(t, bytes.Equal(want[i*size:(i+1)*size], got.Data), set.Names[pick[i]])
			}
		})
	}
}
