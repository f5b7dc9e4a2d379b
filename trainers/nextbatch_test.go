package trainers

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// TestNextBatchGradients compares ∂Q/∂φ, whose loss is that on the next mini-batch, with central
// differences of Q.
func TestNextBatchGradients(t *testing.T) {
	adamw := AdamW(0.02)
	adamw.WeightDecay = 0.1
	unclipped := KFAC(0.05) // so that its directions do not depend on the rate
	unclipped.KLClip = 0
	for what, c := range map[string]struct {
		o    Optimizer
		opts []Option
	}{
		"sgd":            {SGD(0.05), nil},
		"adamw":          {adamw, nil},
		"each parameter": {RMSprop(0.01), []Option{RatePerParam()}},
		"linear":         {SGDm(0.05), []Option{LinearRate()}},
		"loss alone":     {Adam(0.01), []Option{FSD(0), WSD(0)}},
		"clipped":        {SGDm(0.05), []Option{ClipNorm(0.01), ClipValue(0.004)}},
		"schedule":       {Adam(0.01), []Option{WithSchedule(Cosine(20, 0))}},
		"groups":         {Groups(SGDm(0.05), Group{Params: []string{"dense0"}, Optimizer: Adam(0.01)}), nil},
		"rows":           {unclipped, nil},
		"parts":          {Adam(0.01), []Option{Accumulate(3)}},
	} {
		t.Run(what, func(t *testing.T) {
			opts := append([]Option{Dtype(tensor.Float64), EveryK(3), FSD(0.5), WSD(0.3), Meta(MetaSGD(1e-300))}, c.opts...)
			for _, g := range metaGradients(t, c.o, 6, 1e-9, opts...) {
				g.check(t)
			}
		})
	}
}

