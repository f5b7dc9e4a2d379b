package trainers

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// squaredWeights is a user's regression x·(u∘u)·w: the gradient by w is a product of
// rows, that by u is not.
func squaredWeights() graph.Problem {
	g, must := gorgonia.NewGraph(), gorgonia.Must
	leaf := func(name string, rows, cols int) *gorgonia.Node {
		return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithShape(rows, cols))
	}
	weights := func(name string, rows, cols int) *gorgonia.Node {
		w := tensor.New(tensor.WithShape(rows, cols), tensor.Of(tensor.Float64))
		for i := range w.Float64s() {
			w.Float64s()[i] = float64(i*i%7)/4 + 0.2
		}
		return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithValue(w))
	}
	x, y, u, w := leaf("x", 8, 4), leaf("y", 8, 2), weights("u", 4, 3), weights("w", 3, 2)
	out := must(gorgonia.Mul(must(gorgonia.Mul(x, must(gorgonia.Square(u)))), w))
	cost := must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.Square(must(gorgonia.Sub(out, y)))), 1))))
	return graph.Problem{Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{u, w}, Divergence: graph.HalfSquared}
}

func regressionBatch() graph.Batch {
	x, y := tensor.New(tensor.WithShape(8, 4), tensor.Of(tensor.Float64)), tensor.New(tensor.WithShape(8, 2), tensor.Of(tensor.Float64))
	for i := range x.Float64s() {
		x.Float64s()[i] = float64(i*i%11)/5 - 1
	}
	for i := range y.Float64s() {
		y.Float64s()[i] = float64(i%3) / 2
	}
	return graph.NewBatch(x, y)
}

// TestPrecondOfAUsersGraph trains a graph with a weight matrix that is no layer's: it
// gets the diagonal, with a note. Without a way to draw probes all get the dense form.
func TestPrecondOfAUsersGraph(t *testing.T) {
	ownDivergence := graph.HalfSquared
	ownDivergence.Name, ownDivergence.Probe = "own", nil
	for want, divergence := range map[string]graph.Divergence{
		"precond: diagonal S² for u: its gradient is no sum of products": graph.HalfSquared,
		"precond: the dense form with relative steps":                    ownDivergence,
	} {
		p := squaredWeights()
		p.Divergence = divergence
		tr, err := FromProblem(p, Precond(0.1))
		if err != nil {
			t.Fatal(err)
		}
		if notes := tr.Notes(); !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("notes %q, want %q", notes, want)
		}
		first := step(t, tr, regressionBatch())
		for range 60 {
			step(t, tr, regressionBatch())
		}
		if last := step(t, tr, regressionBatch()); !(last < 0.7*first) {
			t.Errorf("%s: the loss went from %v to %v", want, first, last)
		}
	}
}

// TestPrecondWithoutProbes has the dense form in the place of the recommended one: its weight
// decay is an L2 penalty, by which a first step is another, and it finds no rate.
func TestPrecondWithoutProbes(t *testing.T) {
	own := graph.HalfSquared
	own.Name, own.Probe = "own", nil
	p := squaredWeights()
	p.Divergence = own
	if _, err := FromProblem(p, Precond(0)); err == nil || !strings.Contains(err.Error(), "lr is 0") {
		t.Errorf("a rate to be found: error %v", err)
	}
	after := func(decay float64) []float64 {
		p := squaredWeights()
		p.Divergence = own
		o := Precond(0.1)
		o.WeightDecay = decay
		tr, err := FromProblem(p, o)
		if err != nil {
			t.Fatal(err)
		}
		step(t, tr, regressionBatch())
		return tr.Params()[0].Value.Float64s()
	}
	if slices.Equal(after(0), after(0.1)) {
		t.Error("the weight decay has no effect")
	}
}

