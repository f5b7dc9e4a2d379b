// Package layout has the tests of how this module is laid out: the length of files
// and functions, the number of files, the direction of imports, documentation, and
// words that do not belong here.
//
//	go test -count=1 ./.ci/layout
package layout

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../.."

const (
	maxFileLines     = 300
	maxFunctionLines = 60
)

// maxFiles is how many files of code may lie flat in a folder.
var maxFiles = map[string]int{"apoops": 60, "trainers": 25}

// tracked are the paths of all files that belong to the module, those that git does
// not know yet among them.
func tracked(t *testing.T) []string {
	t.Helper()
	git := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	out, err := git.Output()
	if err != nil {
		t.Skip("needs a checkout and git: ", err)
	}
	var all []string
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil { // not deleted
			all = append(all, name)
		}
	}
	return all
}

// code are the files of Go that are no tests.
func code(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(tracked(t), func(name string) bool {
		return !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go")
	})
}

// parsed reads a file of Go.
func parsed(t *testing.T, name string) (*token.FileSet, *ast.File) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return set, f
}

// TestTopLevel: code is in these folders alone. Names with a dot are for tools.
func TestTopLevel(t *testing.T) {
	folders := []string{"apoops", "benchmarks", "examples", "graph", "layers", "trainers"}
	for _, name := range tracked(t) {
		top, _, inFolder := strings.Cut(name, "/")
		switch {
		case inFolder && !strings.HasPrefix(top, ".") && !slices.Contains(folders, top):
			t.Errorf("%s: code is in %s", name, strings.Join(folders, ", "))
		case !inFolder && strings.HasSuffix(name, ".go"):
			t.Errorf("%s: there is no package at the top", name)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, name := range code(t) {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(b, []byte("\n")); n > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", name, n, maxFileLines)
		}
	}
}

func TestFunctionsAreShort(t *testing.T) {
	for _, name := range code(t) {
		set, f := parsed(t, name)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1; n > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, more than %d", name, fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

func TestFoldersAreSmall(t *testing.T) {
	count := map[string]int{}
	for _, name := range code(t) {
		count[filepath.Dir(name)]++
	}
	for dir, most := range maxFiles {
		if count[dir] == 0 {
			t.Errorf("%s has no files of code", dir)
		}
		if count[dir] > most {
			t.Errorf("%s has %d files of code, more than %d: make a package of those that belong together", dir, count[dir], most)
		}
	}
}

// TestEngineAssertsNothing holds the central step to what its interfaces promise: an
// optional interface is one more thing that someone who adds a rule has to know of.
func TestEngineAssertsNothing(t *testing.T) {
	set, f := parsed(t, "trainers/engine.go")
	ast.Inspect(f, func(n ast.Node) bool {
		if assertion, ok := n.(*ast.TypeAssertExpr); ok {
			t.Errorf("%s: a type assertion", set.Position(assertion.Pos()))
		}
		return true
	})
}
