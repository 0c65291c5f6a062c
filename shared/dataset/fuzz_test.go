package dataset

import (
	"context"
	"encoding/binary"
	"image/color"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// FuzzDecodeInputs: what decodes is valid, encodes to the same bytes, and can be fed from pieces that do not fit it
// without a panic.
func FuzzDecodeInputs(f *testing.F) {
	s := Stream{Input: "x", DType: tensor.Uint8, Want: tensor.Float32, From: NHWC, To: NCHW, Rows: 1, Affine: Affine{255, []float32{1}, nil}}
	in, _ := store(s, []uint32{2, 2, 3}, 2, 1)
	f.Add(in.Encode())
	f.Add(Inputs{}.Encode())
	f.Add(in.Encode()[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := Decode(b)
		if err != nil {
			return
		}
		require.Equal(t, b, in.Encode())
		short := func(context.Context, plan.Digest) ([]byte, error) { return make([]byte, 24), nil }
		_, _ = in.Feed(context.Background(), short, []uint32{0})
	})
}

// FuzzIdx: an idx file decodes to a tensor that accounts for its bytes, or is refused.
func FuzzIdx(f *testing.F) {
	f.Add(idxOf(8, []byte{1, 2, 3, 4}, 2, 2))
	f.Add(idxOf(0x0d, make([]byte, 8), 1, 2))
	f.Add(idxOf(8, nil, 1<<31, 1<<31, 1<<31))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := decodeIdx(b)
		if err == nil {
			require.NoError(t, a.Check())
		}
	})
}

// FuzzLabels: any text gives lines or an error, and lines match a folder or are named.
func FuzzLabels(f *testing.F) {
	f.Add([]byte("a.png 1\nb c.png\t2\r\n\"d,e.png\",3"))
	f.Add([]byte("\ufefffile,label\n# x\n1"))
	f.Add([]byte("../../x\\y 0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ls, err := parseLabels("l", b)
		if err != nil {
			return
		}
		picks, _, err := match("l", "d", ls, []string{"a.png", "b c.png"}, []string{"c.webp"})
		if err == nil {
			require.Len(t, picks, len(ls))
		}
	})
}

// FuzzPicture: PNG and GIF decode to the bytes that their size says, or are refused. JPEG has a target of its own.
func FuzzPicture(f *testing.F) {
	f.Add(pngOf(&testing.T{}, 3, 2, color.NRGBA{1, 2, 3, 4}))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\xff\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := decodePicture(b, "")
		if err == nil {
			require.Len(t, im.Pix, im.W*im.H*im.C)
		}
	})
}

// TestClaimsCostNoMemory: files of a hundred bytes that claim gigabytes are refused, and little is allocated on the way.
func TestClaimsCostNoMemory(t *testing.T) {
	png := pngOf(t, 1, 1, color.White)
	binary.BigEndian.PutUint32(png[16:], 16000)
	binary.BigEndian.PutUint32(png[20:], 8000)
	gif := []byte("GIF89a\xff\xff\xff\x07\x80\x00\x00\xff\x00\x00\x00\xff\x00,\x00\x00\x00\x00\xff\xff\xff\x07\x00\x02\x02D\x01\x00;")
	lie, _ := store(Stream{Input: "x", DType: tensor.Uint8, Want: tensor.Float32, Rows: 1}, []uint32{1}, 1)
	lie.Streams[0].Pieces[0].Shape = []uint32{1 << 28}
	for name, read := range map[string]func() error{
		"png": func() error { _, err := decodePicture(png, ""); return err },
		"gif": func() error { _, err := decodePicture(gif, ""); return err },
		"idx": func() error { _, err := decodeIdx(idxOf(0x0d, make([]byte, 80), 1<<29)); return err },
		"inputs": func() error {
			_, err := lie.Feed(t.Context(), func(context.Context, plan.Digest) ([]byte, error) { return make([]byte, 100), nil }, []uint32{0})
			return err
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.Error(t, read(), name)
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), name)
	}
}