// TestNextBatchIsTheLossThere: Q has the loss of the step that ends the meta-step, with that
// step's masks, and the other terms of the step before. φ moves before that step is taken.
func TestNextBatchIsTheLossThere(t *testing.T) {
	model := func() graph.Model {
		return layers.Sequential(layers.Dense(4, 6, apoops.TanhAct), layers.Dropout(0.4), layers.Dense(6, 3, apoops.Identity))
	}
	start := func(opts ...Option) *Trainer {
		tr, err := New(model(), graph.SoftmaxCrossEntropy, SGD(0.1), append(opts, EveryK(4), FSD(0.5), WSD(0.3))...)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	next, same := start(), start(SameBatch())
	b, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	for step := range 6 {
		s, err := next.Step(b.At(step))
		if err != nil {
			t.Fatal(err)
		}
		if (s.Meta != nil) != (step%4 == 1) || (s.MetaTime > 0) != (step%4 == 0) {
			t.Fatalf("step %d: meta-step %+v in %v", step, s.Meta, s.MetaTime)
		}
		if step == 1 {
			other, err := same.Step(b.At(0))
			if err != nil {
				t.Fatal(err)
			}
			m, o := s.Meta, other.Meta
			if m.Loss != s.Loss || m.FSD != o.FSD || m.WSD != o.WSD || m.LambdaFSD != 0.5 || m.LambdaWSD != 0.3 || math.Abs(m.Q-(m.Loss+0.5*m.FSD+0.3*m.WSD)) > 1e-12 {
				t.Errorf("the meta-step is %+v, on the same mini-batch %+v", m, o)
			}
			if s.Rates[0] == 0.1 {
				t.Error("the rate has not moved before step 1 was taken")
			}
		}
	}
}

// TestNextBatchResumes stops between the two steps of a meta-step.
func TestNextBatchResumes(t *testing.T) {
	for _, opts := range [][]Option{nil, {FSD(0)}, {Precision(apoops.BFloat16)}, {RatePerParam(), ClipNorm(1)}} {
		start := func() *Trainer { return toyTrainer(t, Adam(0.01), append(opts, EveryK(4))...) }
		straight, stopped, path := start(), start(), filepath.Join(t.TempDir(), "checkpoint")
		run(t, straight, 0, 14)
		run(t, stopped, 0, 9)
		if err := stopped.Save(path); err != nil {
			t.Fatal(err)
		}
		resumed := start()
		if err := resumed.Load(path); err != nil {
			t.Fatal(err)
		}
		run(t, resumed, 9, 14)
		sameBits(t, "resumed", straight.engine, resumed.engine)
	}
}

// TestNextBatchOfOlderRuns: a run with SameBatch, as all were once, goes on so in a program
// without the option. One without it is no run with it.
func TestNextBatchOfOlderRuns(t *testing.T) {
	old, path := toyTrainer(t, Adam(0.01), EveryK(2), SameBatch()), filepath.Join(t.TempDir(), "checkpoint")
	run(t, old, 0, 5)
	if err := old.Save(path); err != nil {
		t.Fatal(err)
	}
	run(t, old, 5, 9)
	resumed := toyTrainer(t, Adam(0.01), EveryK(2))
	run(t, resumed, 0, 3)
	if err := resumed.Load(path); err != nil {
		t.Fatal(err)
	}
	run(t, resumed, 5, 9)
	sameBits(t, "resumed", old.engine, resumed.engine)

	next := toyTrainer(t, Adam(0.01), EveryK(2))
	run(t, next, 0, 5)
	if err := next.Save(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, "SameBatch", old.Load(path), "learner's settings")
	sameBits(t, "after the error", old.engine, resumed.engine)
}

// TestMetaRateOfOlderRuns: runs that began with the former default of Meta go on with it, also
// beside P; one in which it was chosen goes on where it is chosen.
func TestMetaRateOfOlderRuns(t *testing.T) {
	for name, o := range map[string]func() Optimizer{
		"Adam": func() Optimizer { return Adam(0.01) },
		"groups": func() Optimizer {
			return Groups(SGD(0.01), Group{Params: []string{"dense0"}, Optimizer: Precond(0.01)})
		},
		"P for the rest": func() Optimizer {
			return Groups(Precond(0.01), Group{Params: []string{"dense0"}, Optimizer: SGD(0.01)})
		},
	} {
		old, path := toyTrainer(t, o(), EveryK(2), Meta(MetaAdam(0.05))), filepath.Join(t.TempDir(), "checkpoint")
		run(t, old, 0, 5)
		if err := old.Save(path); err != nil {
			t.Fatal(name, err)
		}
		now, later := toyTrainer(t, o(), EveryK(2)), filepath.Join(t.TempDir(), "checkpoint")
		run(t, now, 0, 3)
		if err := now.Save(later); err != nil {
			t.Fatal(name, err)
		}
		run(t, now, 3, 6)
		resumed := toyTrainer(t, o(), EveryK(2))
		run(t, resumed, 0, 3)
		if err := resumed.Load(path); err != nil {
			t.Fatal(name, err)
		}
		run(t, resumed, 5, 9)
		run(t, old, 5, 9)
		sameBits(t, name+", resumed", old.engine, resumed.engine)
		if err := resumed.Load(later); err != nil {
			t.Fatal(name, err)
		}
		run(t, resumed, 3, 6)
		sameBits(t, name+", a newer one after it", now.engine, resumed.engine)
		wantError(t, name+", chosen", toyTrainer(t, o(), EveryK(2), Meta(MetaAdam(0.1))).Load(path), "lr 0.05, this training has 0.1")
	}
	p, path := toyTrainer(t, PrecondPlain(0.01), Meta(MetaAdam(0.05))), filepath.Join(t.TempDir(), "checkpoint")
	run(t, p, 0, 2)
	if err := p.Save(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, "P", toyTrainer(t, PrecondPlain(0.01)).Load(path), "learner's settings")
}

// TestNextBatchOfOtherWeights: weights that are loaded between the two steps are not those that
// the first has led to. A step that is left out is waited for.
func TestNextBatchOfOtherWeights(t *testing.T) {
	tr, err := New(layers.MLP(4, 6, 3), graph.SoftmaxCrossEntropy, Adam(0.01), Dtype(tensor.Float64), EveryK(4), SkipNonFinite(3))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "weights")
	run(t, tr, 0, 1)
	if err := tr.SaveWeights(path); err != nil {
		t.Fatal(err)
	}
	if err := tr.LoadWeights(path); err != nil {
		t.Fatal(err)
	}
	b := rowsOf(toyData(t, tensor.Float64), 0, 12)
	if s, err := tr.Step(b); err != nil || s.Meta != nil {
		t.Fatalf("after LoadWeights: %+v, %v", s.Meta, err)
	}
	run(t, tr, 2, 5)
	if s, err := tr.Step(hugeBatch(t)); err != nil || !s.StepSkipped || s.Meta != nil {
		t.Fatalf("a step that is left out: %+v, %v", s, err)
	}
	if s, err := tr.Step(b); err != nil || s.Meta == nil || s.Meta.Loss != s.Loss {
		t.Fatalf("after a step that was left out: %+v, %v", s, err)
	}
}

