package trainers

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/average"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// evaluationWeights are trainings whose evaluation weights are not those of the training.
func evaluationWeights() map[string]func(t testing.TB) *Trainer {
	return map[string]func(t testing.TB) *Trainer{
		"schedule-free":        func(t testing.TB) *Trainer { return toyTrainer(t, rivals()["schedule-free-sgd"], EveryK(3)) },
		"schedule-free, K = 0": func(t testing.TB) *Trainer { return toyTrainer(t, rivals()["schedule-free-adamw"], EveryK(0)) },
		"averaged":             func(t testing.TB) *Trainer { return toyTrainer(t, SGDm(0.1), Averaged(average.Exponential(0.9))) },
		"averaged APO-Precond": func(t testing.TB) *Trainer { return toyTrainer(t, Precond(0.1), Averaged(average.Exponential(0.9))) },
		"averaged DoG, float64": func(t testing.TB) *Trainer {
			return toyTrainer(t, rivals()["dog"], Averaged(average.PolynomialDecay(8)), Dtype(tensor.Float64))
		},
		"averaged KFAC, float64": func(t testing.TB) *Trainer {
			return toyTrainer(t, KFAC(0.02), Averaged(average.Exponential(0.5)), Dtype(tensor.Float64))
		},
	}
}

// copiesOf are the arrays of the parameters as they are.
func copiesOf(tr *Trainer) (all []*tensor.Dense) {
	for _, p := range tr.Params() {
		all = append(all, p.Value.Clone().(*tensor.Dense))
	}
	return all
}

func sameArrays(t testing.TB, what string, a, b []*tensor.Dense) {
	t.Helper()
	for i := range a {
		sameArray(t, what, a[i], b[i])
	}
}

// TestEvaluationWeights has Evaluate and SaveWeights take other weights than those of the
// training, which go on as if neither had been called; a run that is loaded goes on to the
// same bits, its evaluation weights among them.
func TestEvaluationWeights(t *testing.T) {
	for name, start := range evaluationWeights() {
		t.Run(name, func(t *testing.T) {
			tr, undisturbed := start(t), start(t)
			data := toyData(t, tr.engine.c.dtype)
			first, err := tr.Evaluate(data, 7)
			if err != nil {
				t.Fatal(err)
			}
			run(t, tr, 0, 7)
			run(t, undisturbed, 0, 7)
			trained := copiesOf(tr)
			var x []*tensor.Dense
			if err := tr.Evaluated(func() error { x = copiesOf(tr); return nil }); err != nil {
				t.Fatal(err)
			}
			sameArrays(t, "after Evaluated", copiesOf(tr), trained)
			got, err := tr.Evaluate(data, 7)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			weights, whole := filepath.Join(dir, "weights"), filepath.Join(dir, "checkpoint")
			if err := errors.Join(tr.SaveWeights(weights), tr.Save(whole)); err != nil {
				t.Fatal(err)
			}
			sameBits(t, "undisturbed", tr.engine, undisturbed.engine)
			saved, err := checkpoint.ReadSafetensors(weights)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range saved {
				sameArray(t, "saved "+s.Name, s.Value, x[i])
			}
			// A plain trainer with the saved weights has the same evaluation, and not that
			// of the weights of the training.
			plain := toyTrainer(t, SGD(0.1), Dtype(tr.engine.c.dtype))
			if err := plain.LoadWeights(weights); err != nil {
				t.Fatal(err)
			}
			if want, err := plain.Evaluate(data, 7); err != nil || got != want {
				t.Errorf("evaluation %v, that of the saved weights %v, %v", got, want, err)
			}
			if err := plain.LoadWeights(whole); err != nil {
				t.Fatal(err)
			}
			if of, err := plain.Evaluate(data, 7); err != nil || of == got || got == first {
				t.Errorf("evaluation %v, at first %v, at the weights of the training %v, %v", got, first, of, err)
			}
			loaded := start(t)
			if err := loaded.Load(whole); err != nil {
				t.Fatal(err)
			}
			run(t, tr, 7, 14)
			run(t, loaded, 7, 14)
			sameBits(t, "resumed", tr.engine, loaded.engine)
			a, errA := tr.Evaluate(data, 7)
			if b, errB := loaded.Evaluate(data, 7); a != b || errA != nil || errB != nil {
				t.Errorf("evaluations %v and %v, %v, %v", a, b, errA, errB)
			}
		})
	}
}

