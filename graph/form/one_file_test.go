package form

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The files outside this folder that may name a form: the names for users, and the
// defaults.
var naming = []string{"graph/forms.go"}

// TestNobodyKnowsAFormByName reads all code outside this package: what works with
// forms must go through the interface, so that a new one is a file here.
func TestNobodyKnowsAFormByName(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		switch {
		case d.IsDir() && (name == "graph/form" || name == "examples" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root):
			return filepath.SkipDir // examples are users' code
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || slices.Contains(naming, name):
			return nil
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, what := range formsNamed(f, strings.HasPrefix(name, "graph/")) {
			t.Errorf("%s names %s: go through the interface Form, or a method more of it", name, what)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d files seen", files)
	}
}

// typeName is the name of a form's type, such as Kronecker.
func typeName(f Form) string { return reflect.TypeOf(f).Name() }

// formsNamed lists what a file names of the forms: form.Kronecker, graph.Kronecker,
// in package graph the name alone, and the string "kronecker" where it stands for
// the form's Name.
func formsNamed(f *ast.File, inGraph bool) (all []string) {
	packages := map[string]bool{} // by the names that the file gives them
	for _, imp := range f.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		_, base, ok := strings.Cut(path, "/apo/graph")
		if !ok || base != "" && base != "/form" {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if imp.Name != nil {
			name = imp.Name.Name
		}
		packages[name] = true
	}
	known := func(name string) bool {
		return slices.ContainsFunc(forms, func(f Form) bool { return typeName(f) == name })
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				if packages[x.Name] && known(n.Sel.Name) {
					all = append(all, x.Name+"."+n.Sel.Name)
				}
				return false
			}
		case *ast.Ident:
			if inGraph && known(n.Name) {
				all = append(all, n.Name)
			}
		case *ast.BinaryExpr:
			for _, x := range []ast.Expr{n.X, n.Y} {
				if s, ok := x.(*ast.BasicLit); ok && isFormName(s.Value) {
					all = append(all, s.Value)
				}
			}
		case *ast.CaseClause:
			for _, x := range n.List {
				if s, ok := x.(*ast.BasicLit); ok && len(packages) > 0 && isFormName(s.Value) {
					all = append(all, s.Value)
				}
			}
		}
		return true
	})
	return all
}

func isFormName(literal string) bool {
	name, err := strconv.Unquote(literal)
	return err == nil && slices.Contains(Names(), name)
}

func TestFormsAreFound(t *testing.T) {
	const head = "package p\nimport (\"github.com/apo-gorgonia/apo/graph\"; other \"github.com/apo-gorgonia/apo/graph/form\")\n"
	for code, want := range map[string]int{
		"func f(b graph.Block) bool { return b.Form == graph.Kronecker }":                                           1,
		"func f(b graph.Block) bool { switch b.Form { case graph.Full, graph.Scalar: return true }; return false }": 2,
		"var x = other.Diagonal{}":                                                          1,
		"func f(b graph.Block) bool { return b.Form.Name() == \"full\" }":                   1,
		"func f(b graph.Block) { switch b.Form.Name() { case \"kronecker\", \"other\": } }": 1,
		"func f(b graph.Block, m mat.Dense) bool { m.Kronecker(m, m); return b.Matrix }":    0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "p.go", head+code, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := formsNamed(f, false); len(got) != want {
			t.Errorf("%s: %v, want %d", code, got, want)
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", "package graph\nvar x = Kronecker", parser.SkipObjectResolution)
	if err != nil || len(formsNamed(f, true)) != 1 {
		t.Errorf("a form by its name alone in package graph: %v", err)
	}
}

// TestEveryFormIsRegistered finds the exported types of this package that implement
// Form.Start.
func TestEveryFormIsRegistered(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "Lookahead" || fn.Type.Params.NumFields() != 2 {
				continue
			}
			found++
			receiver, _ := fn.Recv.List[0].Type.(*ast.Ident)
			if receiver == nil || !slices.ContainsFunc(forms, func(f Form) bool { return typeName(f) == receiver.Name }) {
				t.Errorf("%s: a form that is not in the registry", path)
			}
		}
	}
	if found != len(forms) {
		t.Errorf("%d forms in the files, %d in the registry", found, len(forms))
	}
}
