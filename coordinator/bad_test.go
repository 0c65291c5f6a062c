package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"assay/shared/onnx/onnxpb"
)

// TestBadInput changes one thing of a good job. Each must end with exit code 2 and one error that holds all of want: what
// is wrong, where, and what to do.
func TestBadInput(t *testing.T) {
	for _, c := range badInputs {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			args := w.args()
			if c.break_ != nil {
				c.break_(w)
			}
			if c.args != nil {
				args = c.args(w, args)
			}
			code, stdout, stderr := w.execute(t.Context(), args...)
			require.Equal(t, exitInput, code, stderr)
			require.Empty(t, stdout)
			require.Equal(t, 1, strings.Count(stderr, "assay: "), stderr)
			at := strings.Index(stderr, "assay: ")
			for _, want := range c.want {
				require.Contains(t, stderr[at:], want)
			}
			require.NotContains(t, stderr, "goroutine ")
			left, err := filepath.Glob(w.path("out/*"))
			require.NoError(t, err)
			require.Empty(t, left, "nothing may be written")
		})
	}
}

// badInput is one broken thing: break_ breaks files, args the command line.
type badInput struct {
	name   string
	break_ func(w *world)
	args   func(w *world, good []string) []string
	want   []string
}

var badInputs = concat(badModels, badData, badJobs, badMachines)

