// Command gen writes the assembly of the kernels: one .s file and its Go declarations for each family and tier, next to
// the package that calls them. It has its own module so that the generator's libraries stay out of Assay's. The files are
// committed; run it again with
//
//	cd kernels/gen && go run .          # writes the files
//	cd kernels/gen && go run . -check   # fails if a committed file differs
//
// Shapes of tiles are loops here and labels there. Every function may clobber all registers but SP, BP, R14 and R15, ends
// with VZEROUPPER, and has a frame of a few words at most.
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

// file is one generated pair: name_amd64.s and name_amd64.go in folder dir of the kernels.
type file struct {
	dir, name string
	write     func(*build.Context)
}

var files = []file{
	{"gemm/tile", "f32_avx512", f32AVX512},
	{"gemm/tile", "i8_avx512", i8AVX512},
	{"gemm/tile", "i8_piped_avx512", pipedI8AVX512},
	{"gemm/tile", "i8_amx", i8AMX},
	{"gemm/tile", "f32_avx2", f32AVX2},
	{"gemm/tile", "i8_avx2", i8AVX2},
	{"conv", "depth_f32_avx512", depthF32AVX512},
	{"conv", "line_f32_avx512", lineF32AVX512},
	{"conv", "depth_i8_avx512", depthI8AVX512},
	{"conv", "slide_i8_avx512", slideI8AVX512},
	{"conv", "prepare_i8_avx512", prepareI8AVX512},
	{"conv", "winograd_i8_avx512", winogradI8AVX512},
	{"conv", "winograd_i8_avx2", winogradI8AVX2},
	{"conv", "zeros_avx2", zerosAVX2},
	{"conv", "first_i8_avx512", firstI8AVX512},
	{"conv", "depth_f32_avx2", depthF32AVX2},
	{"conv", "depth_i8_avx2", depthI8AVX2},
	{"gemm/tile", "pack_avx2", packAVX2},
	{"peak", "peak", peakLoops},
}

func main() {
	root := flag.String("root", "..", "folder of the kernels")
	check := flag.Bool("check", false, "compare with the committed files instead of writing them")
	flag.Parse()
	failed := false
	for _, f := range files {
		if err := f.generate(*root, *check); err != nil {
			fmt.Fprintf(os.Stderr, "%s/%s: %v\n", f.dir, f.name, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// generate assembles f and writes or compares both files.
func (f file) generate(root string, check bool) error {
	ctx := build.NewContext()
	ctx.ConstraintExpr("amd64,!noasm")
	f.write(ctx)
	tree, err := ctx.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(tree); err != nil {
		return err
	}
	cfg := printer.Config{Name: "kernels/gen", Argv: []string{"go", "run", "."}, Pkg: filepath.Base(f.dir)}
	for _, out := range []struct {
		suffix string
		p      printer.Printer
	}{{".s", printer.NewGoAsm(cfg)}, {".go", printer.NewStubs(cfg)}} {
		if err := f.emit(filepath.Join(root, f.dir, f.name+"_amd64"+out.suffix), out.p, tree, check); err != nil {
			return err
		}
	}
	return nil
}

func (f file) emit(path string, p printer.Printer, tree *ir.File, check bool) error {
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
