package conv

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"assay/kernels/gemm"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// layer is a line of layer_shapes.json: a convolution with NCHW sizes, or a product.
type layer struct {
	Name       string `json:"name"`
	Net        string `json:"net"`
	Op         string `json:"op"`
	Batch      int    `json:"batch"`
	In         []int  `json:"in"`
	Weight     []int  `json:"weight"`
	Stride     []int  `json:"stride"`
	Pad        []int  `json:"pad"`
	Dilation   []int  `json:"dilation"`
	Group      int    `json:"group"`
	Activation bool   `json:"weight_is_activation"`
}

// few are rows of that file, one of each kind, for a run without it.
const few = `[
{"name": "conv7x7s2_3-64_224x224", "net": "resnet50", "op": "Conv", "batch": 1, "in": [1, 3, 224, 224], "weight": [64, 3, 7, 7], "stride": [2, 2], "pad": [3, 3, 3, 3], "dilation": [1, 1], "group": 1},
{"name": "conv3x3s1_64-64_56x56", "net": "resnet50", "op": "Conv", "batch": 1, "in": [1, 64, 56, 56], "weight": [64, 64, 3, 3], "stride": [1, 1], "pad": [1, 1, 1, 1], "dilation": [1, 1], "group": 1},
{"name": "conv1x1s1_256-64_56x56", "net": "resnet50", "op": "Conv", "batch": 1, "in": [1, 256, 56, 56], "weight": [64, 256, 1, 1], "stride": [1, 1], "pad": [0, 0, 0, 0], "dilation": [1, 1], "group": 1},
{"name": "conv1x1s1_512-2048_7x7", "net": "resnet50", "op": "Conv", "batch": 1, "in": [1, 512, 7, 7], "weight": [2048, 512, 1, 1], "stride": [1, 1], "pad": [0, 0, 0, 0], "dilation": [1, 1], "group": 1},
{"name": "convdw3x3s1_32-32_56x56", "net": "mobilenet_v1_0.25_224", "op": "Conv", "batch": 1, "in": [1, 32, 56, 56], "weight": [32, 1, 3, 3], "stride": [1, 1], "pad": [1, 1, 1, 1], "dilation": [1, 1], "group": 32},
{"name": "convdw3x3s1_128-128_14x14", "net": "mobilenet_v1_0.25_224", "op": "Conv", "batch": 1, "in": [1, 128, 14, 14], "weight": [128, 1, 3, 3], "stride": [1, 1], "pad": [1, 1, 1, 1], "dilation": [1, 1], "group": 128},
{"name": "conv1x1s1_128-128_14x14", "net": "mobilenet_v1_0.25_224", "op": "Conv", "batch": 1, "in": [1, 128, 14, 14], "weight": [128, 128, 1, 1], "stride": [1, 1], "pad": [0, 0, 0, 0], "dilation": [1, 1], "group": 1},
{"name": "matmul_1x128x768_768x768", "net": "bert_base", "op": "MatMul", "batch": 1, "in": [1, 128, 768], "weight": [768, 768], "group": 1}
]`

// layers returns the rows of layer_shapes.json of the nets in ASSAY_NETS (comma-separated; all if empty), each geometry
// once, or few where the file is absent.
func layers(t testing.TB) []layer {
	text := []byte(few)
	if file, err := os.ReadFile(filepath.Join(peers(t), "layer_shapes.json")); err == nil {
		text = file
	}
	var all, want []layer
	require.NoError(t, json.Unmarshal(text, &all))
	nets, names := strings.Split(os.Getenv("ASSAY_NETS"), ","), map[string]bool{}
	for _, l := range all {
		if (nets[0] == "" || slices.Contains(nets, l.Net)) && !names[l.Name] && !l.Activation {
			names[l.Name] = true
			want = append(want, l)
		}
	}
	return want
}

// peers is the folder shared/peers beside the repository.
func peers(t testing.TB) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared", "peers")
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the test")
	}
}

