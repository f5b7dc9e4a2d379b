package trainers

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// together runs f on n members at once.
func together(n int, f func(Communicator)) {
	var wg sync.WaitGroup
	for _, c := range collective.Local(n) {
		wg.Go(func() { f(c) })
	}
	wg.Wait()
}

// parallelTask is what a run of the tests trains on.
type parallelTask struct {
	model graph.Model
	loss  graph.Loss
	batch func(step int) graph.Batch
	steps int
	with  []ParallelSetting
}

// toyTask has batches of changing lengths, some of fewer rows than members.
func toyTask(t *testing.T) parallelTask {
	data := toyData(t, tensor.Float64)
	return parallelTask{model: layers.MLP(4, 6, 5, 3), loss: graph.SoftmaxCrossEntropy, batch: func(step int) graph.Batch {
		return rowsOf(data, step*7%40, []int{12, 12, 12, 9}[step%4])
	}, steps: 50}
}

// run is the weights, statistics and φ after all steps.
func (p parallelTask) run(t *testing.T, o Optimizer, opts ...Option) []float64 {
	tr, err := New(p.model, p.loss, o, append([]Option{Dtype(tensor.Float64), Seed(3), EveryK(2)}, opts...)...)
	if err != nil {
		t.Error(err)
		return nil
	}
	for i := range p.steps {
		if _, err := tr.Step(p.batch(i)); err != nil {
			t.Error(err)
			return nil
		}
	}
	return weightsOf(tr)
}

// weightsOf are the weights, statistics and φ.
func weightsOf(tr *Trainer) (all []float64) {
	for _, p := range tr.Params() {
		all = append(all, apoops.Elements[float64](p.Value)...)
	}
	for _, p := range tr.Phi() {
		all = append(all, apoops.Elements[float64](p.Value)...)
	}
	return all
}

// compare runs on one, two and four members.
func (p parallelTask) compare(t *testing.T, o func() Optimizer, opts ...Option) {
	t.Helper()
	want := p.run(t, o(), opts...)
	for _, n := range []int{2, 4} {
		runs := make([][]float64, n)
		together(n, func(c Communicator) {
			runs[c.Rank()] = p.run(t, o(), append([]Option{Parallel(c, p.with...)}, opts...)...)
			if runs[c.Rank()] == nil {
				c.Abort(nil)
			}
		})
		if t.Failed() {
			return
		}
		for r, got := range runs {
			if d := distance(got, want); !(d <= 1e-10) {
				t.Errorf("rank %d of %d is off by %.1e", r, n, d)
			}
			if !slices.Equal(got, runs[0]) {
				t.Errorf("rank %d of %d has other bits than rank 0", r, n)
			}
		}
	}
}

// TestParallelEqualsOneProcess compares all rules and forms of APO on 2 and 4 members with
// the run of one.
func TestParallelEqualsOneProcess(t *testing.T) {
	t.Parallel()
	for name := range everyOptimizer() {
		t.Run(name, func(t *testing.T) {
			toyTask(t).compare(t, func() Optimizer {
				o := everyOptimizer()[name]
				if s, ok := o.(*rule.SOAPConfig); ok {
					s.MaxDim, s.Eps = 3, 1e-3 // larger sides have no full rank here: rounding chooses their bases
				}
				if e, ok := o.(*curvature.EKFACConfig); ok {
					e.LR = 0.002 // without a clip the rate of the battery diverges here
				}
				return o
			})
		})
	}
	for name, opts := range map[string][]Option{
		"calibrated": {Calibrated(CalibratedConfig{})}, "fraction": {FSDFraction(0.5)}, "per layer": {RatePerParam()}, "without": {EveryK(0)},
	} {
		t.Run(name, func(t *testing.T) { toyTask(t).compare(t, func() Optimizer { return SGDm(0.05) }, opts...) })
	}
}

// TestParallelLearnsHyperparameters compares runs that learn weight decay, damping and ε.
func TestParallelLearnsHyperparameters(t *testing.T) {
	t.Parallel()
	for name, r := range tunedRules() {
		t.Run(name, func(t *testing.T) {
			toyTask(t).compare(t, func() Optimizer { return tunedRules()[name].o }, r.learn...)
		})
	}
}

// TestParallelDraws compares runs whose masks and targets are drawn.
func TestParallelDraws(t *testing.T) {
	eachDraw(t, toyTask(t), func(t *testing.T, p parallelTask, o func() Optimizer) { p.compare(t, o) })
}

