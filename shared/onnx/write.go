package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"

	"google.golang.org/protobuf/proto"
)

// Write stores the model at path, whose folder must exist. Beyond 2 GiB the constants of the top graph with 1 KiB or more
// go into a data file beside it, path + ".<first 16 hexadecimal digits of its SHA-256>.data", and the model names that file; both
// have to be moved together, under their names. m is not changed, and may have been read from the file it replaces. Errors
// begin with the path.
//
// The model is replaced by one rename, which is the last step that counts: before it path is what it was, with the data it
// names, and after it path is m. An error says that path is what it was. Then the data file of the model that was at path is
// removed if Write made it and m does not need it; that it cannot be removed is no error. A process that is killed may
// leave a file that ends in ".partial", or a data file that no model names; a reader may have to read again when the data it
// is about to open was replaced. Writers of different paths do not meet; of writers of one path the last to finish
// wins with a whole model, unless one of them restores just the data that another is replacing.
func Write(path string, m *graph.Model) error {
	if err := (disk{write: (*os.File).WriteAt, rename: os.Rename, remove: os.Remove}).model(path, m); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// disk is what a model is written with; tests let single steps fail.
type disk struct {
	write  func(f *os.File, b []byte, at int64) (int, error)
	rename func(from, to string) error
	remove func(path string) error
}

// model encodes first, so that nothing is touched for a model that cannot be written; then both files are filled beside
// their places, and only renames are left. The data file is in its place before the model that names it.
func (d disk) model(path string, m *graph.Model) error {
	e := encoder{}
	total := int64(0)
	for _, t := range m.Graph.Consts {
		total += int64(len(t.Data))
	}
	if total > outsideAbove {
		e.outside = newOutside()
	}
	pb, err := e.model(m)
	if err != nil {
		return err
	}
	data := ""
	if e.outside != nil && len(e.outside.parts) > 0 {
		data = dataPath(path, e.outside.digest())
		e.outside.location = filepath.Base(data)
	}
	b, err := marshal(pb)
	if err != nil {
		return err
	}
	stale := staleData(path, data)
	var constants string
	if data != "" {
		if constants, err = d.fill(data, e.outside.parts, e.outside.offsets); err != nil {
			return fmt.Errorf("external data: %w", err)
		}
	}
	partial, err := d.fill(path, [][]byte{b}, []int64{0})
	if err != nil {
		d.drop(constants)
		return err
	}
	if data != "" {
		_, there := os.Lstat(data)
		if err := d.rename(constants, data); err != nil {
			d.drop(constants, partial)
			return fmt.Errorf("external data: %w", bare(err))
		}
		constants = ""
		if errors.Is(there, fs.ErrNotExist) {
			constants = data // to be dropped after an error, which one that was there must not be: the model at path names it
		}
	}
	if err := d.rename(partial, path); err != nil {
		d.drop(constants, partial)
		return bare(err)
	}
	d.drop(stale...)
	return nil
}

// fill writes parts at their offsets into a new file beside path and returns its name. The gaps between parts are zeros.
// After an error nothing is left behind.
func (d disk) fill(path string, parts [][]byte, offsets []int64) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial")
	if err != nil {
		return "", bare(err)
	}
	for i := range parts {
		if err == nil {
			_, err = d.write(f, parts[i], offsets[i])
		}
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		d.drop(f.Name())
		return "", bare(err)
	}
	return f.Name(), nil
}

// drop removes the files that have a name. What cannot be removed stays: it is in nobody's way.
func (d disk) drop(paths ...string) {
	for _, p := range paths {
		if p != "" {
			_ = d.remove(p)
		}
	}
}

// dataPath is where the data of the model at path lies. It is a function of the content, so that the data of a model is never
// replaced by that of another.
func dataPath(path, digest string) string { return path + "." + digest[:16] + ".data" }

// staleData lists the data files that the model at path names and Write has made for it, but for keep. Files that look like it
// and are not named there may be another writer's.
func staleData(path, keep string) []string {
	made, err := filepath.Glob(escaped(path) + "." + strings.Repeat("[0-9a-f]", 16) + ".data")
	if err != nil || len(made) == 0 {
		return nil
	}
	pb := &onnxpb.ModelProto{}
	b, err := os.ReadFile(path)
	if err != nil || (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(b, pb) != nil {
		return nil
	}
	named := map[string]bool{}
	for _, t := range pb.GetGraph().GetInitializer() {
		for _, p := range t.GetExternalData() {
			named[p.GetValue()] = true
		}
	}
	var out []string
	for _, p := range made {
		if p != keep && named[filepath.Base(p)] {
			out = append(out, p)
		}
	}
	return out
}

// escaped is the pattern that matches path and nothing else.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(path)
}
