package durable

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// writers are the functions that write a file in place, or bring a new one in
// without syncs.
var writers = map[string]bool{"os.WriteFile": true, "os.Create": true, "os.CreateTemp": true, "os.OpenFile": true, "os.Rename": true, "os.Truncate": true}

// allowed names what need not survive a kill, and where.
var allowed = map[string]string{
	"benchmarks/resident/resident.go": "writes to /proc",
	"benchmarks/peers/ours.go":        "a profile, of no use unless it is whole",
	"benchmarks/peers/record.go":      "appends to a log",
}

// Whatever library and programs write goes through this package. What damages files
// for the tests of the programs, exampletest, is no part of them.
func TestEveryFileIsWrittenHere(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || name == "trainers/durable" || name == "examples/internal/exampletest") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || allowed[name] != "" {
			return nil
		}
		files++
		for _, call := range callsIn(t, path) {
			if writers[call] {
				t.Errorf("%s calls %s: use package durable", name, call)
			}
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

// callsIn lists what a file names of other packages, such as os.Create.
func callsIn(t *testing.T, path string) (all []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				all = append(all, x.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return all
}