// eachDraw has rules train dense layers on the batches of a task, and convolutions, where masks
// and targets are drawn.
func eachDraw(t *testing.T, dense parallelTask, compare func(*testing.T, parallelTask, func() Optimizer)) {
	dense.model, dense.steps = layers.Sequential(layers.Dense(4, 8, apoops.ReLUAct), layers.Dropout(0.3), layers.Dense(8, 3, apoops.Identity)), 20
	image := parallelTask{model: layers.Sequential(layers.Conv(1, 4, 3, apoops.ReLUAct), layers.Dropout(0.2), layers.Flatten(), layers.Dense(4*4*4, 3, apoops.Identity)),
		loss: graph.SoftmaxCrossEntropy, batch: func(step int) graph.Batch { return noiseImages(step, 8) }, steps: 12}
	for name, o := range map[string]func() Optimizer{
		"sgdm": func() Optimizer { return SGDm(0.05) }, "kfac": func() Optimizer { return KFAC(0.01) }, "precond": func() Optimizer { return Precond(0.01) },
		"shampoo": func() Optimizer { return Shampoo(0.01) },
		"kfac, drawn patches": func() Optimizer {
			o := KFAC(0.01)
			o.PatchesPerDim = 0.5
			return o
		},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, dense, o)
			compare(t, image, o)
		})
	}
}