// TestEvaluationWeightsAreUndone has what is done with them fail, panic, and try what needs
// the weights of the training.
func TestEvaluationWeightsAreUndone(t *testing.T) {
	for name, start := range evaluationWeights() {
		tr := start(t)
		run(t, tr, 0, 4)
		trained := copiesOf(tr)
		batch := rowsOf(toyData(t, tr.engine.c.dtype), 0, 12)
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := tr.Save(path); err != nil {
			t.Fatal(err)
		}
		failure := errors.New("not today")
		if err := tr.Evaluated(func() error { return failure }); err != failure {
			t.Errorf("%s: error %v", name, err)
		}
		sameArrays(t, name+", failed", copiesOf(tr), trained)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the panic is lost", name)
				}
			}()
			_ = tr.Evaluated(func() error { panic("of the user's") })
		}()
		sameArrays(t, name+", panicked", copiesOf(tr), trained)
		for what, do := range map[string]func() error{
			"Step": func() error {
				_, err := tr.Step(batch)
				return err
			},
			"Save": func() error { return tr.Save(path) }, "Load": func() error { return tr.Load(path) }, "LoadWeights": func() error { return tr.LoadWeights(path) },
		} {
			wantError(t, name+", "+what, tr.Evaluated(do), "within Evaluated")
			sameArrays(t, name+", "+what, copiesOf(tr), trained)
		}
		nested := tr.Evaluated(func() error { return tr.Evaluated(func() error { return nil }) })
		if nested != nil {
			t.Error(nested)
		}
		if err := tr.SaveWeights(filepath.Join(path, "no folder")); err == nil {
			t.Errorf("%s: weights were written below a file", name)
		}
		sameArrays(t, name+", in the end", copiesOf(tr), trained)
	}
}

// TestLoadWeightsStartsAveragesAnew: other weights take the place of all that a training has.
func TestLoadWeightsStartsAveragesAnew(t *testing.T) {
	for name, start := range evaluationWeights() {
		tr, other := start(t), start(t)
		run(t, other, 0, 20)
		path := filepath.Join(t.TempDir(), "weights")
		if err := other.SaveWeights(path); err != nil {
			t.Fatal(err)
		}
		run(t, tr, 0, 5)
		if err := tr.LoadWeights(path); err != nil {
			t.Fatal(err)
		}
		loaded := copiesOf(tr)
		if err := tr.Evaluated(func() error {
			for i, x := range copiesOf(tr) {
				a, b := numbers64(x), numbers64(loaded[i])
				for j := range a {
					if math.Abs(a[j]-b[j]) > 1e-6*(1+math.Abs(b[j])) {
						t.Fatalf("%s: element %d of %s is %v, loaded %v", name, j, tr.Params()[i].Name, a[j], b[j])
					}
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		run(t, tr, 5, 9)
	}
}

func numbers64(a *tensor.Dense) (all []float64) {
	if a.Dtype() == tensor.Float64 {
		return a.Float64s()
	}
	for _, v := range a.Float32s() {
		all = append(all, float64(v))
	}
	return all
}

// TestAveragedIsMean compares the average of a training with that of its weights.
func TestAveragedIsMean(t *testing.T) {
	tr := toyTrainer(t, SGDm(0.1), Averaged(average.PolynomialDecay(0)), Dtype(tensor.Float64))
	mean := make([]float64, tr.Params()[0].Value.DataSize())
	const steps = 9
	for step := range steps {
		run(t, tr, step, step+1)
		for i, v := range tr.Params()[0].Value.Float64s() {
			mean[i] += v / steps
		}
	}
	if err := tr.Evaluated(func() error {
		closeArrays(t, "mean", tr.Params()[0].Value.Float64s(), mean, 1e-14)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAveragedRefused(t *testing.T) {
	_, err := New(toyModel(), toyLoss, ScheduleFreeSGD(0.1), Averaged(average.Exponential(0.9)))
	wantError(t, "Schedule-Free", err, "Averaged", "schedule-free-sgd", "of its own")
	_, err = New(toyModel(), toyLoss, SGD(0.1), Averaged(average.Exponential(1)))
	wantError(t, "decay 1", err, "Exponential(1)")
	_, err = New(toyModel(), toyLoss, SGD(0.1), Averaged(average.Average{}))
	wantError(t, "none", err, "no average")
	_, err = New(toyModel(), toyLoss, SGD(0.1), Meta(ScheduleFreeSGD(0.1)))
	wantError(t, "meta", err, "schedule-free-sgd", "meta-optimizer")
	// Another average is another run.
	a, b := toyTrainer(t, SGD(0.1), Averaged(average.Exponential(0.9))), toyTrainer(t, SGD(0.1), Averaged(average.Exponential(0.8)))
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := a.Save(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, "another decay", b.Load(path), "Averaged", "0.9", "0.8")
}

// TestRulesWithoutRateLearnNone by default; with EveryK they learn a factor.
func TestRulesWithoutRateLearnNone(t *testing.T) {
	for _, o := range []Optimizer{DoG(1), LDoG(1), Prodigy(1), DAdaptAdam(1), SGDHD(0.1), AdamHD(0.01), HDMHB(0.01)} {
		if tr := toyTrainer(t, o); tr.engine.c.K != 0 {
			t.Errorf("%s: K = %d by default", o.Name(), tr.engine.c.K)
		}
		tr := toyTrainer(t, o, EveryK(2))
		run(t, tr, 0, 6)
		if tr.Rates()[0] == o.LearningRate() {
			t.Errorf("%s: the factor did not move", o.Name())
		}
	}
}

// TestMechanicRefusesIterates: Mechanic scales θ - θ₀, so that it cannot be around a rule
// that trains other weights than it evaluates.
func TestMechanicRefusesIterates(t *testing.T) {
	for _, base := range []Optimizer{ScheduleFreeSGD(0.1), ScheduleFreeAdamW(0.1)} {
		_, err := New(toyModel(), toyLoss, Mechanic(base))
		wantError(t, base.Name(), err, "mechanic", base.Name(), "weights of its own")
	}
}
