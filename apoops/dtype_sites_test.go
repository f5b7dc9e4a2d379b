package apoops_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dtypeFiles may choose by dtype: the helpers that all others use, the routines of a
// BLAS, which exist once for each type. Tables of file formats may be added.
var dtypeFiles = []string{
	"apoops/dtype.go",
	"apoops/blas/float.go",
	"apoops/blas/blas.go",
	"apoops/blas/vector.go",
}

// TestDtypesAreChosenInOnePlace looks through the files of all packages of this
// module and of examples/extend for code that chooses by dtype.
func TestDtypesAreChosenInOnePlace(t *testing.T) {
	root := moduleRoot(t)
	found := make(map[string][]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sites, err := dtypeSites(name, text)
		if len(sites) > 0 {
			found[filepath.ToSlash(name)] = sites
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, sites := range found {
		if !slices.Contains(dtypeFiles, name) {
			t.Errorf("choose by apoops.Choose, DtypeOf, IsFloat, Number or blas.Pick instead:\n%s", strings.Join(sites, "\n"))
		}
	}
	for _, name := range dtypeFiles {
		if len(found[name]) == 0 {
			t.Logf("%s does not choose by dtype: take it from the list", name)
		}
	}
}

// TestDtypeSites checks what counts as a choice by dtype.
func TestDtypeSites(t *testing.T) {
	for code, want := range map[string]int{
		`if a.Dtype() == tensor.Float32 {}`:                          1,
		`if tensor.Float64 != a.Dtype() {}`:                          1,
		`switch dt { case tensor.Int: case tensor.Float64: }`:        1,
		`switch { case dt == tensor.Float32, dt == tensor.Float64:}`: 2,
		`switch v := v.(type) { case *gorgonia.F32: _ = v }`:         1,
		`switch v.(type) { case []float32: case []float64: }`:        1,
		`_, ok := any(v).(float32)`:                                  1,
		`double, ok := any(v).([]float64)`:                           1,
		`if q, ok := any(p).(*pair[float64]); ok { _ = q }`:          1,
		`_ = map[tensor.Dtype]int{tensor.Float32: 4}`:                1,
		`if t.Kind() == reflect.Float32 {}`:                          1,
		`if v, ok := decoded.(float64); ok { _ = v }`:                0, // a number of JSON
		`switch decoded.(type) { case float64: case string: }`:       0,
		`f(tensor.Float32); _ = any(v).([]float32)`:                  0,
		`if dt == tensor.Int {}`:                                     0,
	} {
		sites, err := dtypeSites("code.go", []byte("package p\nfunc _() {\n"+code+"\n}"))
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		if len(sites) != want {
			t.Errorf("%s: %d sites, want %d", code, len(sites), want)
		}
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Skip("the tests run outside of the module's folder")
		}
		dir = filepath.Dir(dir)
	}
}

// dtypeSites are the places of a file that choose by dtype.
func dtypeSites(name string, text []byte) (sites []string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	add := func(n ast.Node) { sites = append(sites, files.Position(n.Pos()).String()) }
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && (isFloatDtype(n.X) || isFloatDtype(n.Y)) {
				add(n)
			}
		case *ast.CaseClause:
			if slices.ContainsFunc(n.List, isFloatDtype) {
				add(n)
			}
		case *ast.KeyValueExpr:
			if isFloatDtype(n.Key) {
				add(n)
			}
		case *ast.TypeSwitchStmt:
			for _, c := range n.Body.List {
				if slices.ContainsFunc(c.(*ast.CaseClause).List, isSingle) {
					add(c)
				}
			}
		case *ast.AssignStmt:
			if a, ok := typeTest(n); ok && (isSingle(a.Type) || isOf(a.Type, "float64") && !isIdent(a.Type, "float64")) {
				add(n)
			}
		}
		return true
	})
	return sites, nil
}

// isFloatDtype reports whether e is a constant such as tensor.Float32.
func isFloatDtype(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "Float32" && s.Sel.Name != "Float64" {
		return false
	}
	return isIdent(s.X, "tensor") || isIdent(s.X, "gorgonia") || isIdent(s.X, "reflect")
}

// typeTest is the type assertion of v, ok := x.(T).
func typeTest(n *ast.AssignStmt) (a *ast.TypeAssertExpr, ok bool) {
	if len(n.Lhs) != 2 || len(n.Rhs) != 1 {
		return nil, false
	}
	a, ok = n.Rhs[0].(*ast.TypeAssertExpr)
	return a, ok && a.Type != nil
}

// isSingle reports whether a type is made of float32. A type switch without such a
// case is one over decoded numbers.
func isSingle(e ast.Expr) bool { return isOf(e, "float32") || isOf(e, "F32") }

func isOf(e ast.Expr, name string) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = true
		}
		return !found
	})
	return found
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
