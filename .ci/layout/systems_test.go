package layout

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOtherSystems checks the types of the library and its tests for systems that
// this one is not. It reads the source of all that they import: compiling that for
// each system takes minutes.
func TestOtherSystems(t *testing.T) {
	for _, system := range []string{"darwin/arm64", "windows/amd64", "linux/arm64"} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			goos, goarch, _ := strings.Cut(system, "/")
			if errs := checkTypes(t, goos, goarch); len(errs) > 0 {
				t.Errorf("%d errors, the first: %v", len(errs), errs[0])
			}
		})
	}
}

// source is what go list tells of a package to be checked.
type source struct {
	ImportPath, Dir, ForTest string
	GoFiles                  []string
	ImportMap                map[string]string
	Module                   *struct{ Main bool }
}

// checker imports packages from their source.
type checker struct {
	set   *token.FileSet
	sizes types.Sizes
	done  map[string]*types.Package
	errs  []error // of this module's packages
}

func checkTypes(t *testing.T, goos, goarch string) []error {
	t.Helper()
	list := exec.Command("go", "list", "-test", "-deps", "-json=ImportPath,Dir,ForTest,GoFiles,ImportMap,Module",
		"./apoops/...", "./graph/...", "./layers/...", "./trainers/...", "./examples/...", "./benchmarks/...")
	list.Dir = root
	list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{token.NewFileSet(), types.SizesFor("gc", goarch), map[string]*types.Package{"unsafe": types.Unsafe}, nil}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; { // imports come first
		var s source
		if err := dec.Decode(&s); err == io.EOF {
			return c.errs
		} else if err != nil {
			t.Fatal(err)
		}
		if s.ImportPath != "unsafe" && !strings.HasSuffix(s.ImportPath, ".test") {
			c.check(t, s)
		}
	}
}

// check checks the types of a package, function bodies in this module alone.
func (c *checker) check(t *testing.T, s source) {
	t.Helper()
	var files []*ast.File
	for _, name := range s.GoFiles {
		f, err := parser.ParseFile(c.set, filepath.Join(s.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	ours := s.Module != nil && s.Module.Main
	config := types.Config{
		Importer: importer(func(path string) (*types.Package, error) {
			if mapped, ok := s.ImportMap[path]; ok {
				path = mapped
			}
			return c.done[path], nil
		}),
		Sizes: c.sizes, IgnoreFuncBodies: !ours, FakeImportC: true,
		Error: func(err error) {
			if ours {
				c.errs = append(c.errs, err)
			}
		},
	}
	path, _, _ := strings.Cut(s.ImportPath, " ") // without the test it is built for
	c.done[s.ImportPath], _ = config.Check(path, c.set, files, nil)
}

type importer func(path string) (*types.Package, error)

func (f importer) Import(path string) (*types.Package, error) { return f(path) }