func (l layer) geometry() Geometry {
	return Geometry{Batch: l.Batch, C: l.In[1], H: l.In[2], W: l.In[3], OC: l.Weight[0], KH: l.Weight[2], KW: l.Weight[3],
		StrideH: l.Stride[0], StrideW: l.Stride[1], DilationH: l.Dilation[0], DilationW: l.Dilation[1],
		PadTop: l.Pad[0], PadLeft: l.Pad[1], PadBottom: l.Pad[2], PadRight: l.Pad[3], Group: l.Group}
}

// product is the rows, depth and columns of a layer that is no convolution.
func (l layer) product() (m, k, n int) {
	m = 1
	for _, d := range l.In[:len(l.In)-1] {
		m *= d
	}
	return m, l.In[len(l.In)-1], l.Weight[len(l.Weight)-1]
}

// operations counts two for each multiply-add, padding included.
func (l layer) operations() float64 {
	if l.Op == "Conv" {
		g := l.geometry()
		return 2 * float64(g.Batch*g.OutH()*g.OutW()*g.OC) * float64(g.C/g.Group*g.KH*g.KW)
	}
	m, k, n := l.product()
	return 2 * float64(m) * float64(k) * float64(n)
}

// class groups layers that behave alike.
func (l layer) class() string {
	switch {
	case l.Op != "Conv":
		return "product"
	case l.Group > 1 && l.Group == l.In[1]:
		return "depthwise"
	case l.In[1] <= 4:
		return "first"
	case l.Weight[2] == 1 && l.Weight[3] == 1:
		return "pointwise"
	}
	return "dense"
}

// f32 returns the layer in float, ready to run.
func (l layer) f32(t testing.TB) func() {
	r := rand.New(rand.NewPCG(1, 1))
	if l.Op != "Conv" {
		m, k, n := l.product()
		p := gemm.PackF32(floats(r, k*n, false), k, n, false, floats(r, n, false))
		a, dst := floats(r, m*k, false), make([]float32, m*n)
		return func() { p.Run(dst, n, a, k, m, numeric.Clamp{}) }
	}
	g := l.geometry()
	p, err := PackF32(g, floats(r, g.OC*(g.C/g.Group)*g.KH*g.KW, false), floats(r, g.OC, false))
	require.NoError(t, err)
	src, dst := floats(r, g.Batch*g.H*g.W*g.C, false), make([]float32, g.Batch*g.OutH()*g.OutW()*g.OC)
	scratch := make([]byte, p.Scratch(g))
	return func() { p.Run(dst, src, g, numeric.Clamp{}, scratch) }
}

// i8 returns the layer in integers, with one multiplier for each column.
func (l layer) i8(t testing.TB) func() {
	r := rand.New(rand.NewPCG(1, 1))
	bytes := func(n int) ([]uint8, []int8) {
		u, s := make([]uint8, n), make([]int8, n)
		for i := range u {
			u[i], s[i] = uint8(r.IntN(256)), int8(r.IntN(255)-127)
		}
		return u, s
	}
	rq := func(n int) numeric.Requant {
		q := numeric.Requant{Zero: 128, Hi: 255}
		for range n {
			q.Mult = append(q.Mult, 1e-4)
		}
		return q
	}
	if l.Op != "Conv" {
		m, k, n := l.product()
		_, b := bytes(k * n)
		a, _ := bytes(m * k)
		p, q, dst := gemm.PackI8(b, k, n, false, nil, nil), rq(n), make([]uint8, m*n)
		return func() { p.Run(dst, n, a, k, m, 128, q) }
	}
	g := l.geometry()
	_, w := bytes(g.OC * (g.C / g.Group) * g.KH * g.KW)
	p, err := PackI8(g, w, nil, nil)
	require.NoError(t, err)
	src, _ := bytes(g.Batch * g.H * g.W * g.C)
	q, dst, scratch := rq(g.OC), make([]uint8, g.Batch*g.OutH()*g.OutW()*g.OC), make([]byte, p.Scratch(g))
	return func() { p.Run(dst, src, g, 128, q, scratch) }
}

