package lint

import (
	"go/ast"
	"go/build/constraint"
	"go/importer"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// numericRooms are where a number must be the same on every machine.
var numericRooms = []string{"kernels", "shared/op", "shared/quant", "shared/metric"}

// exact are the functions of package math whose result IEEE 754 defines, so that every CPU agrees.
var exact = []string{
	"Abs", "Ceil", "Copysign", "Float32bits", "Float32frombits", "Float64bits", "Float64frombits", "Floor", "Frexp", "Inf", "IsInf",
	"IsNaN", "Ldexp", "Max", "Min", "NaN", "Nextafter", "Nextafter32", "RoundToEven", "Round", "Signbit", "Sqrt", "Trunc", "Modf", "Mod",
}

func numericFile(f *file) bool {
	return !f.isTest() && slices.ContainsFunc(numericRooms, func(r string) bool { return under(f.path, r) })
}

// checkMath forbids the functions of package math that choose their algorithm by CPU, or round twice. Constants are fine.
func checkMath(t *tree) []violation {
	var bad []violation
	for _, f := range t.files {
		if !numericFile(f) || !slices.Contains(f.imports(), "math") {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); !ok || x.Name != "math" || constantOfMath(s.Sel.Name) || slices.Contains(exact, s.Sel.Name) {
				return true
			}
			bad = append(bad, t.at(f, s, "math.%s depends on the CPU or rounds twice: use package numeric", s.Sel.Name))
			return true
		})
	}
	return bad
}

func constantOfMath(name string) bool {
	for _, p := range []string{"Max", "Min", "Smallest", "Pi", "E", "Ln", "Log2E", "Log10E", "Sqrt2", "SqrtE", "SqrtPi", "SqrtPhi", "Phi"} {
		if name == p && p != "Max" && p != "Min" || strings.HasPrefix(name, p) && (strings.HasPrefix(name, "MaxInt") || strings.HasPrefix(name, "MaxUint") ||
			strings.HasPrefix(name, "MaxFloat") || strings.HasPrefix(name, "MinInt") || strings.HasPrefix(name, "Smallest") || strings.HasPrefix(name, "Ln") || strings.HasPrefix(name, "Sqrt") && len(name) > 4) {
			return true
		}
	}
	return false
}

// checkProducts forbids a float product whose value can reach a sum without a rounding that the language guarantees. Go
// may fuse x*y+z into one rounding, across statements too; only an explicit conversion prevents it. So each product is
// converted where it is made, or goes into another product, a quotient or a comparison, where nothing can be fused.
func checkProducts(t *tree) []violation {
	var bad []violation
	seen := map[string]bool{}
	std := importer.ForCompiler(t.set, "source", nil) // remembers what it read
	for _, tags := range [][]string{nil, {"noasm"}} {
		c := newChecker(t, tags, std)
		dirs, _ := t.packages()
		for _, dir := range dirs {
			if !slices.ContainsFunc(numericRooms, func(r string) bool { return under(dir, r) }) {
				continue
			}
			c.load(dir)
			for _, f := range c.files[dir] {
				for _, v := range products(t, f, c.info) {
					if key := v.String(); !seen[key] {
						seen[key] = true
						bad = append(bad, v)
					}
				}
			}
		}
	}
	slices.SortStableFunc(bad, func(a, b violation) int {
		if c := strings.Compare(a.path, b.path); c != 0 {
			return c
		}
		return a.line - b.line
	})
	return bad
}

func products(t *tree, f *file, info *types.Info) []violation {
	var bad []violation
	var stack []ast.Node
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		switch e := n.(type) {
		case *ast.BinaryExpr:
			if e.Op == token.MUL && isFloat(info, e) && !rounded(info, stack) {
				bad = append(bad, t.at(f, e, "a float product is not rounded: write float32(x*y), float64(x*y) or numeric.FMA32"))
			}
		case *ast.AssignStmt:
			if e.Tok == token.MUL_ASSIGN && isFloat(info, e.Lhs[0]) {
				bad = append(bad, t.at(f, e, "a float product is not rounded: write x = float32(x*y) instead of x *= y"))
			}
		}
		stack = append(stack, n)
		return true
	})
	return bad
}

