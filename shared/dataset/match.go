package dataset

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// canonical is the form in which file names are compared.
func canonical(name string) string { return norm.NFC.String(slashed(name)) }

// slashed is a name with / for \ and without dots.
func slashed(name string) string { return path.Clean(strings.ReplaceAll(name, `\`, "/")) }

// finder finds files by the names that label lines give them. Folded are files by their names in small letters, and
// foreign files are those that are there and not read.
type finder struct {
	folder   string
	exact    map[string]int
	composed map[string]int // by canonical name; -1: two files have it
	folded   map[string]string
	deeper   map[string]string // a file in a folder below, by its name alone
	foreign  map[string]bool
	roots    []string // what may stand in front of a name
}

func newFinder(folder string, files, foreign []string) *finder {
	f := &finder{folder: folder, exact: map[string]int{}, composed: map[string]int{}, folded: map[string]string{}, deeper: map[string]string{}, foreign: map[string]bool{}}
	for i, name := range files {
		c := canonical(name)
		f.exact[name] = i
		if _, twice := f.composed[c]; twice {
			i = -1
		}
		f.composed[c] = i
		f.folded[strings.ToLower(c)] = name
		if base := path.Base(c); base != c {
			f.deeper[base] = name
		}
	}
	for _, name := range foreign {
		f.foreign[canonical(name)] = true
	}
	f.roots = []string{canonical(filepath.ToSlash(folder)) + "/", canonical(filepath.Base(folder)) + "/"}
	if whole, err := filepath.Abs(folder); err == nil {
		f.roots = append(f.roots, canonical(filepath.ToSlash(whole))+"/")
	}
	return f
}

// find is the index of the file that a label line calls name: as it stands, with / for \, in any Unicode normal form, and
// without the folder in front. why says what to do when there is none.
func (f *finder) find(name string) (i int, why string) {
	if i, ok := f.exact[slashed(name)]; ok {
		return i, ""
	}
	c := canonical(name)
	names := []string{c}
	for _, r := range f.roots {
		if rest, ok := strings.CutPrefix(c, r); ok {
			names = append(names, rest)
		}
	}
	for _, n := range names {
		if i, ok := f.composed[n]; ok && i < 0 {
			return 0, fmt.Sprintf("%s is two files in %s, whose names differ in the form of their letters only", name, f.folder)
		} else if ok {
			return i, ""
		}
		if f.foreign[n] {
			return 0, fmt.Sprintf("%s is in %s, but pictures of this format are not read: convert it to PNG or JPEG", name, f.folder)
		}
	}
	for _, n := range names {
		if near, ok := f.folded[strings.ToLower(n)]; ok {
			return 0, fmt.Sprintf("%s is not in %s, but %s is", name, f.folder, near)
		}
	}
	if below, ok := f.deeper[c]; ok {
		return 0, fmt.Sprintf("%s is not in %s, but %s is: perhaps %s is the folder of the samples", name, f.folder, below, filepath.Join(f.folder, path.Dir(slashed(below))))
	}
	return 0, fmt.Sprintf("%s is not in %s", name, f.folder)
}

// match finds the samples of label lines among the files of a folder. All faults are reported together: lines without a
// file, and files with two lines.
func match(file, folder string, ls []label, files, foreign []string) (picks []int, unnamed int, err error) {
	find := newFinder(folder, files, foreign)
	used := map[int]label{}
	var bad lines
	for _, l := range ls {
		if l.name == "" {
			bad.add("%s:%d: a class without a file name", file, l.line)
			continue
		}
		i, why := find.find(l.name)
		first, twice := used[i]
		switch {
		case why != "":
			bad.add("%s:%d: %s", file, l.line, why)
		case twice && first.class != l.class:
			bad.add("%s:%d: %s stands in line %d already, with class %d", file, l.line, l.name, first.line, first.class)
		case twice:
			bad.add("%s:%d: %s stands in line %d already", file, l.line, l.name, first.line)
		default:
			used[i] = l
			picks = append(picks, i)
		}
	}
	if err := bad.err("labels"); err != nil {
		return nil, 0, err
	}
	if len(picks) == 0 {
		return nil, 0, fmt.Errorf("labels: %s names no sample", file)
	}
	return picks, len(files) - len(picks), nil
}
