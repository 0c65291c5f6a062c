package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the path that every import inside the tree begins with.
const module = "assay/"

// file is one parsed Go file. Its path is slash-separated and relative to the root.
type file struct {
	path   string
	source []byte
	syntax *ast.File
}

func (f *file) dir() string     { return path.Dir(f.path) }
func (f *file) isTest() bool    { return strings.HasSuffix(f.path, "_test.go") }
func (f *file) generated() bool { return ast.IsGenerated(f.syntax) }

// tree is what rules see: all Go files of the module but those of nested modules and testdata, and all directories.
type tree struct {
	set   *token.FileSet
	files []*file
	dirs  []string
}

// violation says where a rule is broken and what to do.
type violation struct {
	path string
	line int
	text string
}

func (v violation) String() string {
	if v.line == 0 {
		return fmt.Sprintf("%s: %s", v.path, v.text)
	}
	return fmt.Sprintf("%s:%d: %s", v.path, v.line, v.text)
}

func (t *tree) at(f *file, n ast.Node, format string, args ...any) violation {
	return violation{f.path, t.set.Position(n.Pos()).Line, fmt.Sprintf(format, args...)}
}

func (t *tree) add(name string, source []byte) error {
	syntax, err := parser.ParseFile(t.set, name, source, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	t.files = append(t.files, &file{name, source, syntax})
	return nil
}

// packages groups files by directory, in the order of their names.
func (t *tree) packages() (dirs []string, files map[string][]*file) {
	files = map[string][]*file{}
	for _, f := range t.files {
		if files[f.dir()] == nil {
			dirs = append(dirs, f.dir())
		}
		files[f.dir()] = append(files[f.dir()], f)
	}
	slices.Sort(dirs)
	return dirs, files
}

// root is the directory of go.mod above the test's working directory.
func root(t *testing.T) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		require.NotEqual(t, up, dir, "no go.mod above the test")
		dir = up
	}
}

// load parses the tree. A file that does not parse is the compiler's business: it is left out.
func load(t *testing.T, root string) *tree {
	tr := &tree{set: token.NewFileSet()}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(p, root), string(filepath.Separator)))
		if d.IsDir() {
			if rel == "" {
				return nil
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			tr.dirs = append(tr.dirs, rel)
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		source, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if err := tr.add(rel, source); err != nil {
			t.Log("left out:", err)
		}
		return nil
	})
	require.NoError(t, err)
	return tr
}

// construct makes a tree of the given files, for the tests of the rules.
func construct(t *testing.T, files map[string]string) *tree {
	tr := &tree{set: token.NewFileSet()}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !strings.HasSuffix(name, ".go") {
			tr.dirs = append(tr.dirs, name)
			continue
		}
		tr.dirs = append(tr.dirs, path.Dir(name))
		require.NoError(t, tr.add(name, []byte(files[name])))
	}
	return tr
}

// lines counts the lines of a file.
func (f *file) lines() int { return bytes.Count(f.source, []byte("\n")) }

// imports lists the paths a file imports.
func (f *file) imports() []string {
	var all []string
	for _, s := range f.syntax.Imports {
		all = append(all, strings.Trim(s.Path.Value, `"`))
	}
	return all
}
