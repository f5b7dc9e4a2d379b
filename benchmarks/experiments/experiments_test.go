package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// κ(A) = 1e10, with singular values whose logarithms are evenly spaced.
func TestIllConditionedMatrix(t *testing.T) {
	a := illConditionedMatrix(rand.New(rand.NewPCG(3, 3)), 10, 6)
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDNone) {
		t.Fatal("no SVD")
	}
	for i, s := range svd.Values(nil) {
		if want := math.Pow(10, -2*float64(i)); math.Abs(s-want) > 1e-6*want+1e-15 {
			t.Errorf("singular value %d is %v, not %v", i, s, want)
		}
	}
}

func TestLinearTargetsAreTheSameEachTime(t *testing.T) {
	a, b := linearTargets(6, 10), linearTargets(6, 10)
	if !slices.Equal(a.T.Float64s(), b.T.Float64s()) || a.Len() != illConditionedExamples || a.T.Shape()[1] != 10 {
		t.Error("targets differ, or are of another shape")
	}
}

func TestExperimentsAreComplete(t *testing.T) {
	for _, e := range All() {
		if e.Figure == "" || e.Title == "" || e.Data == "" || e.Paper == "" {
			t.Errorf("%s lacks a description", e.Name)
		}
		if (e.Task == nil) != (len(e.Methods) == 0) || e.Task == nil && e.Computation == nil {
			t.Errorf("%s: task %v, methods %v, computation %v", e.Name, e.Task, e.Methods, e.Computation)
		}
		if e.Task == nil {
			continue
		}
		for _, s := range Scales {
			c, ok := e.Scales[s]
			if !ok && s == Smoke && e.TimedAt(Small) {
				continue // a large net
			}
			if !ok || c.Steps < 1 || c.Batch < 1 || e.Task.Work(c).MultiplyAdds <= 0 {
				t.Errorf("%s %s: %+v", e.Name, s, c)
			}
		}
		for _, name := range append(slices.Clone(e.Methods), e.SmallMethods...) {
			if _, err := methods.Get(name); err != nil {
				t.Errorf("%s: %v", e.Name, err)
			}
		}
	}
	if _, err := Find("nonsense"); err == nil {
		t.Error("an unknown name is found")
	}
	if es, err := Find("fig4-illcond"); err != nil || len(es) != 2 {
		t.Errorf("the group fig4-illcond has %d experiments: %v", len(es), err)
	}
}

// Methods whose rates were searched in shorter runs have others at the paper's scale alone.
func TestOtherRates(t *testing.T) {
	n := 0
	for _, e := range All() {
		for _, name := range e.OtherRates {
			n++
			if got := e.VariantsOf(name, Small); len(got) != 1 || got[0].Times != 0 {
				t.Errorf("%s: %s at the small scale: %+v", e.Name, name, got)
			}
			var times []float64
			for _, v := range e.VariantsOf(name, Paper) {
				times = append(times, v.Times)
			}
			if want := []float64{0, 0.1, 1. / 3, 3}; !slices.Equal(times, want) {
				t.Errorf("%s: %s at %v times its rate, want %v", e.Name, name, times, want)
			}
			m, err := methods.Get(name)
			if err != nil || m.Base != "" || !slices.Contains(e.Methods, name) || len(e.Variants[name]) > 0 {
				t.Errorf("%s: %s is not at a rate of its own: %v", e.Name, name, err)
			}
		}
	}
	if n == 0 {
		t.Error("no experiment has other rates")
	}
}

// Registering a second experiment of a name, or methods without a task, is a mistake in
// the program.
func TestRegisterRefusesMistakes(t *testing.T) {
	n := len(All())
	for what, e := range map[string]*Experiment{
		"two of the name": {Name: "fig1", Computation: proximalUpdates{}},
		"no task":         {Name: "without a task", Methods: []string{"adam"}},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), what) {
					t.Errorf("%s: %v", what, r)
				}
			}()
			Register(e)
		}()
	}
	if len(All()) != n {
		t.Error("the registry has changed")
	}
}

// A stored Figure 1 without all of its curves is refused, not drawn.
func TestDecodeRefusesIncompleteFigure1(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"x":[1],"before":[1],"panels":[{"name":"wsd"}]}`,
		`{"x":[1],"before":[1],"panels":[{"name":"wsd","curves":[{"after":[1,2]}]}]}`} {
		if _, err := fig1.Computation.Decode([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	if _, err := fig1.Computation.Decode([]byte(`{"x":[1],"before":[1],"panels":[{"name":"wsd","curves":[{"after":[2]}]}]}`)); err != nil {
		t.Error(err)
	}
}

// At a minimum of Eq. 3 with the weight-space term alone, a small λ leaves the
// example fitted; a large one leaves the function.
func TestProximalUpdate(t *testing.T) {
	result, err := fig1.Computation.Compute(context.Background(), Smoke)
	if err != nil {
		t.Fatal(err)
	}
	f := result.(*Fig1)
	at := slices.IndexFunc(f.X, func(x float64) bool { return x > f.ExampleX-1e-9 })
	gap := func(c Fig1Curve) float64 { return math.Abs(c.After[at] - f.ExampleY) }
	for _, p := range f.Panels {
		for i := range p.Curves[1:] {
			if a, b := gap(p.Curves[i]), gap(p.Curves[i+1]); b > a+1e-6 {
				t.Errorf("%s: a smaller λ leaves a larger error, %v after %v", p.Name, b, a)
			}
		}
	}
	if g := gap(f.Panels[0].Curves[3]); g > 0.01 {
		t.Errorf("with λ_WSD 0.01 the example's error is %v", g)
	}
}
