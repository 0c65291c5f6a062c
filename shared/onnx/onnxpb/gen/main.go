// Command gen writes ../onnx.pb.go from ../onnx-ml.proto, which is ONNX's own schema, unchanged. It needs Go only: the
// schema is compiled by protocompile and handed to the pinned protoc-gen-go. It is a module of its own so that neither
// becomes a dependency of the product.
//
// The proto package is renamed while compiling, because protobuf-go registers names and files globally: two copies of
// package "onnx" in one binary panic at start. The wire format does not contain the name.
//
//	go run .           write the file
//	go run . -check    fail when writing would change it
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

const (
	schema = "onnx-ml.proto"
	target = "onnx.pb.go"
	// registered is the name under which the schema is known to protobuf-go.
	registered = "assay/onnx.proto"
)

// edits are all differences between the published schema and what is compiled; each must apply exactly once.
var edits = [][2]string{
	{"\npackage onnx;\n", "\npackage assay.onnx;\noption go_package = \"assay/shared/onnx/onnxpb\";\n"},
	{"\noption optimize_for = LITE_RUNTIME;\n", "\n"},
}

func main() {
	check := flag.Bool("check", false, "fail when the committed file differs, write nothing")
	dir := flag.String("dir", "..", "folder of the schema and of the generated file")
	flag.Parse()
	if err := run(*dir, *check); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string, check bool) error {
	source, err := os.ReadFile(filepath.Join(dir, schema))
	if err != nil {
		return err
	}
	for _, e := range edits {
		if bytes.Count(source, []byte(e[0])) != 1 {
			return fmt.Errorf("%s: %q does not occur exactly once", schema, e[0])
		}
		source = bytes.Replace(source, []byte(e[0]), []byte(e[1]), 1)
	}
	out, err := generate(source)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, target)
	if !check {
		return os.WriteFile(path, out, 0o644)
	}
	have, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, out) {
		return fmt.Errorf("%s differs from what %s generates; run go generate in shared/onnx/onnxpb", target, schema)
	}
	return nil
}

// generate compiles source and returns the formatted Go file, with the licence line on top.
func generate(source []byte) ([]byte, error) {
	compiler := protocompile.Compiler{
		Resolver: &protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(map[string]string{registered: string(source)}),
		},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(context.Background(), registered)
	if err != nil {
		return nil, err
	}
	request, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{registered},
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(files[0])},
	})
	if err != nil {
		return nil, err
	}
	plugin := exec.Command("go", "tool", "protoc-gen-go")
	plugin.Stdin, plugin.Stderr = bytes.NewReader(request), os.Stderr
	raw, err := plugin.Output()
	if err != nil {
		return nil, fmt.Errorf("protoc-gen-go: %w", err)
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(raw, &response); err != nil {
		return nil, err
	}
	if response.Error != nil {
		return nil, errors.New(response.GetError())
	}
	return []byte(response.File[0].GetContent()), nil
}
