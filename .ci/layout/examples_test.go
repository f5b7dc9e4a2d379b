package layout

import (
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shown are the packages, with those below, whose exported functions stand in an
// Example or in a guide. Of apoops itself these are the ops: functions that return a node.
var shown = []string{"trainers", "layers", "graph", "apoops"}

// unshown are the functions that need no Example, each with the reason.
var unshown = map[string]string{
	"apoops.BeginJoint":            divided,
	"apoops.ConvBiasGradient":      "a part of a gradient, which package graph asks for",
	"apoops.FilterGradientOf":      question,
	"apoops.BiasGradientOf":        question,
	"apoops.BiasedWeights":         question,
	"apoops.TableOf":               question,
	"apoops.Joint":                 divided,
	"apoops.JointBatchNorm":        divided,
	"apoops.JointGradient":         divided,
	"apoops.JointRows":             divided,
	"apoops.LayerRows":             "the rows of a graph.Probe, whose Example has them",
	"apoops.PreconditionRelative":  relative,
	"apoops.RelativeEnergy":        relative,
	"apoops.SampledInputMoment":    "InputMoment of a part of the patches of a convolution",
	"apoops/dnn.NewPieces":         "NewProduct in pieces, for the ops of apoops",
	"apoops/dnn.Wanted":            "whether results depend on oneDNN, for checkpoints",
	"apoops/par.Foreign":           "for packages blas and dnn, whose loops call libraries",
	"apoops/par.Reserve":           "for the thread of package mpi",
	"graph.NewBaseRows":            "NewBase for rules that read rows; Trainer.Step makes it",
	"graph.RowlessForm":            "a value that package precond asks for",
	"trainers/datasets.DecodeMAT":  "a file of that format is too long to write down",
	"trainers/learn.CheckLambda":   "a check of one number",
	"trainers/learn.FindRate":      "Trainer.FindRate calls it with what it has of the training",
	"trainers/learn.NewCalibrated": "the option trainers.Calibrated makes it",
	"trainers/learn.TakesPacked":   question,
	"trainers/learn.UpdaterOf":     question,
	"trainers/learn.Watch":         "a trainer calls it after each step",
	"trainers/rule.Equal":          "rounding up",
}

const (
	divided  = "a part of passes that members divide, which package graph builds: trainers.Parallel"
	question = "a question about one value"
	relative = "a part of precond.Relative's meta-step, which package form builds"
)

// TestFunctionsHaveExamples looks for each exported function, constructors and options
// among them, in the Examples and in the Go code of the guides. Methods and constants
// need none.
func TestFunctionsHaveExamples(t *testing.T) {
	used := usedInExamples(t)
	for _, name := range usedInGuides(t) {
		used[name] = true
	}
	functions := exported(t)
	for name, target := range functions {
		if target != "" && (used[name] || used[target]) {
			used[name], used[target] = true, true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		switch reason := unshown[name]; {
		case used[name] && reason != "":
			t.Errorf("%s has an Example: delete it from unshown", name)
		case !used[name] && reason == "":
			t.Errorf("%s is in no Example and in no guide: write one, or say in unshown why not", name)
		}
	}
	for name := range unshown {
		if _, there := functions[name]; !there {
			t.Errorf("unshown has %s, which is not there", name)
		}
	}
	if !used["trainers.New"] || !used["trainers/rule.AdamW"] || used["trainers/rule.Equal"] {
		t.Error("what occurs in Examples is not found")
	}
}

// exported are the functions of the packages, as "layers.Dense", each with the function
// of another package that it hands its arguments on to, if it does nothing else.
func exported(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, file := range code(t) {
		dir := path.Dir(file)
		if first, _, _ := strings.Cut(dir, "/"); !slices.Contains(shown, first) || strings.Contains(dir, "internal") {
			continue
		}
		_, f := parsed(t, file)
		imports := importsOf(f)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.IsExported() && (dir != "apoops" || returnsNode(fn)) {
				all[dir+"."+fn.Name.Name] = handedOn(fn, imports)
			}
		}
	}
	return all
}

// returnsNode reports whether the first result is a *gorgonia.Node.
func returnsNode(fn *ast.FuncDecl) bool {
	if fn.Type.Results == nil {
		return false
	}
	star, ok := fn.Type.Results.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	node, ok := star.X.(*ast.SelectorExpr)
	return ok && node.Sel.Name == "Node"
}

// handedOn is the function that fn is another name of, "" for others.
func handedOn(fn *ast.FuncDecl, imports map[string]string) string {
	if fn.Body == nil || len(fn.Body.List) != 1 {
		return ""
	}
	result, ok := fn.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(result.Results) != 1 {
		return ""
	}
	call, ok := result.Results[0].(*ast.CallExpr)
	if !ok {
		return ""
	}
	var params, args []string
	for _, field := range fn.Type.Params.List {
		for _, name := range field.Names {
			params = append(params, name.Name)
		}
	}
	for _, arg := range call.Args {
		if name, ok := arg.(*ast.Ident); ok {
			args = append(args, name.Name)
		}
	}
	if !slices.Equal(params, args) {
		return ""
	}
	return selected(call.Fun, imports)
}

// usedInExamples are the names of this module's packages that occur in Examples, and in
// files that are there for them.
func usedInExamples(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	for _, file := range tracked(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		_, f := parsed(t, file)
		imports := importsOf(f)
		whole := strings.HasSuffix(file, "example_test.go")
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); !whole && (!ok || !strings.HasPrefix(fn.Name.Name, "Example")) {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					used[selected(e, imports)] = true
				}
				return true
			})
		}
	}
	return used
}

// selected is the package's folder and the name of an expression package.Name, "" for
// others.
func selected(e ast.Expr, imports map[string]string) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok || imports[x.Name] == "" || !token.IsExported(s.Sel.Name) {
		return ""
	}
	return imports[x.Name] + "." + s.Sel.Name
}

// importsOf are the folders of this module's packages by the names that they have in the
// file.
func importsOf(f *ast.File) map[string]string {
	imports := map[string]string{}
	for _, i := range f.Imports {
		whole, _ := strconv.Unquote(i.Path.Value)
		dir, ours := strings.CutPrefix(whole, module)
		if !ours {
			continue
		}
		name := path.Base(dir)
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = dir
	}
	return imports
}

var qualified = regexp.MustCompile(`\b([a-z]\w*)\.([A-Z]\w*)`)

// usedInGuides are the names in the Go code of Markdown pages, which the tests beside
// them compile and run. A package is known by its last name.
func usedInGuides(t *testing.T) (used []string) {
	t.Helper()
	dirs := map[string][]string{}
	for _, file := range code(t) {
		dir := path.Dir(file)
		if name := path.Base(dir); !slices.Contains(dirs[name], dir) {
			dirs[name] = append(dirs[name], dir)
		}
	}
	for _, page := range []string{"README.md", "examples/dropin/README.md", "examples/guides/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, page))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d pages, %v", page, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, part := range strings.Split(string(text), "```") {
				goCode, ok := strings.CutPrefix(part, "go\n")
				if i%2 == 0 || !ok {
					continue
				}
				for _, m := range qualified.FindAllStringSubmatch(goCode, -1) {
					for _, dir := range dirs[m[1]] {
						used = append(used, dir+"."+m[2])
					}
				}
			}
		}
	}
	return used
}
