package exampletest

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// CheckSnippets looks for the Go code of Markdown pages in the tests of the current folder,
// which compile and run it: line by line, without indentation and empty lines. Of code that
// only imports, the tests must import all.
func CheckSnippets(t *testing.T, pages ...string) {
	t.Helper()
	tests, imports := readTests(t)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		snippets := goSnippets(string(text))
		if len(snippets) == 0 {
			t.Errorf("%s has no Go code", page)
		}
		for _, s := range snippets {
			if paths, ok := onlyImports(s.code); ok {
				for _, path := range paths {
					if !imports[path] {
						t.Errorf("%s:%d: no test here imports %q", page, s.line, path)
					}
				}
			} else if !strings.Contains(tests, plain(s.code)) {
				t.Errorf("%s:%d: no test of this folder has this code: put it into one, so that it is compiled and run\n%s", page, s.line, s.code)
			}
		}
	}
}

type snippet struct {
	line int
	code string
}

// goSnippets are the blocks between ```go and ``` of a Markdown page.
func goSnippets(page string) []snippet {
	var all []snippet
	inside := false
	for i, line := range strings.Split(page, "\n") {
		switch {
		case strings.TrimSpace(line) == "```go":
			inside = true
			all = append(all, snippet{line: i + 1})
		case strings.TrimSpace(line) == "```":
			inside = false
		case inside:
			all[len(all)-1].code += line + "\n"
		}
	}
	return all
}

// plain is code without indentation and empty lines, for a search: each line stands
// between two newlines.
func plain(code string) string {
	text := "\n"
	for _, line := range strings.Split(code, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			text += line + "\n"
		}
	}
	return text
}

// onlyImports are the paths of code that is an import declaration.
func onlyImports(code string) (paths []string, ok bool) {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+code, parser.ImportsOnly)
	if err != nil || len(file.Imports) == 0 {
		return nil, false
	}
	for _, i := range file.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		paths = append(paths, path)
	}
	return paths, true
}

// readTests are the test files of the current folder, plain, and what they import.
func readTests(t *testing.T) (text string, imports map[string]bool) {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	imports = make(map[string]bool)
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text += plain(string(code))
		paths, ok := onlyImports(strings.SplitN(string(code), "\n", 2)[1])
		if !ok {
			t.Fatalf("%s imports nothing", file)
		}
		for _, path := range paths {
			imports[path] = true
		}
	}
	return text, imports
}
