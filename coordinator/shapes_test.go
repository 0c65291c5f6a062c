package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// npyOf is a .npy of version 1.
func npyOf(descr string, shape []int, data []byte) []byte {
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }\n", descr, strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]"))
	return append(append(append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8)), head...), data...)
}

// colourArray is the pictures of the world as floats of 0 to 1, of shape [12, 3, 8, 8] or, with channels last, [12, 8, 8, 3].
func colourArray(last bool) []byte {
	var b []byte
	at := func(i, c, p int) { b = binary.LittleEndian.AppendUint32(b, math.Float32bits(colourOf(i, c, p))) }
	for i := range 12 {
		for k := range 192 {
			if last {
				at(i, k%3, k/3)
			} else {
				at(i, k/64, k%64)
			}
		}
	}
	if last {
		return npyOf("<f4", []int{12, 8, 8, 3}, b)
	}
	return npyOf("<f4", []int{12, 3, 8, 8}, b)
}

func colourOf(i, c, p int) float32 {
	if i%4 == c {
		return float32(200+3*i+p%5) / 255
	}
	return 20.0 / 255
}

// classArray is the labels as .npy.
func classArray() []byte {
	var b []byte
	for i := range 12 {
		b = binary.LittleEndian.AppendUint64(b, uint64(i%4))
	}
	return npyOf("<i8", []int{12}, b)
}

// nhwc is the network of colours for channels last.
var nhwc = strings.Replace(colours, "input x: float32[N,3,8,8]\n", "input x: float32[N,8,8,3]\nt: float32[N,3,8,8] = Transpose(x) {perm=[0,3,1,2]} @turn\n", 1)

// shapes are models and data that fit after what the tool concludes by itself. All tell the twelve colours.
var shapes = []struct {
	name  string
	model string
	data  func(w *world) []string
}{
	{"channels first", colours, arrayData(false)},
	{"channels last in the data", colours, arrayData(true)},
	{"channels last in the model", strings.Replace(nhwc, "Conv(x,", "Conv(t,", 1), arrayData(false)},
	{"channels last in both", strings.Replace(nhwc, "Conv(x,", "Conv(t,", 1), arrayData(true)},
	{"pictures for channels last", strings.Replace(nhwc, "Conv(x,", "Conv(t,", 1), nil},
	{"a batch of one", strings.ReplaceAll(colours, "[N,", "[1,"), nil},
	{"a batch of four", strings.ReplaceAll(colours, "[N,", "[4,"), nil},
	{"a batch that does not divide the data", strings.ReplaceAll(colours, "[N,", "[5,"), arrayData(false)},
	{"integers that are cast", strings.Replace(strings.Replace(colours, "input x: float32[N,3,8,8]", "input i: uint8[N,3,8,8]\nx: float32[N,3,8,8] = Cast(i) {to=1} @cast", 1), "0.75", "150", 1), rawPictures},
	{"two inputs by name", strings.Replace(colours, "input x: float32[N,3,8,8]", "input u: float32[N,3,8,8]\ninput v: float32[N,3,8,8]\nx: float32[N,3,8,8] = Add(u, v) @sum", 1), twoArrays},
	{"two outputs, the second measured", strings.Replace(colours, "output y", "output c: float32[N,4,8,8]\noutput y", 1), func(w *world) []string { return w.args("--output", "y") }},
}

func arrayData(last bool) func(w *world) []string {
	return func(w *world) []string {
		w.write("x.npy", colourArray(last))
		w.write("y.npy", classArray())
		return append(without(w.args(), "--like"), "--data", w.path("x.npy"), "--labels", w.path("y.npy"))
	}
}

func rawPictures(w *world) []string { return w.args("--like", "raw255") }

func twoArrays(w *world) []string {
	w.write("in/u.npy", colourArray(false))
	w.write("in/v.npy", npyOf("<f4", []int{12, 3, 8, 8}, make([]byte, 4*12*192)))
	w.write("y.npy", classArray())
	return append(without(w.args(), "--like"), "--data", w.path("in"), "--labels", w.path("y.npy"))
}

// TestShapes: layouts, batches, element types, several inputs and outputs give the right answers and a verified file.
func TestShapes(t *testing.T) {
	for _, c := range shapes {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("model.onnx", w.encode(c.model))
			args := w.args()
			if c.data != nil {
				args = c.data(w)
			}
			code, _, stderr := w.execute(t.Context(), args...)
			require.Equal(t, exitMet, code, stderr)
			d := w.parse().Decisions
			require.EqualValues(t, 1, d.Metrics[0].Float, stderr)
			require.EqualValues(t, 1, d.Metrics[0].Final)
			require.True(t, d.Output.Verified)
			require.Positive(t, d.Model.Groups)
		})
	}
}