// threadTime is the CPU time of this thread: a neighbour on the core does not count. The caller has locked the goroutine to
// its thread; otherwise two readings may be of two clocks.
func threadTime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// BenchmarkLayers reports GFLOP/s or GOP/s of the current tier in thread CPU time.
func BenchmarkLayers(b *testing.B) {
	for _, l := range layers(b) {
		for _, form := range []string{"f32", "u8s8"} {
			b.Run(l.Name+"/"+form+"/"+tier.Current().String(), func(b *testing.B) {
				run := l.f32
				if form == "u8s8" {
					run = l.i8
				}
				f := run(b)
				f()
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				start := threadTime()
				for b.Loop() {
					f()
				}
				b.ReportMetric(l.operations()*float64(b.N)/float64(threadTime()-start), "GOP/s")
			})
		}
	}
}

// peer is ONNX Runtime in another process.
type peer struct {
	in  io.Writer
	out *bufio.Scanner
}

// startPeer runs testdata/peer.py by the interpreter that ASSAY_PYTHON names.
func startPeer(t testing.TB) *peer {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	if _, err := os.Stat(peers(t)); err != nil {
		t.Skip("skipped: ../shared/peers is absent")
	}
	cmd := exec.Command(python, filepath.Join("testdata", "peer.py"), peers(t))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &peer{in, bufio.NewScanner(out)}
}

// seconds sends a command and returns the answer, 0 for none.
func (p *peer) seconds(t testing.TB, command string) float64 {
	_, err := fmt.Fprintln(p.in, command)
	require.NoError(t, err)
	require.True(t, p.out.Scan(), "the peer ended")
	if p.out.Text() == "none" {
		return 0
	}
	v, err := strconv.ParseFloat(p.out.Text(), 64)
	require.NoError(t, err)
	return v
}

// slice times f for about 10 ms.
func slice(f func()) float64 {
	n, start := 0, threadTime()
	for threadTime()-start < 10*time.Millisecond {
		f()
		n++
	}
	return (threadTime() - start).Seconds() / float64(n)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// BenchmarkPeer compares with ONNX Runtime's inner forms, taking turns: GOP/s of both and the ratio, medians of five, and
// the geometric mean of each class. Run it with -benchtime 1x.
func BenchmarkPeer(b *testing.B) {
	p := startPeer(b)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	logs := map[string][]float64{}
	for _, l := range layers(b) {
		text, err := json.Marshal(l)
		require.NoError(b, err)
		line := fmt.Sprintf("%-34s %-9s %8.1f MOP", l.Name, l.class(), l.operations()/1e6)
		for _, c := range []struct {
			forms []string
			run   func(testing.TB) func()
		}{{[]string{"f32_nchwc", "f32"}, l.f32}, {[]string{"qlinear_nhwc", "qlinear"}, l.i8}} {
			form := c.forms[0]
			if p.seconds(b, fmt.Sprintf(`{"layer": %s, "form": %q}`, text, form)) == 0 {
				form = c.forms[1]
				p.seconds(b, fmt.Sprintf(`{"layer": %s, "form": %q}`, text, form))
			}
			f := c.run(b)
			f()
			var ours, theirs []float64
			for range 5 {
				ours = append(ours, slice(f))
				theirs = append(theirs, p.seconds(b, ""))
			}
			o, th := median(ours), median(theirs)
			line += fmt.Sprintf(" | %-12s %6.1f / %6.1f = %5.2f", form, l.operations()/o/1e9, l.operations()/th/1e9, th/o)
			key := c.forms[1] + " " + l.class()
			logs[key] = append(logs[key], math.Log(th/o))
			logs[c.forms[1]] = append(logs[c.forms[1]], math.Log(th/o))
		}
		fmt.Println(line)
	}
	for _, key := range slices.Sorted(maps.Keys(logs)) {
		sum := 0.0
		for _, v := range logs[key] {
			sum += v
		}
		fmt.Printf("%-18s geometric mean %5.2f of %d\n", key, math.Exp(sum/float64(len(logs[key]))), len(logs[key]))
	}
}