// noiseImages are n images of 6×6 and their classes.
func noiseImages(seed, n int) graph.Batch {
	rng := rand.New(rand.NewPCG(uint64(seed), 8))
	x, labels := make([]float64, n*36), make([]int, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	for i := range labels {
		labels[i] = rng.IntN(3)
	}
	return graph.NewBatch(denseOf(x, n, 1, 6, 6), denseOf(labels, n))
}

// TestParallelTokens weighs members by the tokens that they have.
func TestParallelTokens(t *testing.T) {
	p := parallelTask{model: languageModel(true), loss: graph.TokenCrossEntropy(graph.TokenSettings{Smoothing: 0.1}), batch: func(step int) graph.Batch {
		return sentenceBatch(sentences(), step%6, (step+1)%6, (step+3)%6, (step+4)%6)
	}, steps: 12}
	for name, o := range map[string]func() Optimizer{
		"adamw": func() Optimizer { return AdamW(0.005) }, "precond": func() Optimizer { return Precond(0.01) }, "kfac": func() Optimizer { return KFAC(0.01) },
	} {
		t.Run(name, func(t *testing.T) { p.compare(t, o) })
	}
}

// TestParallelSmallBatches has fewer examples than members.
func TestParallelSmallBatches(t *testing.T) {
	p, data := toyTask(t), toyData(t, tensor.Float64)
	p.batch, p.steps = func(step int) graph.Batch { return rowsOf(data, step, 3) }, 10
	for name, o := range map[string]func() Optimizer{"adam": func() Optimizer { return Adam(0.01) }, "kfac": func() Optimizer { return KFAC(0.01) }} {
		t.Run(name, func(t *testing.T) { p.compare(t, o) })
	}
}

// TestParallelEvaluatesAndSaves compares an evaluation, and a checkpoint that rank 0 has
// written, with those of one process.
func TestParallelEvaluatesAndSaves(t *testing.T) {
	p, data := toyTask(t), toyData(t, tensor.Float64)
	path := filepath.Join(t.TempDir(), "run")
	run := func(comm Communicator, steps int, load, save string) (Evaluation, error) {
		tr, err := New(p.model, p.loss, Adam(0.01), Dtype(tensor.Float64), EveryK(2), Parallel(comm))
		if err == nil && load != "" {
			err = tr.Load(load)
		}
		for i := tr.Steps(); err == nil && i < steps; i++ {
			_, err = tr.Step(p.batch(i))
		}
		if err == nil && save != "" {
			err = tr.Save(save)
		}
		if err != nil {
			return Evaluation{}, err
		}
		return tr.Evaluate(data, 25)
	}
	want, err := run(collective.Single{}, 20, "", "")
	if err != nil {
		t.Fatal(err)
	}
	check := func(n int, load, save string, steps int) {
		together(n, func(c Communicator) {
			got, err := run(c, steps, load, save)
			if err != nil {
				t.Error(err)
				c.Abort(err)
			}
			if steps == 20 && (math.Abs(got.Loss-want.Loss) > 1e-10 || got.Accuracy != want.Accuracy) {
				t.Errorf("rank %d of %d: %+v, one process has %+v", c.Rank(), n, got, want)
			}
		})
	}
	check(2, "", "", 20)
	check(4, "", path, 9)
	check(2, path, "", 20)
	check(1, path, "", 20)
	together(2, func(c Communicator) {
		_, err := run(c, 1, "", filepath.Join(path, "no", "folder"))
		if err == nil || c.Rank() == 1 && !strings.Contains(err.Error(), "rank 0") {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
	})
}

// TestParallelRefusesDifferentMembers changes one thing on one member.
func TestParallelRefusesDifferentMembers(t *testing.T) {
	p := toyTask(t)
	for want, change := range map[string]func(o *rule.SGDConfig, opts []Option) ([]Option, int){
		"settings":   func(o *rule.SGDConfig, opts []Option) ([]Option, int) { o.Momentum = 0.8; return opts, 0 },
		"weights":    func(_ *rule.SGDConfig, opts []Option) ([]Option, int) { return append(opts, Seed(4)), 0 },
		"mini-batch": func(_ *rule.SGDConfig, opts []Option) ([]Option, int) { return opts, 1 },
	} {
		together(3, func(c Communicator) {
			o, opts, first := SGDm(0.1), []Option{Dtype(tensor.Float64), Parallel(c)}, 0
			if c.Rank() == 2 {
				opts, first = change(o, opts)
			}
			tr, err := New(p.model, p.loss, o, opts...)
			if err == nil {
				_, err = tr.Step(p.batch(first))
			}
			if err == nil || !strings.Contains(err.Error(), "ranks [2]") || !strings.Contains(err.Error(), want) && want != "weights" {
				t.Errorf("%s: rank %d: %v", want, c.Rank(), err)
			}
		})
	}
	if _, err := New(p.model, p.loss, SGD(0.1), Parallel(nil)); err == nil {
		t.Error("no communicator is no error")
	}
}

// TestParallelComparesAfterLoad has one member go on from weights that the others have not.
func TestParallelComparesAfterLoad(t *testing.T) {
	p, path := toyTask(t), filepath.Join(t.TempDir(), "weights.safetensors")
	other, err := New(p.model, p.loss, SGDm(0.1), Dtype(tensor.Float64), Seed(9))
	if err == nil {
		err = other.SaveWeights(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	together(2, func(c Communicator) {
		tr, err := New(p.model, p.loss, SGDm(0.1), Dtype(tensor.Float64), Parallel(c))
		if err == nil {
			_, err = tr.Step(p.batch(0))
		}
		if err != nil {
			t.Error(err)
			c.Abort(err)
			return
		}
		file := path
		if c.Rank() == 0 {
			file = filepath.Join(filepath.Dir(path), "own.safetensors")
		}
		if err := tr.SaveWeights(filepath.Join(filepath.Dir(path), "own.safetensors")); err != nil {
			t.Error(err)
		}
		if err := tr.LoadWeights(file); err != nil {
			t.Error(err)
		}
		if _, err := tr.Step(p.batch(1)); err == nil || !strings.Contains(err.Error(), "weights") || !strings.Contains(err.Error(), "ranks [1]") {
			t.Errorf("rank %d: %v", c.Rank(), err)
		}
	})
}

// lossesAndWeights takes steps, those of batch(i), with a trainer, or has err, that of making
// it, end all members. φ is among the weights.
func lossesAndWeights(t *testing.T, comm Communicator, tr *Trainer, err error, steps int, batch func(i int) graph.Batch) (losses, weights []float64) {
	for i := 0; err == nil && i < steps; i++ {
		var s Stats
		if s, err = tr.Step(batch(i)); err == nil {
			losses = append(losses, s.Loss)
		}
	}
	if err != nil {
		t.Error(err)
		comm.Abort(err)
		return nil, nil
	}
	for _, q := range tr.Params() {
		weights = append(weights, numbersOf(q.Value)...)
	}
	for _, q := range tr.Phi() {
		weights = append(weights, numbersOf(q.Value)...)
	}
	return losses, weights
}

// TestParallelIn16Bits has members of the same bits. In bfloat16 their losses are near those
// of one process; in float16 a dynamic loss scale may skip other steps: gradients of a part
// overflow sooner or later than those of the whole.
func TestParallelIn16Bits(t *testing.T) {
	p, data := toyTask(t), toyData(t, tensor.Float32)
	for _, f := range []apoops.Format{apoops.BFloat16, apoops.Float16} {
		for name, settled := range map[string]func() tunedRule{
			"adam": func() tunedRule { return tunedRule{o: Adam(0.005)} }, "kfac": func() tunedRule { return tunedRule{o: KFAC(0.002)} },
			"precond": func() tunedRule { return tunedRule{o: Precond(0.02)} }, "learned adam": func() tunedRule { return tunedRules()["adam"] },
			"learned shampoo": func() tunedRule { return tunedRules()["shampoo seldom"] },
			"learned kfac": func() tunedRule {
				r := tunedRules()["kfac"]
				r.o.(*curvature.KFACConfig).LR = 0.005 // larger steps follow rounding sooner
				return r
			},
		} {
			run := func(comm Communicator) (losses, weights []float64) {
				r := settled()
				tr, err := New(p.model, p.loss, r.o, append([]Option{EveryK(2), Precision(f), Parallel(comm)}, r.learn...)...)
				return lossesAndWeights(t, comm, tr, err, 20, func(i int) graph.Batch { return rowsOf(data, i*7%40, 12) })
			}
			want, _ := run(collective.Single{})
			var got [2][]float64
			together(2, func(c Communicator) {
				losses, weights := run(c)
				got[c.Rank()] = weights
				for i := range losses[:min(12, len(losses))] { // later ones of KFAC follow rounding
					if f == apoops.BFloat16 && math.Abs(losses[i]-want[i]) > 0.02*want[i] {
						t.Errorf("%v, %s: the loss of step %d is %v, %v by one process", f, name, i, losses[i], want[i])
					}
				}
			})
			if !slices.Equal(got[0], got[1]) {
				t.Errorf("%v, %s: the members have other bits", f, name)
			}
		}
	}
}

// TestParallelRefusesMissingInputs: the members compare mini-batches before they check them.
func TestParallelRefusesMissingInputs(t *testing.T) {
	p := toyTask(t)
	together(2, func(c Communicator) {
		tr, err := New(p.model, p.loss, SGD(0.1), Dtype(tensor.Float64), Parallel(c))
		if err != nil {
			t.Error(err)
			c.Abort(err)
			return
		}
		for _, b := range []graph.Batch{graph.NewBatch(nil, p.batch(0).T[0]), graph.NewBatch(p.batch(0).X[0], nil)} {
			if _, err := tr.Step(b); err == nil || !strings.Contains(err.Error(), "missing") {
				t.Errorf("rank %d: %v", c.Rank(), err)
			}
		}
		if _, err := tr.Step(p.batch(0)); err != nil {
			t.Errorf("rank %d: then %v", c.Rank(), err)
			c.Abort(err)
		}
	})
}

// TestParallelFallbacks has inverses overflow, of an input that is always 0, that one of the
// members computes: all count as many as one process does.
func TestParallelFallbacks(t *testing.T) {
	data := toyData(t, tensor.Float32)
	run := func(comm Communicator) (fallbacks int) {
		o := KFAC(0.001)
		o.Damping, o.FactorEvery, o.InverseEvery = 1e-90, 1, 2
		tr, err := New(layers.MLP(4, 6, 3), graph.SquaredError, o, Parallel(comm), EveryK(0))
		for i := 0; err == nil && i < 5; i++ {
			b := rowsOf(data, i, 24)
			targets := make([]float32, 24*3) // a softmax would leave Ḡ one eigenvalue of 0
			for row := range 24 {
				b.X[0].Float32s()[4*row], targets[3*row] = 0, 1
			}
			_, err = tr.Step(graph.NewBatch(b.X[0], tensor.New(tensor.WithShape(24, 3), tensor.WithBacking(targets))))
		}
		if err != nil {
			t.Error(err)
			comm.Abort(err)
			return 0
		}
		return tr.Fallbacks()
	}
	want := run(collective.Single{})
	if want == 0 {
		t.Fatal("no inverse overflows")
	}
	together(3, func(c Communicator) {
		if got := run(c); got != want {
			t.Errorf("rank %d counts %d fallbacks, one process %d", c.Rank(), got, want)
		}
	})
}

// distance is the largest difference of two lists of numbers by the largest of them.
func distance(a, b []float64) (d float64) {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	size := 0.0
	for _, v := range b {
		size = max(size, math.Abs(v))
	}
	for i := range a {
		d = max(d, math.Abs(a[i]-b[i]))
	}
	return d / size
}
