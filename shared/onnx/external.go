package onnx

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"assay/shared/mapped"
	"assay/shared/onnx/onnxpb"
)

// externals maps the data files of one model, each once. folders are those a file may lie in; none means that the model
// came as bytes. The first folder is the one that locations count from; the others may hold what links lead to.
type externals struct {
	folders []string
	files   map[string][]byte
}

// load returns the bytes of one tensor: size bytes of a file from an offset. The offset need not be aligned. Keys other
// than location, offset and length (a checksum, say) are ignored. Numbers below 2^63 cannot overflow in the sums here.
func (e *externals) load(entries []*onnxpb.StringStringEntryProto, size int) ([]byte, error) {
	var location string
	offset, length := uint64(0), uint64(size)
	for _, p := range entries {
		var err error
		switch p.GetKey() {
		case "location":
			location = p.GetValue()
		case "offset":
			offset, err = strconv.ParseUint(p.GetValue(), 10, 63)
		case "length":
			length, err = strconv.ParseUint(p.GetValue(), 10, 63)
		}
		if err != nil {
			return nil, fmt.Errorf("external data: %s %q is no size", p.GetKey(), p.GetValue())
		}
	}
	if length != uint64(size) {
		return nil, fmt.Errorf("external data: length is %d bytes, the shape needs %d", length, size)
	}
	data, err := e.open(location)
	if err != nil {
		return nil, fmt.Errorf("external data %q: %w", location, err)
	}
	if have := uint64(len(data)); offset > have || length > have-offset {
		return nil, fmt.Errorf("external data %q: %d bytes at offset %d are beyond its %d bytes: the file is truncated or of another model", location, length, offset, have)
	}
	end := offset + length
	return data[offset:end:end], nil
}

// open maps a data file once. Its location is relative, stays inside the model's folders, and leads to a regular file, links
// followed. It keeps a model file from naming /etc/passwd: absolute paths, "..", links that leave, pipes and devices
// are all refused.
func (e *externals) open(location string) ([]byte, error) {
	if len(e.folders) == 0 {
		return nil, errors.New("the model came without a folder; read it from its file")
	}
	local := filepath.FromSlash(location)
	if !filepath.IsLocal(local) {
		return nil, errors.New("leaves the model's folder")
	}
	if data, ok := e.files[local]; ok {
		return data, nil
	}
	real, err := filepath.EvalSymlinks(filepath.Join(e.folders[0], local))
	if err != nil {
		return nil, fmt.Errorf("is not beside the model: %w", bare(err))
	}
	if !slices.ContainsFunc(e.folders, func(folder string) bool { return within(folder, real) }) {
		return nil, errors.New("is a link that leaves the model's folder")
	}
	data, err := mapped.File(real)
	if err != nil {
		return nil, bare(err)
	}
	if e.files == nil {
		e.files = map[string][]byte{}
	}
	e.files[local] = data
	return data, nil
}

// within reports whether the resolved path lies in the folder. Both are resolved, so a link in the middle of the path
// cannot hide where it leads.
func within(folder, path string) bool {
	if folder, err := filepath.EvalSymlinks(folder); err == nil {
		rel, err := filepath.Rel(folder, path)
		return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
	}
	return false
}
