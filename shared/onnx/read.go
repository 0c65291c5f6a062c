// Package onnx is the front end for ONNX files: bytes to graph.Model and back. It reads IR 3 and later with opset 7 and
// later, checks every size against what is left of the input before it allocates, and hands over a model that
// graph.Validate accepts in the spelling of op.Newest. What an operator means, how it is computed or quantized may not
// enter; ONNX's messages (onnxpb) may not leave.
//
// Tensors of a decoded model alias the input bytes or a read-only mapping of an external data file; nobody writes to
// them, and the caller of Decode leaves b alone as long as the model lives. Mappings stay for the life of the process.
// A file that another program truncates while it is mapped takes the process down; files are replaced, not rewritten.
//
// Kept: everything graph.Model has a field for. Dropped: metadata below the model, training information, device
// configurations, quantization annotations, doc strings of values and tensors. Refused by name: sparse initializers,
// strings as constants, values that are neither tensors nor sequences or optionals of them.
package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"assay/shared/graph"
	"assay/shared/op"
)

// Read loads a model file with its external data, upgraded to op.Newest, inlined, sorted and validated. Errors begin
// with the path, say what is wrong where, and wrap the system's (fs.ErrNotExist). The model's own bytes are read and not mapped,
// external data is mapped; it lies in the model's folder or below it, or, of a model that is a link, where the link leads. Nodes,
// attributes and lists are the caller's to change, tensors are not. It is safe for concurrent use.
func Read(path string) (*graph.Model, error) {
	m, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func read(path string) (*graph.Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file; name the .onnx file itself")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, bare(err)
	}
	folders := []string{filepath.Dir(path)}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		// Caches link model and data file by file into one folder of contents: the data then lies beside the real model.
		folders = append(folders, filepath.Dir(real))
	}
	return decode(b, folders)
}

// bare drops the paths that package os puts into its errors, one or, of a rename, two; Read and Write have named theirs.
func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}

// Decode is Read for bytes, which the model's tensors alias. dir is the folder for external data; with "" a model that has some is
// refused. Errors name no path.
func Decode(b []byte, dir string) (*graph.Model, error) {
	if dir == "" {
		return decode(b, nil)
	}
	return decode(b, []string{dir})
}

func decode(b []byte, folders []string) (*graph.Model, error) {
	m, err := parse(b, folders)
	if err != nil {
		return nil, err
	}
	if err := settle(m); err != nil {
		return nil, err
	}
	return m, nil
}

// settle turns what the file says into what package graph promises. The order: names first, so errors can name nodes;
// functions away before anything looks at nodes; hidden names apart before sorting, which refuses them; sorting before
// the upgrade, which infers ranks on the way; names again for what the upgrade made.
func settle(m *graph.Model) error {
	graph.NameNodes(m.Graph)
	if err := graph.Inline(m); err != nil {
		return err
	}
	graph.Unhide(m.Graph)
	if err := graph.Sort(m.Graph); err != nil {
		return fmt.Errorf("graph %q: %w", m.Graph.Name, err)
	}
	if err := op.UpgradeModel(m); err != nil {
		return err
	}
	graph.NameNodes(m.Graph)
	prune(m.Graph)
	if err := graph.Validate(m); err != nil {
		return fmt.Errorf("graph %q: %w", m.Graph.Name, err)
	}
	return nil
}

// prune drops type hints of values that g does not compute.
func prune(g *graph.Graph) {
	computed := map[string]bool{}
	for _, n := range g.Nodes {
		for _, out := range n.Outputs {
			computed[out] = true
		}
		for _, sub := range graph.Nested(n) {
			prune(sub)
		}
	}
	for _, p := range g.Outputs {
		computed[p.Name] = false
	}
	for name := range g.Types {
		if !computed[name] {
			delete(g.Types, name)
		}
	}
}
