package layout

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackagesAreDocumented looks for a package comment, in doc.go where there is
// one, and, in what can be imported from outside, for an example that is run.
func TestPackagesAreDocumented(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests alone
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if p.Name == "main" || strings.HasPrefix(p.ImportPath, "examples/") {
			continue
		}
		if !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go", p.ImportPath)
		}
		if !slices.ContainsFunc(slices.Concat(p.TestGoFiles, p.XTestGoFiles), func(name string) bool { return hasExample(t, filepath.Join(p.ImportPath, name)) }) {
			t.Errorf("%s has no Example with output", p.ImportPath)
		}
	}
}

// hasExample tells whether the file has an example that go test runs.
func hasExample(t *testing.T, name string) bool {
	t.Helper()
	_, f := parsed(t, name)
	outputs := 0
	for _, c := range f.Comments {
		if strings.HasPrefix(strings.TrimSpace(c.Text()), "Output:") || strings.HasPrefix(strings.TrimSpace(c.Text()), "Unordered output:") {
			outputs++
		}
	}
	return outputs > 0 && slices.ContainsFunc(f.Decls, func(d ast.Decl) bool {
		fn, ok := d.(*ast.FuncDecl)
		return ok && strings.HasPrefix(fn.Name.Name, "Example")
	})
}

// foreign are paths of machines and words on how the module came about, which tell
// its users nothing.
var foreign = regexp.MustCompile(`(?i)/(work|tmp|root|home)/|\bissues? #?[0-9]|\bsessions?\b|\bfarm-`)

func TestWords(t *testing.T) {
	for _, name := range tracked(t) {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(b, 0) {
			continue // no text
		}
		for i, line := range strings.Split(string(b), "\n") {
			if found := foreign.FindString(line); found != "" {
				t.Errorf("%s:%d: %q", name, i+1, found)
			}
		}
	}
	if !foreign.MatchString("see /"+"work/x") || foreign.MatchString("their network") {
		t.Error("the expression does not find what it is for")
	}
}
