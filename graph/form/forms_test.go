package form

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TestForms checks every registered form: what it promises in graphs, outside of
// graphs and, where it has a Relative, in relative steps. A new form needs no test of
// its own but one against its definition, as in definitions_test.go.
func TestForms(t *testing.T) {
	for _, f := range forms {
		t.Run(f.Name(), func(t *testing.T) {
			t.Run("registered", func(t *testing.T) { checkRegistered(t, f) })
			t.Run("refused", func(t *testing.T) { checkRefusals(t, f) })
			for _, c := range cases(f) {
				f := c.f
				t.Run(fmt.Sprintf("%v %dx%d", f, c.rows, c.cols), func(t *testing.T) {
					t.Run("factors", c.checkFactors)
					t.Run("start", c.checkStart)
					t.Run("multiply", c.checkMultiply)
					t.Run("dense", c.checkDense)
					t.Run("gradient", c.checkGradient)
					t.Run("bound", c.checkBound)
					t.Run("allocations", c.checkAllocations)
					if r := f.Relative(); r != nil {
						t.Run("relative", func(t *testing.T) { c.checkRelative(t, r) })
						t.Run("relative gradient", func(t *testing.T) { c.checkRelativeGradient(t, r) })
						t.Run("relative steps", func(t *testing.T) { c.checkRelativeSteps(t, r) })
					} else if _, err := startLearner(c.start(t, tensor.Float64)); err == nil {
						t.Error("P has a learner, but Relative is nil")
					}
					if f.Probed() != nil {
						t.Run("probed", c.checkProbed)
					} else if _, err := startProbed(c.start(t, tensor.Float64)); err == nil {
						t.Error("P is learned from probes, but Probed is nil")
					}
				})
			}
		})
	}
}

// cases are a form for gradients of several sizes, and forms like it with other
// settings.
func cases(f Form) (all []*testCase) {
	for _, f := range append([]Form{f}, settings[f.Name()]...) {
		for _, size := range [][2]int{{3, 4}, {4, 2}, {1, 5}, {1, 1}} {
			all = append(all, newCase(f, size[0], size[1]))
		}
	}
	return all
}

// settings are what else forms with settings are checked with. The sizes have sides of
// full rank for all.
var settings = map[string][]Form{"low-rank": {LowRank{Rank: 1}}}

func checkRegistered(t *testing.T, f Form) {
	name := f.Name()
	if name == "" || name != strings.ToLower(name) {
		t.Errorf("the name %q is empty or not in lower case", name)
	}
	if g, err := ByName(name); err != nil || g != f {
		t.Errorf("ByName(%q) = %v, %v: another form has the name, or two values differ", name, g, err)
	}
	last := f
	for range forms {
		if last.Fallback() == nil {
			break
		}
		last = last.Fallback()
		if _, err := ByName(last.Name()); err != nil {
			t.Error(err)
		}
		if last.Note() == "" {
			t.Errorf("%s stands in for %s without a note", last.Name(), name)
		}
	}
	if last.Fallback() != nil {
		t.Errorf("the fallbacks of %s have no end", name)
	}
}

func checkRefusals(t *testing.T, f Form) {
	for name, s := range map[string]Setup{
		"dtype": {Rows: 2, Cols: 2, Dtype: tensor.Int, Rate: 1},
		"rows":  {Rows: 0, Cols: 2, Dtype: tensor.Float64, Rate: 1},
		"cols":  {Rows: 2, Cols: -1, Dtype: tensor.Float64, Rate: 1},
	} {
		if _, err := Start(f, s); err == nil || !strings.Contains(err.Error(), f.Name()) {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
}

func TestByNameOfNothing(t *testing.T) {
	if _, err := ByName("nothing"); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Error(err)
	}
}

// misfit lists other factors than it starts with.
type misfit struct {
	Diagonal
	factors []Factor
}

func (m misfit) Factors(_, _ int) []Factor { return m.factors }

func (m misfit) Start(s Setup) (Preconditioner, error) { return Diagonal{}.Start(s) }

func TestStartRefusesFactorsThatAreNotListed(t *testing.T) {
	s := Setup{Rows: 2, Cols: 3, Dtype: tensor.Float32, Rate: 1}
	for name, list := range map[string][]Factor{
		"fewer":         nil,
		"another shape": {{"S", tensor.Shape{3, 2}}},
	} {
		if _, err := Start(misfit{factors: list}, s); !errors.Is(err, apoops.ErrShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
