package trainers

import (
	"fmt"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// mixedSizes are those of consecutive mini-batches.
var mixedSizes = []int{12, 7, 12, 5, 7, 7, 12, 5, 12, 9}

func mixedBatch(t testing.TB, step int) graph.Batch {
	return rowsOf(toyData(t, tensor.Float32), 5*step%40, mixedSizes[step%len(mixedSizes)])
}

// TestMixedShapesEqualSeparateTrainers takes steps on batches of different sizes in one
// trainer and, for each step, in a trainer of its own that never saw another size and has
// the state from a checkpoint: exact resume with it. With two graphs of a kind they are
// built again and again, with the same results.
func TestMixedShapesEqualSeparateTrainers(t *testing.T) {
	optimizers := everyOptimizerAndTrust()
	optimizers["precond relative"] = precond.Relative(0.5)
	learners := map[string][]Option{"": {EveryK(2)}, "calibrated": {EveryK(2), Calibrated(CalibratedConfig{Lambda0: 1})}}
	for name, o := range optimizers {
		for learner, opts := range learners {
			if _, err := New(toyModel(), toyLoss, o, opts...); err != nil {
				continue // such a rule has no such learner
			}
			t.Run(name+" "+learner, func(t *testing.T) {
				t.Parallel()
				whole, few := toyTrainer(t, o, opts...), toyTrainer(t, o, append(opts[:len(opts):len(opts)], Graphs(2))...)
				path := filepath.Join(t.TempDir(), "checkpoint")
				for step := range mixedSizes {
					b := mixedBatch(t, step)
					alone := toyTrainer(t, o, opts...)
					if step > 0 {
						if err := alone.Load(path); err != nil {
							t.Fatal(err)
						}
					}
					for _, tr := range []*Trainer{whole, few, alone} {
						if _, err := tr.Step(b); err != nil {
							t.Fatal(err)
						}
					}
					sameBits(t, fmt.Sprintf("step %d", step), whole.engine, alone.engine)
					sameBits(t, fmt.Sprintf("step %d, two graphs", step), whole.engine, few.engine)
					if err := alone.Save(path); err != nil {
						t.Fatal(err)
					}
				}
				if n := few.engine.bases.Len(); n != 2 {
					t.Errorf("%d graphs are kept, not 2", n)
				}
				if n := whole.engine.bases.Len(); n != 4 {
					t.Errorf("%d graphs for 4 sizes", n)
				}
			})
		}
	}
}

// TestWideLayersOfMixedShapes has layers whose gradients come as rows from small batches
// and whole from large ones.
func TestWideLayersOfMixedShapes(t *testing.T) {
	for _, o := range []Optimizer{KFAC(0.01), EKFAC(0.01), Precond(0.01)} {
		fresh := func() *Trainer {
			tr, err := New(layers.MLP(30, 24, 3), graph.SoftmaxCrossEntropy, o, EveryK(2))
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		whole, path := fresh(), filepath.Join(t.TempDir(), "checkpoint")
		asRows := 0
		for step, n := range []int{2, 60, 2, 3, 60, 2} {
			x := make([]float32, 30*n)
			for i := range x {
				x[i] = float32((i*i+step)%7) / 7
			}
			labels := make([]int, n)
			for i := range labels {
				labels[i] = (i + step) % 3
			}
			b := graph.NewBatch(denseOf(x, n, 30), denseOf(labels, n))
			alone := fresh()
			if step > 0 {
				if err := alone.Load(path); err != nil {
					t.Fatal(err)
				}
			}
			for _, tr := range []*Trainer{whole, alone} {
				if _, err := tr.Step(b); err != nil {
					t.Fatal(err)
				}
			}
			if _, rows, err := whole.engine.base.GradsAndRows(); err != nil || rows != nil {
				asRows++
			}
			sameBits(t, fmt.Sprintf("%s, step %d", o.Name(), step), whole.engine, alone.engine)
			if err := alone.Save(path); err != nil {
				t.Fatal(err)
			}
		}
		if asRows == 0 || asRows == 6 {
			t.Errorf("%s: %d of 6 steps from rows", o.Name(), asRows)
		}
	}
}

// TestDefaultTildeHasTheShapesOfB counts the graphs of meta-steps: as many as there are
// sizes. B' is the last mini-batch of the size of B, or B.
func TestDefaultTildeHasTheShapesOfB(t *testing.T) {
	tr := toyTrainer(t, SGD(0.1), EveryK(1), FSDFraction(1))
	last := make(map[int]graph.Batch)
	for step := range 2 * len(mixedSizes) {
		b := mixedBatch(t, step)
		want, ok := last[b.Len()]
		if !ok {
			want = b
		}
		got, err := tr.engine.chooseTilde(b, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		sameArray(t, fmt.Sprintf("B' of step %d", step), got[0], want.X[0])
		if _, err := tr.Step(b); err != nil {
			t.Fatal(err)
		}
		last[b.Len()] = b
	}
	if n := len(tr.engine.kept); n != 4 {
		t.Errorf("%d batches are kept, not one of each of 4 sizes", n)
	}
	// More sizes than are kept: memory stays bounded.
	data := toyData(t, tensor.Float32)
	for n := 1; n <= 2*keptShapes; n++ {
		if _, err := tr.Step(rowsOf(data, 0, n)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(tr.engine.kept); n != keptShapes {
		t.Errorf("%d batches are kept, not %d", n, keptShapes)
	}
}

// TestTildeOfAnyShape gives B' of other sizes than B, to the step and by TildeFrom.
func TestTildeOfAnyShape(t *testing.T) {
	data := toyData(t, tensor.Float32)
	tildeAt := func(step int) ([]*tensor.Dense, error) { return rowsOf(data, step, 3+step%4).X, nil }
	given, source := toyTrainer(t, Adam(0.01), EveryK(1)), toyTrainer(t, Adam(0.01), EveryK(1), TildeFrom(tildeAt), FSDFraction(1))
	for step := range 9 {
		b := mixedBatch(t, step)
		x, _ := tildeAt(step)
		if _, err := given.StepWith(b, x); err != nil {
			t.Fatal(err)
		}
		if _, err := source.Step(b); err != nil {
			t.Fatal(err)
		}
		sameBits(t, fmt.Sprintf("step %d", step), given.engine, source.engine)
	}
}

// TestShapesInErrors: what cannot be built is named by its shapes, and training goes on.
func TestShapesInErrors(t *testing.T) {
	tr := toyTrainer(t, SGD(0.1), EveryK(2))
	run(t, tr, 0, 2)
	wide := graph.NewBatch(denseOf(make([]float32, 30), 6, 5), denseOf(make([]int, 6), 6))
	_, err := tr.Step(wide)
	wantError(t, "too wide", err, "step 2", "inputs float32 (6, 5), targets int (6)")
	_, err = tr.Step(graph.NewBatch(wide.X[0], denseOf(make([]int, 5), 5)))
	wantError(t, "targets missing", err, "target 0", "5 examples", "6")
	_, err = tr.StepWith(mixedBatch(t, 0), wide.X)
	wantError(t, "B' too wide", err, "B' inputs float32 (6, 5)")
	_, err = tr.Evaluate(Data{X: wide.X[0], T: wide.T[0]}, 6)
	wantError(t, "evaluated", err, "inputs float32 (6, 5), targets int (6)")
	if _, err = New(toyModel(), toyLoss, SGD(0.1), Graphs(0)); err == nil {
		t.Error("Graphs(0) is accepted")
	}
	if tr.Steps() != 3 { // after an error of the meta-step the step was taken
		t.Errorf("%d steps", tr.Steps())
	}
	run(t, tr, 3, 5)
}