// TestNextBatchBesideP: where P has meta-steps beside the rates, a step that ends one on a rate is
// taken with the bound of the rate, and has its statistics.
func TestNextBatchBesideP(t *testing.T) {
	p := PrecondPlain(0.01)
	for _, k := range []int{2, 3} {
		tr := toyTrainer(t, Groups(SGD(0.01), Group{Params: []string{"dense0"}, Optimizer: p}), EveryK(k), WSD(0.3), RateBounds(1e-8, 1e38))
		run(t, tr, 0, k) // P's have K = 10
		tr.engine.copies = nil
		b := rowsOf(toyData(t, tensor.Float32), 0, 12)
		for step := k; step < 12; step++ {
			s, err := tr.Step(b)
			if err != nil {
				t.Fatal(err)
			}
			ends := (step-1)%k == 0
			if moves := ends || step%k == 0 || step%10 == 0; moves != (tr.engine.copies != nil) {
				t.Fatalf("K = %d, step %d: φ moves %v, copies %v", k, step, moves, tr.engine.copies != nil)
			}
			if ends && (s.Meta == nil || s.Meta.Loss != s.Loss) {
				t.Errorf("K = %d, step %d: %+v", k, step, s.Meta)
			}
			tr.engine.copies = nil
		}
	}
}

// TestNextBatchLeavesTheLastGradient: a meta-step that has begun is not the last one.
func TestNextBatchLeavesTheLastGradient(t *testing.T) {
	tr := toyTrainer(t, Adam(0.01), EveryK(3))
	run(t, tr, 0, 2)
	ended := tr.LastMetaGradient()[0].Value.Float64s()[0]
	run(t, tr, 2, 4)
	if g := tr.LastMetaGradient()[0].Value.Float64s()[0]; g != ended || g == 0 {
		t.Errorf("∂Q/∂φ was %v, and is %v after a meta-step has begun", ended, g)
	}
}

// TestNextBatchKeepsTheRateUnderNoise: the inputs say nothing of the labels. On its own
// mini-batch a step always helps; on the next one it does not.
func TestNextBatchKeepsTheRateUnderNoise(t *testing.T) {
	for _, opts := range [][]Option{nil, {SameBatch()}} {
		tr, err := New(layers.MLP(20, 3), graph.SoftmaxCrossEntropy, SGDm(0.03), append(opts, EveryK(5))...)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 1000 {
			if _, err := tr.Step(noise(step)); err != nil {
				t.Fatal(err)
			}
		}
		if rate := tr.Rates()[0]; (rate < 0.03) != (opts == nil) {
			t.Errorf("%d options: the rate went from 0.03 to %v", len(opts), rate)
		}
	}
}

// noise is a mini-batch of 8 random inputs with random labels.
func noise(step int) graph.Batch {
	rng := rand.New(rand.NewPCG(1, uint64(step)))
	x, labels := make([]float32, 8*20), make([]int, 8)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = rng.IntN(3)
	}
	return graph.NewBatch(denseOf(x, 8, 20), tensor.New(tensor.WithShape(8), tensor.WithBacking(labels)))
}