func concat(lists ...[]badInput) []badInput {
	var out []badInput
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// more adds flags.
func more(flags ...string) func(*world, []string) []string {
	return func(_ *world, good []string) []string { return append(good, flags...) }
}

// less takes a flag away.
func less(flag string) func(*world, []string) []string {
	return func(_ *world, good []string) []string { return without(good, flag) }
}

// model writes a graph text as the model.
func model(text string) func(*world) {
	return func(w *world) { w.write("model.onnx", w.encode(text)) }
}

var badModels = []badInput{
	{name: "no model file", args: more("-m", "nowhere.onnx"), want: []string{"nowhere.onnx", "no such file"}},
	{name: "model is a folder", args: func(w *world, good []string) []string { return append(good, "-m", w.dir) }, want: []string{"is a directory"}},
	{name: "not ONNX", break_: func(w *world) { w.write("model.onnx", []byte("<html>not found</html>\n")) }, want: []string{"model.onnx", "is no ONNX model"}},
	{name: "empty", break_: func(w *world) { w.write("model.onnx", nil) }, want: []string{"model.onnx", "empty"}},
	{name: "truncated", break_: func(w *world) { b := w.read("model.onnx"); w.write("model.onnx", b[:len(b)*2/3]) }, want: []string{"model.onnx"}},
	{name: "2 GB claimed by 100 bytes", break_: func(w *world) { w.write("model.onnx", claim2GB()) }, want: []string{"model.onnx"}},
	{
		name: "unknown operators and domains, all named",
		break_: model(`ir 8
			import "com.acme" 1
			graph g
			input x: float32[N,3,8,8]
			a = Frobnicate(x) @one
			b = com.acme.Wobble(a) @two
			y = Quux(b) @three
			output y: float32[N,4]`),
		want: []string{"3 things", "Frobnicate", "com.acme", "Wobble", "Quux", "model.onnx", "OPERATORS.md"},
	},
	{
		name: "opset of the future", break_: func(w *world) {
			w.change(func(m *onnxpb.ModelProto) { m.OpsetImport[0].Version = proto.Int64(999) })
		}, want: []string{"opset 999", "export"},
	},
	{
		name: "cycle", break_: func(w *world) {
			w.change(func(m *onnxpb.ModelProto) { m.Graph.Node[0].Input[0] = "y" })
		}, want: []string{"cycle", `"colour" (Conv)`, `"flat" (Flatten)`, "export"},
	},
	{
		name: "missing initializer", break_: func(w *world) {
			w.change(func(m *onnxpb.ModelProto) { m.Graph.Initializer = m.Graph.Initializer[1:] })
		}, want: []string{`"colour" (Conv)`, "is not defined", "export"},
	},
	{
		name: "shape mismatch in the model", break_: model(strings.Replace(colours, "float32[4,3,1,1]", "float32[3,4,1,1]", 1)),
		want: []string{"model.onnx", "x [1 3 8 8]", `"colour" (Conv)`},
	},
	{
		name: "shape mismatch of model and data", break_: model(strings.Replace(colours, "x: float32[N,3,8,8]", "x: float32[N,5,8,8]", 1)),
		want: []string{"5", "channels"},
	},
	{name: "NaN weights", break_: model(strings.Replace(colours, "0, 0.75", "0, nan", 1)), want: []string{"model.onnx", `"b"`, "NaN"}},
}

var badData = []badInput{
	{name: "no data", args: more("--data", "nowhere"), want: []string{"nowhere"}},
	{name: "no labels", args: func(w *world, good []string) []string {
		return append(without(good, "--labels"), "--metric", "accuracy@top1")
	}, want: []string{"has no labels", "--labels FILE", "folder of its own", "--metric agreement"}},
	{name: "no scores", args: func(w *world, good []string) []string {
		return append(without(good, "--labels"), "--metric", "spearman")
	}, want: []string{"has no scores", "--labels FILE"}},
	{name: "labels leave the background out", break_: model(background), want: []string{"off by one", "the label in 0 of 12 samples", "plus one in 12", "engine.has_background"}},
	{name: "labels count from 1", break_: func(w *world) {
		w.write("model.onnx", w.encode(background))
		w.relabel(func(class int) int { return class + 2 })
	}, want: []string{"off by one", "less one in 12", "take one off"}},
	{name: "the last label is outside", break_: func(w *world) {
		w.relabel(func(class int) int { return class + 1 })
	}, want: []string{"labels.txt", "0..3", "count from 1"}},
	{name: "no preprocessing is best", args: less("--like"), want: []string{"not clear", "raw255 and unit cannot be told apart on 12 samples", "--like", "--mean"}},
	{name: "no preprocessing and no labels", args: func(_ *world, good []string) []string { return without(without(good, "--like"), "--labels") }, want: []string{"without labels", "--like", "imagenet-torch, imagenet-tf, imagenet-caffe, raw255, unit", "--mean"}},
	{name: "label out of range", break_: func(w *world) {
		w.write("labels.txt", []byte(strings.Replace(string(w.read("labels.txt")), "image_05.png 1", "image_05.png 7", 1)))
	}, want: []string{"labels.txt", "image_05.png", "class 7", "0..3"}},
	{name: "negative label", break_: func(w *world) {
		w.write("labels.txt", []byte(strings.Replace(string(w.read("labels.txt")), "image_05.png 1", "image_05.png -1", 1)))
	}, want: []string{"labels.txt", "-1"}},
	{name: "label of a missing image", break_: func(w *world) {
		w.write("labels.txt", append(w.read("labels.txt"), "image_99.png 1\n"...))
	}, want: []string{"labels.txt", "image_99.png"}},
	{name: "labels are no numbers", break_: func(w *world) { w.write("labels.txt", []byte("image_00.png cat\n")) }, want: []string{"labels.txt", "cat"}},
	{name: "zero samples", break_: func(w *world) {
		require.NoError(w.t, os.RemoveAll(w.path("images")))
		require.NoError(w.t, os.MkdirAll(w.path("images"), 0o755))
	}, want: []string{"images"}},
	{name: "a corrupt JPEG in the middle", break_: func(w *world) {
		good := jpegOf(w.t, picture(6))
		require.NoError(w.t, os.Remove(w.path("images/image_06.png")))
		w.write("images/image_06.jpg", good[:len(good)/3])
		w.write("labels.txt", []byte(strings.Replace(string(w.read("labels.txt")), "image_06.png", "image_06.jpg", 1)))
	}, want: []string{"1 sample cannot be read", "image_06.jpg", "leave them out of the folder and of the labels"}},
	{name: "NaN among the samples", break_: func(w *world) {
		w.write("labels.npy", npyOf("|u1", []int{4}, []byte{0, 1, 2, 3}))
		b := make([]byte, 4*4*3*8*8)
		binary.LittleEndian.PutUint32(b[4*3*64*2:], math.Float32bits(float32(math.NaN())))
		w.write("some.npy", npyOf("<f4", []int{4, 3, 8, 8}, b))
	}, args: func(w *world, good []string) []string {
		return append(without(good, "--like"), "--data", w.path("some.npy"), "--labels", w.path("labels.npy"))
	}, want: []string{"sample 2 (some.npy[2])", "NaN", "leave the sample out or repair it"}},
	{name: "a text file called PNG", break_: func(w *world) { w.write("images/image_06.png", []byte("hello")) }, want: []string{"image_06.png"}},
	{name: "no preprocessing, and labels of another model", break_: func(w *world) { w.write("model.onnx", w.encode(manyClasses())) }, args: less("--like"), want: []string{"under none", "guessing", "0 of 12", "labels"}},
	{name: "labels of another model", break_: func(w *world) { w.write("model.onnx", w.encode(manyClasses())) }, want: []string{"guessing gives 0.0500", "labels", "--like"}},
}

// background is the network of colours with a class for the background in front, and one behind.
const background = `ir 8
graph colours
input x: float32[N,3,8,8]
w: float32[6,3,1,1] = const [0, 0, 0, 2, -1, -1, -1, 2, -1, -1, -1, 2, -1, -1, -1, 0, 0, 0]
b: float32[6] = const [-9, 0, 0, 0, 0.75, -9]
c: float32[N,6,8,8] = Conv(x, w, b) @colour
p: float32[N,6,1,1] = GlobalAveragePool(c) @mean
y: float32[N,6] = Flatten(p) @flat
output y: float32[N,6]
`

// relabel changes the class of every label line.
func (w *world) relabel(to func(class int) int) {
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, "image_%02d.png %d\n", i, to(i%4))
	}
	w.write("labels.txt", []byte(b.String()))
}

