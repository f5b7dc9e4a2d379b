package trainers

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// column is an array of the numbers 0, 1/4, …, 1 in turn.
func column(shape ...int) *tensor.Dense {
	v := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range v {
		v[i] = float32(i%5) / 4
	}
	return denseOf(v, shape...)
}

// TestVectorTargets trains outputs of N×1 on targets that are vectors of N: the
// steps and evaluations must be those of targets N×1, whatever N is.
func TestVectorTargets(t *testing.T) {
	for _, loss := range []graph.Loss{graph.SquaredError, graph.BernoulliCrossEntropy} {
		for _, rows := range []int{1, 2, 7} {
			trainer := func() *Trainer {
				tr, err := New(layers.MLP(3, 1), loss, SGD(0.1), EveryK(2))
				if err != nil {
					t.Fatal(err)
				}
				return tr
			}
			a, b := trainer(), trainer()
			for range 3 {
				for tr, y := range map[*Trainer]*tensor.Dense{a: column(rows), b: column(rows, 1)} {
					if _, err := tr.Step(graph.NewBatch(column(rows, 3), y)); err != nil {
						t.Fatalf("%s, %d rows, targets %v: %v", loss.Name, rows, y.Shape(), err)
					}
				}
			}
			what := fmt.Sprintf("%s, %d rows", loss.Name, rows)
			sameBits(t, what, a.engine, b.engine)
			for _, n := range []int{3, 4} { // the last batch has one row, or two
				x, err := a.Evaluate(Data{X: column(10, 3), T: column(10)}, n)
				y, err2 := b.Evaluate(Data{X: column(10, 3), T: column(10, 1)}, n)
				if err != nil || err2 != nil || x.Loss != y.Loss {
					t.Fatalf("%s: evaluated by %d: %v %v, errors %v %v", what, n, x, y, err, err2)
				}
			}
		}
	}
}

// TestImpossibleTargets are refused by Step and Evaluate alike.
func TestImpossibleTargets(t *testing.T) {
	with := func(bad float64) *tensor.Dense {
		y := column(6, 2)
		y.Float32s()[7] = float32(bad)
		return y
	}
	for what, c := range map[string]struct {
		loss   graph.Loss
		y      *tensor.Dense
		kind   error
		naming string
	}{
		"above 1":        {graph.BernoulliCrossEntropy, with(1.5), ErrTarget, "element 7 of targets, in row 3, is 1.5"},
		"below 0":        {graph.BernoulliCrossEntropy, with(-1e-3), ErrTarget, "row 3"},
		"infinite":       {graph.BernoulliCrossEntropy, with(math.Inf(1)), ErrTarget, "+Inf"},
		"NaN":            {graph.BernoulliCrossEntropy, with(math.NaN()), ErrNotFinite, "row 3"},
		"NaN, squares":   {graph.SquaredError, with(math.NaN()), ErrNotFinite, "row 3"},
		"other columns":  {graph.SquaredError, column(6, 3), ErrShape, "(6, 3)"},
		"a vector":       {graph.SquaredError, column(6), ErrShape, "(6)"},
		"a column":       {graph.SquaredError, column(6, 1), ErrShape, "(6, 1)"},
		"class too high": {graph.SoftmaxCrossEntropy, denseOf([]int{0, 1, 1, 2, 0, 0}, 6), ErrTarget, "row 3 is 2"},
		"column classes": {graph.SoftmaxCrossEntropy, denseOf(make([]int, 6), 6, 1), ErrShape, "(6, 1)"},
		"class as float": {graph.SoftmaxCrossEntropy, column(6), ErrDtype, "float32"},
	} {
		tr, err := New(layers.MLP(3, 2), c.loss, SGD(0.1))
		if err != nil {
			t.Fatal(err)
		}
		_, err = tr.Step(graph.NewBatch(column(6, 3), c.y))
		wantError(t, what, err, c.naming)
		_, evaluated := tr.Evaluate(Data{X: column(6, 3), T: c.y}, 6)
		wantError(t, what+", evaluated", evaluated, c.naming)
		if !errors.Is(err, c.kind) || !errors.Is(evaluated, c.kind) {
			t.Errorf("%s: not both are of the kind %q: %v | %v", what, c.kind, err, evaluated)
		}
		if c.kind == ErrNotFinite {
			_, err := NewBatches(Data{X: column(6, 3), T: c.y}, 2, 1)
			wantError(t, what+", batches", err, "row 3")
		}
	}
}