// rounded says whether the node around a product rounds it or cannot be fused with it.
func rounded(info *types.Info, stack []ast.Node) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		switch p := stack[i].(type) {
		case *ast.ParenExpr:
			continue
		case *ast.UnaryExpr: // a sign moves into the fused operation
			continue
		case *ast.CallExpr:
			return info.Types[p.Fun].IsType()
		case *ast.BinaryExpr:
			return p.Op != token.ADD && p.Op != token.SUB
		}
		return false
	}
	return false
}

// isFloat says whether e is a float that is not known to the compiler. A type parameter that admits a float is one.
func isFloat(info *types.Info, e ast.Expr) bool {
	tv, ok := info.Types[e]
	if !ok || tv.Type == nil || tv.Value != nil {
		return false
	}
	return floating(tv.Type)
}

func floating(t types.Type) bool {
	if p, ok := t.(*types.TypeParam); ok {
		t = p.Constraint()
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&(types.IsFloat|types.IsComplex) != 0
	case *types.Interface:
		for i := range u.NumEmbeddeds() {
			if floating(u.EmbeddedType(i)) {
				return true
			}
		}
	case *types.Union:
		for i := range u.Len() {
			if floating(u.Term(i).Type()) {
				return true
			}
		}
	}
	return false
}

// checker gives types to packages of the tree. Packages of others are read from source when they are part of the standard
// library and are empty otherwise: an expression on what they return has no type, and is left alone.
type checker struct {
	tree     *tree
	tags     []string
	info     *types.Info
	packages map[string]*types.Package
	files    map[string][]*file
	std      types.Importer
}

func newChecker(t *tree, tags []string, std types.Importer) *checker {
	return &checker{
		tree: t, tags: tags, packages: map[string]*types.Package{}, files: map[string][]*file{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}},
		std:  std,
	}
}

// Import implements types.Importer.
func (c *checker) Import(p string) (*types.Package, error) {
	if dir, ours := strings.CutPrefix(p, module); ours {
		return c.load(dir), nil
	}
	if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
		return empty(p), nil
	}
	if p == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg, ok := c.packages[p]; ok {
		return pkg, nil
	}
	pkg, err := c.std.Import(p)
	if err != nil {
		pkg = empty(p)
	}
	c.packages[p] = pkg
	return pkg, nil
}

func empty(p string) *types.Package {
	pkg := types.NewPackage(p, p[strings.LastIndex(p, "/")+1:])
	pkg.MarkComplete()
	return pkg
}

// load checks the files of a directory that belong to this build. Errors of the code are the compiler's business.
func (c *checker) load(dir string) *types.Package {
	if pkg, ok := c.packages[module+dir]; ok {
		return pkg
	}
	var syntax []*ast.File
	for _, f := range c.tree.files {
		if f.dir() == dir && !f.isTest() && c.builds(f) {
			c.files[dir] = append(c.files[dir], f)
			syntax = append(syntax, f.syntax)
		}
	}
	conf := types.Config{Importer: c, Error: func(error) {}, Sizes: types.SizesFor("gc", "amd64")}
	pkg, _ := conf.Check(module+dir, c.tree.set, syntax, c.info)
	c.packages[module+dir] = pkg
	return pkg
}

// builds says whether a file belongs to an amd64 build with the checker's tags.
func (c *checker) builds(f *file) bool {
	tag := func(t string) bool {
		return t == "amd64" || t == "linux" || t == "unix" || t == "gc" || strings.HasPrefix(t, "go1.") || slices.Contains(c.tags, t)
	}
	for _, suffix := range []string{"arm64", "windows", "darwin"} {
		if strings.HasSuffix(f.path, "_"+suffix+".go") {
			return false
		}
	}
	for _, g := range f.syntax.Comments {
		for _, l := range g.List {
			if constraint.IsGoBuild(l.Text) && g.Pos() < f.syntax.Package {
				x, err := constraint.Parse(l.Text)
				return err != nil || x.Eval(tag)
			}
		}
	}
	return true
}