// manyClasses is a model of twenty classes that always answers the last.
func manyClasses() string {
	return `ir 8
graph constant
input x: float32[N,3,8,8]
w: float32[20,3,1,1] = const fill 0.0001
b: float32[20] = const ramp 0 1
c: float32[N,20,8,8] = Conv(x, w, b) @colour
p: float32[N,20,1,1] = GlobalAveragePool(c) @mean
y: float32[N,20] = Flatten(p) @flat
output y: float32[N,20]
`
}

// job is a case of a job file: params is what stands in the algorithm's params.
func job(name, params string, want ...string) badInput {
	return badInput{
		name: name, want: append([]string{"job.json"}, want...),
		break_: func(w *world) {
			w.write("job.json", []byte(`{
  "model": {"model": "model.onnx"},
  "engine": {"data_source": "images", "labels": "labels.txt", "like": "unit"},
  "compression": {"algorithms": [{"name": "AccuracyAwareQuantization", "params": {
    `+params+`
  }}]}
}`))
		},
		args: func(w *world, _ []string) []string {
			return []string{"run", w.path("job.json"), "--output-dir", w.path("out"), "--state-dir", w.path("state")}
		},
	}
}

var badJobs = []badInput{
	job("unknown key", `"colour": 1`, "5:", "colour"),
	job("misspelt key", `"maximal_dorp": 0.01`, "5:", "maximal_dorp", "maximal_drop"),
	job("wrongly typed key", `"maximal_drop": "much"`, "5:", "maximal_drop", "number"),
	job("maximal_drop -1", `"maximal_drop": -1`, "5:", "maximal_drop", "-1", "0 or more"),
	job("key that is refused", `"use_layerwise_tuning": true`, "5:", "use_layerwise_tuning", "not supported"),
	job("agreement and accuracy", `"metrics": [{"name": "agreement"}, {"name": "accuracy@top1"}]`, "agreement", "accuracy@top1", "one of them"),
	job("annotation_free with a metric that needs labels", `"annotation_free": true, "metrics": [{"name": "accuracy@top5"}]`, "annotation_free", "accuracy@top5"),
	job("ignored node that does not exist", `"ignored": {"scope": ["color"]}`, "5:", `"color"`, "colour"),
	job("ignored operator that does not exist", `"ignored": {"operations": [{"type": "Cnv"}]}`, "5:", `"Cnv"`, "(did you mean Conv?)"),
	job("ignored operator of another framework", `"ignored": {"operations": [{"type": "Convolution"}]}`, "5:", `"Convolution"`, "ONNX operator"),
	job("not JSON", `"maximal_drop": }`, "5:"),
	{name: "job file absent", args: func(w *world, _ []string) []string { return []string{"run", w.path("job.json")} }, want: []string{"job.json", "no such file"}},
	{name: "--max-drop -1", args: more("--max-drop=-1"), want: []string{"--max-drop", "-1", "0 or more"}},
	{name: "--max-drop -1 in two words", args: more("--max-drop", "-1"), want: []string{"--max-drop: -1; want a number of 0 or more"}},
	{name: "--std with a number below 0 in two words", args: more("--std", "-0.5"), want: []string{"--std", "-0.5"}},
	{name: "a model in place of the job file", args: func(w *world, _ []string) []string { return []string{"run", w.path("model.onnx")} }, want: []string{"model.onnx", "is a model", "-m "}},
	{name: "--max-drop text", args: more("--max-drop", "some"), want: []string{"--max-drop", "some"}},
	{name: "--calib of no file", args: more("--calib", "evry:5"), want: []string{"--calib", "evry:5", "every:K"}},
	{name: "--calib of nothing", args: more("--calib", "0"), want: []string{"--calib"}},
	{name: "--like misspelt", args: more("--like", "imagenet-pytorch"), want: []string{"imagenet-pytorch", "imagenet-torch"}},
	{name: "--metric misspelt", args: more("--metric", "acuracy@top1"), want: []string{"--metric", "acuracy@top1", "accuracy"}},
	{name: "--output that is none", args: more("--output", "z"), want: []string{"--output", `"z"`, "it has y"}},
	{name: "no model and no data", args: func(*world, []string) []string { return []string{"run"} }, want: []string{"-m", "--data"}},
}

