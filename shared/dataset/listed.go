package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// isPattern says that a path which names nothing is meant as a pattern.
func isPattern(path string) bool { return strings.ContainsAny(path, "*?[") }

// openPattern opens the pictures that a pattern of package filepath names, in the order of their paths.
func openPattern(s Source) (found, error) {
	all, err := filepath.Glob(s.Data)
	if err != nil {
		return found{}, fmt.Errorf("data: %s: %w", s.Data, err)
	}
	root := s.Data
	for isPattern(root) {
		root = filepath.Dir(root)
	}
	var files, foreign []string
	for _, path := range all {
		name, err := filepath.Rel(root, path)
		if info, e := os.Stat(path); err != nil || e != nil || !info.Mode().IsRegular() {
			continue
		}
		if x := strings.ToLower(filepath.Ext(path)); slices.Contains(pictures, x) {
			files = append(files, filepath.ToSlash(name))
		} else {
			foreign = append(foreign, filepath.ToSlash(name))
		}
	}
	if len(files) == 0 {
		return found{}, fmt.Errorf("data: no picture (%s) matches %s", strings.Join(pictures, " "), s.Data)
	}
	f := found{reader: &images{folder: root, files: sorted(files)}, names: files}
	if len(foreign) > 0 {
		f.notes = append(f.notes, fmt.Sprintf("%d files that match %s and are no pictures are left out", len(foreign), s.Data))
	}
	return f.withLabels(s, foreign)
}

// openList opens the pictures that a text names, one path a line, in its order; relative paths count from the text's
// folder. A line may end with a class, then all do.
func openList(s Source) (found, error) {
	b, err := readFile(s.Data)
	if err != nil {
		return found{}, fmt.Errorf("data: %w", err)
	}
	short := filepath.Base(s.Data)
	text, err := textLines(short, b)
	if err != nil {
		return found{}, fmt.Errorf("data: %w", err)
	}
	l := listed{dir: filepath.Dir(s.Data), seen: map[string]int{}}
	for n, line := range text {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			l.add(short, n+1, line)
		}
	}
	if l.bad.n == 0 && len(l.classes) > 0 && len(l.classes) != len(l.paths) {
		l.bad.add("%s: %d lines end with a class and %d do not", short, len(l.classes), len(l.paths)-len(l.classes))
	}
	if err := l.bad.err("data"); err != nil {
		return found{}, err
	}
	if len(l.paths) == 0 {
		return found{}, fmt.Errorf("data: %s names no picture", s.Data)
	}
	root := common(l.paths)
	f := found{}
	for _, p := range l.paths {
		name, err := filepath.Rel(root, p)
		if err != nil {
			return found{}, fmt.Errorf("data: %s: %w", s.Data, err)
		}
		f.names = append(f.names, filepath.ToSlash(name))
	}
	f.reader = &images{folder: root, files: f.names}
	if s.Labels == "" && len(l.classes) > 0 {
		f.labels, f.where = l.classes, l.where
		return f, nil
	}
	return f.withLabels(s, nil)
}

// listed collects the lines of a list.
type listed struct {
	dir     string
	paths   []string
	classes []int32
	where   []string
	seen    map[string]int // path -> line
	bad     lines
}

// add takes one line: a path, or a path and a class.
func (l *listed) add(file string, n int, line string) {
	path, ok := l.file(strings.Trim(line, `"`))
	if !ok {
		if lab, err := parseLabel(line); err == nil {
			if path, ok = l.file(lab.name); ok {
				l.classes = append(l.classes, lab.class)
				l.where = append(l.where, fmt.Sprintf("%s:%d", file, n))
			}
		}
	}
	switch before := l.seen[path]; {
	case !ok:
		l.bad.add("%s:%d: %s is no file (paths count from %s)", file, n, line, l.dir)
	case before > 0:
		l.bad.add("%s:%d: %s stands in line %d already", file, n, line, before)
	default:
		l.seen[path] = n
		l.paths = append(l.paths, path)
	}
}

// file is the clean path of a file that is there.
func (l *listed) file(name string) (string, bool) {
	if name == "" {
		return "", false
	}
	p := filepath.FromSlash(name)
	if !filepath.IsAbs(p) {
		p = filepath.Join(l.dir, p)
	}
	info, err := os.Stat(p)
	return filepath.Clean(p), err == nil && info.Mode().IsRegular()
}

// common is the deepest folder that holds all paths.
func common(paths []string) string {
	dir := filepath.Dir(paths[0])
	for _, p := range paths[1:] {
		for dir != filepath.Dir(dir) && dir != "." && !strings.HasPrefix(p, dir+string(filepath.Separator)) {
			dir = filepath.Dir(dir)
		}
	}
	return dir
}

// withLabels gives the files the labels of the label file, or those of their folders.
func (f found) withLabels(s Source, foreign []string) (found, error) {
	switch {
	case s.Labels == "" && s.Scores:
		return f, nil
	case s.Labels == "":
		f.labels, f.classes = classFolders(f.names)
		return f, nil
	case s.Scores:
		err := f.scoreEach(s.Labels)
		return f, err
	}
	err := f.label(s, foreign)
	return f, err
}
