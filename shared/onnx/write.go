package onnx

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"
)

// Limits of writing, variables for tests: a model with more bytes of constants than outsideAbove has those of at least
// outsideFrom bytes in a data file, each starting at a multiple of outsideAlign so that runtimes can map it.
var (
	outsideAbove = int64(maxMessage - 64<<20) // leaves 64 MiB for everything that is no constant
	outsideFrom  = 1 << 10
	outsideAlign = int64(4096)
)

// Write stores the model at path, beyond 2 GiB with its constants in path + ".data". Both files appear whole or not at
// all: they are written beside their places and renamed. The folder must exist.
func Write(path string, m *graph.Model) error {
	if err := write(path, m); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// The data file is in place before the model that names it.
func write(path string, m *graph.Model) error {
	e := encoder{}
	total := int64(0)
	for _, t := range m.Graph.Consts {
		total += int64(len(t.Data))
	}
	if total > outsideAbove {
		e.outside = &outside{location: filepath.Base(path) + ".data"}
	}
	pb, err := e.model(m)
	if err != nil {
		return err
	}
	b, err := marshal(pb)
	if err != nil {
		return err
	}
	if e.outside != nil {
		if err := replace(path+".data", e.outside.write); err != nil {
			return fmt.Errorf("external data: %w", err)
		}
	}
	return replace(path, func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
}

// replace fills a file beside path and renames it. After an error nothing is left behind.
func replace(path string, fill func(*os.File) error) error {
	partial := path + ".partial"
	f, err := os.Create(partial)
	if err != nil {
		return bare(err)
	}
	if err = fill(f); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		os.Remove(partial)
		return bare(err)
	}
	return nil
}

// outside collects the constants of a data file in the order in which they lie there. Invariant: offsets ascend, each a
// multiple of outsideAlign, len(parts) == len(offsets).
type outside struct {
	location string
	size     int64
	parts    [][]byte
	offsets  []int64
}

// take moves a tensor's elements to the data file if they are many.
func (o *outside) take(t *onnxpb.TensorProto) {
	if len(t.RawData) < outsideFrom {
		return
	}
	at := (o.size + outsideAlign - 1) / outsideAlign * outsideAlign
	o.parts, o.offsets = append(o.parts, t.RawData), append(o.offsets, at)
	o.size = at + int64(len(t.RawData))
	t.ExternalData = []*onnxpb.StringStringEntryProto{
		pair("location", o.location), pair("offset", strconv.FormatInt(at, 10)), pair("length", strconv.Itoa(len(t.RawData))),
	}
	t.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
	t.RawData = nil
}

// write stores the parts at their offsets; the gaps between them are zeros.
func (o *outside) write(f *os.File) error {
	for i, part := range o.parts {
		if _, err := f.WriteAt(part, o.offsets[i]); err != nil {
			return err
		}
	}
	return nil
}
