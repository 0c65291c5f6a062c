// Command elementwise writes the assembly of kernels that pass over memory once: element-wise arithmetic, pooling and
// quantization. Like the generator beside it, it writes a .s file and its Go declarations next to the package that calls
// them:
//
//	cd kernels/gen && go run ./elementwise -root ..          # writes the files
//	cd kernels/gen && go run ./elementwise -root .. -check   # fails if a committed file differs
//
// These kernels wait for memory, so 256-bit vectors serve both assembly tiers; the 256-entry table look-up (AVX-512 VBMI),
// arithmetic of bytes and curves, which do not, have forms of their own. Lengths are whole blocks; callers finish with plain Go.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// files are the generated pairs: name_amd64.s and name_amd64.go in a folder of the kernels.
var files = []struct {
	dir, name string
	write     func(*build.Context)
}{
	{"elementwise", "float_avx2", floats},
	{"elementwise", "bytes_avx2", byteArithmetic},
	{"elementwise", "bytes_avx512", byteArithmetic512},
	{"elementwise", "lookup_vbmi", lookup},
	{"curve", "curve_avx2", curves256},
	{"curve", "curve_avx512", curves512},
	{"curve", "rows_avx2", rows},
	{"move", "planes_avx2", planes},
	{"pool", "pool_avx2", pools},
	{"quantize", "quantize_avx2", quantization},
	{"reduce", "extremes_avx2", extremes},
	{"reduce", "columnsums_avx2", columnSums},
	{"move", "transpose_avx2", transposes},
}

func main() {
	root := flag.String("root", "..", "folder of the kernels")
	check := flag.Bool("check", false, "compare with the committed files instead of writing them")
	flag.Parse()
	failed := false
	for _, f := range files {
		if err := generate(filepath.Join(*root, f.dir), f.name, f.write, *check); err != nil {
			fmt.Fprintf(os.Stderr, "%s/%s: %v\n", f.dir, f.name, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func generate(dir, name string, write func(*build.Context), check bool) error {
	ctx := build.NewContext()
	ctx.ConstraintExpr("amd64,!noasm")
	write(ctx)
	tree, err := ctx.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(tree); err != nil {
		return err
	}
	cfg := printer.Config{Name: "kernels/gen/elementwise", Argv: []string{"go", "run", "./elementwise"}, Pkg: filepath.Base(dir)}
	path := filepath.Join(dir, name+"_amd64")
	return firstError(emit(path+".s", printer.NewGoAsm(cfg), tree, check), emit(path+".go", printer.NewStubs(cfg), tree, check))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func emit(path string, p printer.Printer, tree *ir.File, check bool) error {
	text, err := p.Print(tree)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(path, text, 0o644)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, text) {
		return fmt.Errorf("%s differs from what is generated: run the generator and commit", path)
	}
	return nil
}