// TestPrecondSkipsProbes gives a B' whose probe overflows: the step is taken, the
// meta-step counted as skipped, and P stays. The next one goes on.
func TestPrecondSkipsProbes(t *testing.T) {
	tr := toyTrainer(t, Precond(0.05))
	run(t, tr, 0, 3)
	b := rowsOf(toyData(t, tensor.Float32), 0, 12)
	huge := b.X[0].Clone().(*tensor.Dense)
	for i := range huge.Float32s() {
		huge.Float32s()[i] = 1e30
	}
	before := cloneTensors(tr.Phi())
	s, err := tr.StepWith(b, []*tensor.Dense{huge})
	if err != nil {
		t.Fatal(err)
	}
	if !s.Meta.Skipped || tr.Skipped() != 1 {
		t.Errorf("skipped: %v, %d in all", s.Meta.Skipped, tr.Skipped())
	}
	for i, p := range tr.Phi() {
		if strings.HasPrefix(p.Name, "dense0/") {
			sameArray(t, p.Name, p.Value, before[i].Value)
		}
	}
	if s, err := tr.Step(b); err != nil || s.Meta.Skipped {
		t.Errorf("afterwards %+v, %v", s.Meta, err)
	}
}

// squaredDense is x·(w∘w).
type squaredDense struct{ in, out int }

func (squaredDense) Kind() string { return "squared dense" }

func (d squaredDense) Params() ([]layers.Spec, error) {
	return []layers.Spec{{Name: "w", Shape: tensor.Shape{d.in, d.out}, Init: layers.Glorot(), Matrix: true}}, nil
}

func (squaredDense) Apply(_ *graph.Pass, x *gorgonia.Node, w gorgonia.Nodes) (*gorgonia.Node, error) {
	s, err := gorgonia.Square(w[0])
	if err != nil {
		return nil, err
	}
	return gorgonia.Mul(x, s)
}

// TestPrecondOfAModelWithoutRows trains a layer whose matrix is squared: of a model that
// is known with the first batch, when P has its arrays. It becomes a multiple of the
// identity, and a run that is loaded goes on to the same bits.
func TestPrecondOfAModelWithoutRows(t *testing.T) {
	start := func() *Trainer {
		o := Precond(0.05)
		o.Rank = 1
		tr, err := New(layers.Sequential(squaredDense{4, 5}, layers.Dense(5, 3, apoops.Identity)), toyLoss, o, EveryK(3))
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	whole, first, second := start(), start(), start()
	run(t, whole, 0, 70)
	run(t, first, 0, 58)
	if notes := first.Notes(); len(notes) != 1 || !strings.HasPrefix(notes[0], "precond: a multiple of the identity for ") {
		t.Errorf("notes %q", notes)
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := first.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := second.Load(path); err != nil {
		t.Fatal(err)
	}
	run(t, second, 58, 70)
	sameBits(t, "resumed", whole.engine, second.engine)
}

func step(t *testing.T, tr *Trainer, b graph.Batch) float64 {
	t.Helper()
	s, err := tr.Step(b)
	if err != nil {
		t.Fatal(err)
	}
	return s.Loss
}

// TestPrecondWithoutAProbe trains a model with a divergence of the user's own: with
// targets drawn by the loss it is learned from probes, without by relative steps.
func TestPrecondWithoutAProbe(t *testing.T) {
	own := graph.CategoricalKL
	own.Name, own.Probe = "own", nil
	noSample := toyLoss
	noSample.Sample = nil
	for loss, want := range map[string]struct {
		loss  graph.Loss
		notes int
	}{"drawn": {toyLoss, 0}, "not drawn": {noSample, 1}} {
		tr, err := New(layers.MLP(4, 5, 3), want.loss, Precond(0.1), FSD(10, own))
		if err != nil {
			t.Fatal(err)
		}
		run(t, tr, 0, 12)
		if notes := tr.Notes(); len(notes) != want.notes {
			t.Errorf("targets %s: notes %q", loss, notes)
		}
	}
}