var badMachines = []badInput{
	{name: "output directory below a file", args: func(w *world, good []string) []string { return append(good, "--output-dir", w.path("labels.txt/out")) }, want: []string{"output directory", "labels.txt", "--output-dir"}},
	{name: "state directory below a file", args: func(w *world, good []string) []string { return append(good, "--state-dir", w.path("labels.txt/state")) }, want: []string{"state directory", "--state-dir"}},
	{name: "memory limit too small", args: more("--memory", "1KB"), want: []string{"memory", "--memory", "KiB"}},
	{name: "memory limit is no size", args: more("--memory", "lots"), want: []string{"--memory", "lots"}},
	{name: "no evaluators and no broker", args: more("--evaluators", "0"), want: []string{"0 evaluators", "--nats URL"}},
	{name: "memory limit of some bytes", args: more("--memory", "10"), want: []string{"over the limit of 10 bytes"}},
	{name: "broker absent", args: more("--nats", "nats://127.0.0.1:1"), want: []string{"127.0.0.1:1"}},
}

// claim2GB is a model of some hundred bytes whose initializer says that 2 GB follow.
func claim2GB() []byte {
	tensor := protowire.AppendTag(nil, 1, protowire.VarintType) // dims
	tensor = protowire.AppendVarint(tensor, 512<<20)
	tensor = protowire.AppendTag(tensor, 2, protowire.VarintType) // float32
	tensor = protowire.AppendVarint(tensor, 1)
	tensor = protowire.AppendTag(tensor, 8, protowire.BytesType)
	tensor = protowire.AppendString(tensor, "w")
	tensor = protowire.AppendTag(tensor, 9, protowire.BytesType) // raw_data
	tensor = protowire.AppendVarint(tensor, 2<<30-1)
	tensor = append(tensor, make([]byte, 40)...)
	graph := protowire.AppendTag(nil, 5, protowire.BytesType)
	graph = protowire.AppendVarint(graph, 2<<30-1)
	graph = append(graph, tensor...)
	model := protowire.AppendTag(nil, 1, protowire.VarintType)
	model = protowire.AppendVarint(model, 8)
	model = protowire.AppendTag(model, 7, protowire.BytesType)
	model = protowire.AppendVarint(model, 2<<30-1)
	return append(model, graph...)
}
