package dataset

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"assay/shared/dataset/npy"
)

// pictures are the extensions that count as pictures; what a file really is, its first bytes say.
var pictures = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp"}

// others are picture formats that are not read; a folder that holds only those gets an error that says so.
var others = []string{".webp", ".tif", ".tiff", ".heic", ".avif", ".ppm", ".jp2"}

// listing is what a folder holds, by slash-separated paths in it: pictures, .npy, .npz, and pictures that are not read.
type listing struct{ images, arrays, archives, foreign []string }

// list walks a folder. Hidden files and folders are left out; a link to a folder is not followed, except the folder
// itself.
func list(ctx context.Context, folder string) (l listing, err error) {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return l, err
	}
	err = filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if p != root && strings.HasPrefix(e.Name(), ".") {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil || e.IsDir() {
			return err
		}
		switch x := strings.ToLower(filepath.Ext(p)); {
		case slices.Contains(pictures, x):
			l.images = append(l.images, filepath.ToSlash(rel))
		case x == ".npz":
			l.archives = append(l.archives, filepath.ToSlash(rel))
		case x == ".npy":
			l.arrays = append(l.arrays, filepath.ToSlash(rel))
		case slices.Contains(others, x):
			l.foreign = append(l.foreign, filepath.ToSlash(rel))
		}
		return nil
	})
	sorted(l.images)
	sorted(l.arrays)
	sorted(l.archives)
	return l, err
}

// openFolder opens a source that is a folder.
func openFolder(ctx context.Context, s Source) (found, error) {
	l, err := list(ctx, s.Data)
	if err != nil {
		return found{}, fmt.Errorf("data: %w", err)
	}
	switch {
	case len(l.images) > 0:
	case len(l.arrays) > 0:
		return openArrayFolder(s, l.arrays)
	case len(l.archives) > 0:
		return openSamples(s, l.archives)
	}
	if len(l.images) == 0 {
		if len(l.foreign) > 0 {
			return found{}, fmt.Errorf("data: %s: its %d pictures are in formats that are not read: convert them to PNG or JPEG", s.Data, len(l.foreign))
		}
		return found{}, fmt.Errorf("data: %s holds no samples: no picture (%s) and no .npy", s.Data, strings.Join(pictures, " "))
	}
	f := found{reader: &images{folder: s.Data, files: l.images}, names: l.images}
	if len(l.foreign) > 0 {
		f.notes = append(f.notes, fmt.Sprintf("%d pictures in formats that are not read are left out", len(l.foreign)))
	}
	return f.withLabels(s, l.foreign)
}

// root is the folder that names count from.
func (f *found) root(s Source) string {
	if r, ok := f.reader.(*images); ok {
		return r.folder
	}
	return s.Data
}

// label gives the found files the labels of a label file; foreign are files that are there and not read.
func (f *found) label(s Source, foreign []string) (err error) {
	if e := ext(s.Labels); e == ".npy" || e == ".npz" || isIdx(s.Labels) {
		f.labels, f.where, err = classes(s.Labels, len(f.names))
		return err
	}
	b, err := readFile(s.Labels)
	if err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	short := filepath.Base(s.Labels)
	ls, err := parseLabels(short, b)
	if err != nil {
		return err
	}
	if _, pictures := f.reader.(*images); !pictures && !slices.ContainsFunc(ls, func(l label) bool { return l.name != "" }) {
		f.labels, f.where, err = classes(s.Labels, len(f.names)) // one class a line, in the order of the files
		return err
	}
	picks, unnamed, err := match(short, f.root(s), ls, f.names, foreign)
	if err != nil {
		return err
	}
	all := f.names
	f.names = nil
	for k, i := range picks {
		f.names = append(f.names, all[i])
		f.pick = append(f.pick, i)
		f.labels = append(f.labels, ls[k].class)
		f.where = append(f.where, fmt.Sprintf("%s:%d", short, ls[k].line))
	}
	if unnamed > 0 {
		f.notes = append(f.notes, fmt.Sprintf("samples without a line in %s: %d, left out", short, unnamed))
	}
	return nil
}

// classFolders labels files by their first folder, classes in the order of the folders' names. It gives nil where some
// file lies outside a folder: then folders mean nothing.
func classFolders(files []string) (labels []int32, names []string) {
	for _, f := range files {
		dir, _, ok := strings.Cut(f, "/")
		if !ok {
			return nil, nil
		}
		if !slices.Contains(names, dir) {
			names = append(names, dir)
		}
	}
	sorted(names)
	for _, f := range files {
		dir, _, _ := strings.Cut(f, "/")
		i, _ := slices.BinarySearch(names, dir)
		labels = append(labels, int32(i))
	}
	return labels, names
}

// openArrayFolder opens a folder of .npy: one for each model input by name, or one for each sample of the only input.
func openArrayFolder(s Source, files []string) (found, error) {
	byName := map[string]string{}
	for _, f := range files {
		byName[strings.TrimSuffix(f, filepath.Ext(f))] = f
	}
	var arrays []npy.Array
	for _, w := range s.Inputs {
		f, ok := byName[w.Name]
		if !ok {
			break
		}
		a, err := readArrays(filepath.Join(s.Data, filepath.FromSlash(f)))
		if err != nil {
			return found{}, err
		}
		arrays = append(arrays, npy.Array{Name: w.Name, Tensor: a[0].Tensor})
	}
	if len(arrays) == len(s.Inputs) {
		return openArrays(s, arrays)
	}
	if len(s.Inputs) > 1 {
		return found{}, fmt.Errorf("data: %s has no %s.npy: one array for each model input is needed (%s)", s.Data, s.Inputs[len(arrays)].Name, inputNames(s.Inputs))
	}
	return openSamples(s, files)
}

func inputNames(ws []Want) string {
	var out []string
	for _, w := range ws {
		out = append(out, w.Name)
	}
	return strings.Join(out, ", ")
}

// open reads one file of a folder.
func open(folder, name string) ([]byte, error) {
	return readFile(filepath.Join(folder, filepath.FromSlash(name)))
}
