package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/onnx/onnxpb"
)

// TestMain looks for goroutines that outlive their test. One kind is not ours: nats.go's object store starts a goroutine for
// every Put and may clean up, at its end, before that goroutine has looked at what it shall wait for.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"),
		goleak.Cleanup(func(code int) {
			removePrograms()
			os.Exit(code)
		}))
}

// world is a folder with a small job in it: twelve pictures of one colour each, a model that names the colour, labels.
type world struct {
	t   testing.TB
	dir string
}

// colours is a network that tells red, green, blue and black apart: %s stands for its constants.
const colours = `ir 8
graph colours
input x: float32[N,3,8,8]
w: float32[4,3,1,1] = const [2, -1, -1, -1, 2, -1, -1, -1, 2, -1, -1, -1]
b: float32[4] = const [0, 0, 0, 0.75]
c: float32[N,4,8,8] = Conv(x, w, b) @colour
p: float32[N,4,1,1] = GlobalAveragePool(c) @mean
y: float32[N,4] = Flatten(p) @flat
output y: float32[N,4]
`

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t, t.TempDir()}
	w.write("model.onnx", w.encode(colours))
	var labels strings.Builder
	for i := range 12 {
		name := fmt.Sprintf("image_%02d.png", i)
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, picture(i)))
		w.write("images/"+name, b.Bytes())
		fmt.Fprintf(&labels, "%s %d\n", name, i%4)
	}
	w.write("labels.txt", []byte(labels.String()))
	return w
}

// picture is 8 x 8 pixels of nearly the colour of class i mod 4.
func picture(i int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for p := range 64 {
		v := []uint8{20, 20, 20}
		if i%4 < 3 {
			v[i%4] = uint8(200 + 3*i + p%5)
		}
		m.SetRGBA(p%8, p/8, color.RGBA{v[0], v[1], v[2], 255})
	}
	return m
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, nil))
	return b.Bytes()
}

// encode makes a model file of a graph text.
func (w *world) encode(text string) []byte {
	w.t.Helper()
	m, err := graph.Parse(text)
	require.NoError(w.t, err)
	b, err := onnx.Encode(m)
	require.NoError(w.t, err)
	return b
}

// change edits the good model's message.
func (w *world) change(edit func(*onnxpb.ModelProto)) {
	w.t.Helper()
	m := &onnxpb.ModelProto{}
	require.NoError(w.t, proto.Unmarshal(w.encode(colours), m))
	edit(m)
	b, err := proto.Marshal(m)
	require.NoError(w.t, err)
	w.write("model.onnx", b)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name string, b []byte) {
	w.t.Helper()
	require.NoError(w.t, os.MkdirAll(filepath.Dir(w.path(name)), 0o755))
	require.NoError(w.t, os.WriteFile(w.path(name), b, 0o644))
}

func (w *world) read(name string) []byte {
	w.t.Helper()
	b, err := os.ReadFile(w.path(name))
	require.NoError(w.t, err)
	return b
}

// args is the good command line. Flags given again by a case win, since kong takes the last.
func (w *world) args(more ...string) []string {
	return append([]string{
		"run", "-m", w.path("model.onnx"), "--data", w.path("images"), "--labels", w.path("labels.txt"), "--like", "unit",
		"--output-dir", w.path("out"), "--state-dir", w.path("state"),
	}, more...)
}

// without takes a flag and its value out.
func without(args []string, flag string) []string {
	for i, a := range args {
		if a == flag {
			return append(append([]string{}, args[:i]...), args[i+2:]...)
		}
	}
	return args
}

// execute runs a command line and returns exit code, output and errors.
func (w *world) execute(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}
