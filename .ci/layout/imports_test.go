package layout

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// levels are the folders from the top down. A package imports packages of lower
// levels and, within the folder of its own level, its neighbours.
var levels = [][]string{
	{"benchmarks", "examples"},
	{"trainers/datasets"},
	{"trainers"},
	{"layers"},
	{"trainers/group"},
	{"trainers/precond"},
	{"trainers/curvature"},
	{"trainers/learn"},
	{"trainers/rule"},
	{"trainers/record", "trainers/batch", "trainers/schedule", "trainers/text"},
	{"trainers/checkpoint", "trainers/internal", "trainers/precision"},
	{"trainers/durable"},
	{"graph"},
	{"graph/form"},
	{"apoops"},
}

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath, Dir, Name, Doc                  string
	GoFiles, TestGoFiles, XTestGoFiles, Imports []string
}

// packages are those of the module, without its path.
func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports", "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
}

const module = "github.com/apo-gorgonia/apo/"

// levelOf is the number of the level whose folder is the longest that has the package.
func levelOf(path string) int {
	level, longest := -1, 0
	for i, dirs := range levels {
		for _, dir := range dirs {
			if (path == dir || strings.HasPrefix(path, dir+"/")) && len(dir) > longest {
				level, longest = i, len(dir)
			}
		}
	}
	return level
}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range packages(t) {
		from := levelOf(p.ImportPath)
		if from < 0 {
			t.Errorf("%s is in none of the levels", p.ImportPath)
		}
		for _, path := range p.Imports {
			to, ours := strings.CutPrefix(path, module)
			if ours && levelOf(to) < from {
				t.Errorf("%s imports %s, which is above it", p.ImportPath, to)
			}
		}
	}
}

// TestLevels tries the order on imports that the design forbids.
func TestLevels(t *testing.T) {
	for _, forbidden := range [][2]string{
		{"apoops/blas", "graph"}, {"graph", "layers"}, {"graph/form", "graph"}, {"graph", "trainers/checkpoint"}, {"layers", "trainers"},
		{"trainers/rule", "trainers"}, {"trainers/rule", "trainers/learn"}, {"trainers", "trainers/datasets"}, {"trainers/internal/array", "trainers/rule"},
		{"trainers", "benchmarks/chart"}, {"trainers/datasets", "examples/mnist"},
	} {
		if levelOf(forbidden[1]) >= levelOf(forbidden[0]) {
			t.Errorf("%s may import %s", forbidden[0], forbidden[1])
		}
	}
	if slices.Contains([]int{levelOf("apoops"), levelOf("trainers/rule")}, -1) {
		t.Error("packages without a level")
	}
}
