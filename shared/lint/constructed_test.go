package lint

// constructed are small trees with what each rule has to find in them, in order.
var constructed = []struct {
	rule, name string
	files      map[string]string
	want       []string
}{
	{"imports point one way", "kernel imports an operator", map[string]string{
		"kernels/conv/a.go": "package conv\nimport _ \"assay/shared/op\"\n",
	}, []string{"kernels/conv/a.go:2: imports shared/op"}},
	{"imports point one way", "shared imports kernels", map[string]string{
		"shared/quant/a.go": "package quant\nimport _ \"assay/kernels/gemm\"\n",
		"shared/op/a.go":    "package op\nimport _ \"assay/kernels/gemm\"\n",
	}, []string{"shared/quant/a.go:2: imports kernels/gemm"}},
	{"imports point one way", "closed room", map[string]string{
		"coordinator/search/a.go":      "package search\nimport _ \"assay/shared/store\"\nimport _ \"assay/shared/plan\"\n",
		"coordinator/search/a_test.go": "package search\nimport _ \"assay/shared/store\"\n",
		"shared/tensor/a.go":           "package tensor\nimport _ \"assay/shared/plan\"\n",
	}, []string{"coordinator/search/a.go:2: imports shared/store", "shared/tensor/a.go:2: imports shared/plan"}},
	{"imports point one way", "own sub-packages", map[string]string{
		"shared/onnx/a.go":     "package onnx\nimport _ \"assay/shared/onnx/pb\"\n",
		"kernels/tier/a.go":    "package tier\nimport _ \"assay/kernels/tier/cpu\"\n",
		"coordinator/run/a.go": "package run\nimport _ \"assay/evaluator/worker\"\n",
	}, nil},
	{"no production code imports testing libraries", "testify in code", map[string]string{
		"shared/op/a.go":      "package op\nimport _ \"github.com/stretchr/testify/require\"\n",
		"shared/op/b.go":      "package op\nimport _ \"testing\"\nimport _ \"testing/fstest\"\n",
		"shared/op/a_test.go": "package op\nimport _ \"testing\"\nimport _ \"assay/kernels/guard\"\n",
		"shared/onnx/a.go":    "package onnx\nimport _ \"assay/shared/op\"\n",
		"kernels/guard/a.go":  "package guard\nimport _ \"testing\"\n",
		"evaluator/main.go":   "package main\nimport _ \"testing\"\n",
	}, []string{"evaluator/main.go:2", "op/a.go:2", "op/b.go:2", "op/b.go:3"}},
	{"one comment per package", "none and two", map[string]string{
		"shared/a/a.go":      "package a\n",
		"shared/b/a.go":      "// Package b is.\npackage b\n",
		"shared/b/b.go":      "// Package b is again.\npackage b\n",
		"shared/c/c.go":      "// Package c is.\npackage c\n",
		"shared/c/d.go":      "//go:build linux\n\npackage c\n",
		"shared/d/d_test.go": "package d\n",
	}, []string{"shared/a: no file", "shared/b/b.go:2: a second"}},
	{"names say what a package is for", "folder and package", map[string]string{
		"shared/util/a.go": "package util\n", "shared/x/a.go": "package helpers\n", "shared/op/a.go": "package op\n",
	}, []string{"shared/util", "shared/x"}},
	{"the root holds rooms only", "folder and file", map[string]string{
		"pkg/a/a.go": "package a\n", "pkg": "", "main.go": "package main\n", "kernels": "", "shared/internal": "",
	}, []string{"pkg:", "main.go:"}},
	{"float products are rounded before they are summed", "forms of products", map[string]string{
		"kernels/x/a.go": `package x
func f(x, y, z float32, i, j int, a []float32) float32 {
	z = x*y + z
	z -= (x * y)
	z = -(x * y) - z
	t := x * y
	t *= z
	g(x * y)
	z += float32(x * y)
	z = float32(x*y) + float32(float64(x)*float64(y))
	z = float32(x * y * z) / (x * y)
	if x*y > z || i*j+i > 0 {
		a[i*j+1] = 2
	}
	const c = 2.5 * 2.0
	z = c + 3.0*4.0
	return x * y
}
func g(float32) {}
func h[T float32 | float64](x, y, z T) T { return x*y + z }
func k[T int | int8](x, y, z T) T { return x*y + z }
`}, []string{"a.go:3", "a.go:4", "a.go:5", "a.go:6", "a.go:7", "a.go:8", "a.go:17", "a.go:20"}},
	{"float products are rounded before they are summed", "types of other packages", map[string]string{
		"kernels/x/a.go":   "package x\nimport \"math\"\nfunc F() float64 { return math.Sqrt(2) }\ntype V struct{ S float32 }\n",
		"shared/op/a.go":   "package op\nimport \"assay/kernels/x\"\nvar z = x.F()*2 + 1\nfunc f(v x.V) float32 { return 1 + v.S*v.S }\n",
		"shared/wire/a.go": "package wire\nfunc f(x float64) float64 { return x*x + 1 }\n",
		"shared/op/b.go":   "//go:build noasm\n\npackage op\n\nfunc g(x float64) float64 { return x*x + 1 }\n",
	}, []string{"shared/op/a.go:3", "shared/op/a.go:4", "shared/op/b.go:5"}},
	{"no CPU-dependent functions of package math", "exp and FMA", map[string]string{
		"shared/metric/a.go":      "package metric\nimport \"math\"\nvar a = math.Exp(1)\nvar b = math.FMA(1, 2, 3)\nvar c = math.Sqrt(2) + math.Pi + math.MaxFloat32 + math.Ln2 + math.Sqrt2\nvar d = math.Log\n",
		"shared/metric/a_test.go": "package metric\nimport \"math\"\nvar e = math.Exp(1)\n",
		"shared/wire/a.go":        "package wire\nimport \"math\"\nvar a = math.Exp(1)\n",
	}, []string{"a.go:3: math.Exp", "a.go:4: math.FMA", "a.go:6: math.Log"}},
	{"tests wait for signals", "a sleeping test", map[string]string{
		"shared/x/a_test.go": "package x\nimport \"time\"\nfunc f() { time.Sleep(1) }\n",
		"shared/x/a.go":      "package x\nimport \"time\"\nfunc g() { time.Sleep(1) }\n",
	}, []string{"shared/x/a_test.go:3"}},
	{"files stay readable", "a long file", map[string]string{
		"shared/x/a.go": "package x\n" + long(maxLines), "shared/x/b.go": "package x\n" + long(maxLines-1),
		"shared/x/c.go": "// Code generated by g. DO NOT EDIT.\n\npackage x\n" + long(maxLines),
	}, []string{"shared/x/a.go"}},
	{"nothing is left for later", "a note", map[string]string{
		"shared/x/a.go": "package x\n// TO" + "DO: more\nvar a = \"TO" + "DO\"\n",
	}, []string{"shared/x/a.go:2"}},
}

func long(lines int) string {
	b := make([]byte, lines)
	for i := range b {
		b[i] = '\n'
	}
	return string(b)
}