// TestRefusedFirstBatchFixesNothing gives a trainer a first batch that is refused,
// then batches of another size: they must train as if it had never been.
func TestRefusedFirstBatchFixesNothing(t *testing.T) {
	data := toyData(t, tensor.Float32)
	label := rowsOf(data, 0, 5)
	label.T[0].Ints()[2] = 9
	infinite := rowsOf(data, 0, 5)
	infinite.X[0].Float32s()[0] = float32(math.Inf(1))
	for name, o := range everyOptimizer() {
		for what, bad := range map[string]graph.Batch{"a bad label": label, "an infinite input": infinite} {
			tr, twin := toyTrainer(t, o, EveryK(2)), toyTrainer(t, o, EveryK(2))
			if _, err := tr.Step(bad); err == nil {
				t.Fatalf("%s: %s is accepted", name, what)
			}
			run(t, tr, 0, 3)
			run(t, twin, 0, 3)
			sameBits(t, name+" after "+what, tr.engine, twin.engine)
			for _, again := range []*Trainer{tr, twin} {
				if _, err := again.Step(rowsOf(data, 0, 5)); err != nil {
					t.Fatalf("%s, another size: %v", name, err)
				}
			}
			sameBits(t, name+", another size", tr.engine, twin.engine)
		}
	}
	// The step itself may be what fails, when all graphs are there.
	tilde := errors.New("no B' today")
	fails := true
	source := TildeFrom(func(int) ([]*tensor.Dense, error) {
		if fails {
			return nil, tilde
		}
		return rowsOf(data, 0, 12).X, nil
	})
	tr := toyTrainer(t, SGD(0.1), EveryK(1), source)
	if _, err := tr.Step(rowsOf(data, 0, 12)); !errors.Is(err, tilde) {
		t.Fatal(err)
	}
	fails = false
	run(t, tr, 1, 3)
}

// TestTildeFromTheStepsArrays has sources of B' that write to the mini-batch of the step, as
// At of the training's own batches does: an error, and the mini-batch is as it was. A
// source that returns the mini-batch's arrays as they are is none, and one with arrays of its
// own is none.
func TestTildeFromTheStepsArrays(t *testing.T) {
	data := toyData(t, tensor.Float32)
	for name, c := range map[string]struct {
		source func(b *Batches, step int) []*tensor.Dense
		fails  bool
	}{
		"At":            {func(b *Batches, step int) []*tensor.Dense { return b.At(step + 1).X }, true},
		"At, one later": {func(b *Batches, step int) []*tensor.Dense { return b.At(2 * (step / 2)).X }, true}, // the same mini-batch at step 0
		"TildeAt":       {func(b *Batches, step int) []*tensor.Dense { x, _ := b.TildeAt(step); return x }, false},
		"B":             {func(b *Batches, step int) []*tensor.Dense { return b.At(step).X }, false},
		"arrays that change hands": {func(b *Batches, step int) []*tensor.Dense {
			if x, _ := b.TildeAt(step); step < 2 {
				return x
			}
			return b.At(step).X
		}, false},
	} {
		b, err := NewBatches(data, 12, 5)
		if err != nil {
			t.Fatal(err)
		}
		tr := toyTrainer(t, SGD(0.1), EveryK(1), TildeFrom(func(step int) ([]*tensor.Dense, error) { return c.source(b, step), nil }))
		var failed error
		for step := 0; step < 4 && failed == nil; step++ {
			batch := b.At(step)
			inputs, targets := array.CloneAll(batch.X), array.CloneAll(batch.T)
			_, failed = tr.Step(batch)
			if !batch.X[0].Eq(inputs[0]) || !batch.T[0].Eq(targets[0]) {
				t.Errorf("%s: the mini-batch has changed", name)
			}
		}
		if (failed != nil) != c.fails || c.fails && !strings.Contains(failed.Error(), "TildeFrom") {
			t.Errorf("%s: error %v", name, failed)
		}
	}
}

// TestShapesAreComparedExactly binds vectors where the graph has columns.
func TestShapesAreComparedExactly(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName("x"), gorgonia.WithShape(6, 1))
	y := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName("y"), gorgonia.WithShape(6, 1))
	w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName("w"), gorgonia.WithShape(1, 1), gorgonia.WithValue(column(1, 1)))
	out := gorgonia.Must(gorgonia.Mul(x, w))
	cost := gorgonia.Must(apoops.SquaredError(out, y))
	s, err := Wrap(graph.Problem{Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{w}},
		SGD(0.1), EveryK(2), FSD(1, graph.HalfSquared))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gorgonia.Grad(cost, w); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	for _, c := range []struct {
		x, y *tensor.Dense
		want string
	}{{column(6, 1), column(6, 1), ""}, {column(6, 1), column(6), `target "y" of shape (6, 1)`}, {column(6), column(6, 1), `input "x" of shape (6, 1)`}} {
		for _, err := range []error{gorgonia.Let(x, column(6, 1)), gorgonia.Let(y, column(6, 1)), vm.RunAll()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		vm.Reset()
		if err := errors.WithStack(gorgonia.Let(x, c.x)); err != nil {
			t.Fatal(err)
		}
		if err := gorgonia.Let(y, c.y); err != nil {
			t.Fatal(err)
		}
		err := s.Step(gorgonia.NodesToValueGrads(gorgonia.Nodes{w}))
		if c.want == "" && err != nil {
			t.Fatal(err)
		}
		if c.want != "" {
			wantError(t, c.want, err, c.want, "step 1")
		}
	}
}
