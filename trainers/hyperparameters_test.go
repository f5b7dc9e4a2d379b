package trainers

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"
)

// tunedRule is a rule with what is learned of it.
type tunedRule struct {
	o     Optimizer
	learn []Option
	// moves is set where the statistics move between inverses, so that other values of φ
	// have others than those of the derivative.
	moves bool
}

// tunedRules has each rule with hyperparameters that are learned, by name.
func tunedRules() map[string]tunedRule {
	decay := []Option{LearnWeightDecay(1e-6, 10)}
	sgd, sgdm, nesterov := SGD(0.2), SGDm(0.1), SGDm(0.1)
	nesterov.Nesterov = true
	rmsprop, corrected, adam, adamw, nadamw := RMSprop(0.02), RMSprop(0.02), Adam(0.05), AdamW(0.05), NAdamW(0.05)
	corrected.BiasCorrection, corrected.Momentum = true, 0.9
	sgd.WeightDecay, sgdm.WeightDecay, nesterov.WeightDecay = 0.3, 0.3, 0.3
	rmsprop.WeightDecay, corrected.WeightDecay, adam.WeightDecay, adamw.WeightDecay, nadamw.WeightDecay = 0.3, 0.3, 0.3, 0.3, 0.3
	kfac, ekfac, shampoo := KFAC(0.1), EKFAC(0.1), Shampoo(0.02)
	kfac.WeightDecay, ekfac.WeightDecay, shampoo.WeightDecay = 0.3, 0.3, 0.3
	rmsprop.Eps, corrected.Eps, adam.Eps, adamw.Eps, nadamw.Eps = 0.05, 0.05, 0.05, 0.05, 0.05
	epsilon := append([]Option{LearnEpsilon(1e-6, 10)}, decay...)
	damping := []Option{LearnDamping(1e-6, 10)}
	both := append(damping, decay...)
	dampedKFAC := func(clip float64, factorEvery, inverseEvery int) Optimizer {
		c := KFAC(0.05)
		c.Damping, c.WeightDecay, c.KLClip, c.FactorEvery, c.InverseEvery = 0.05, 0.1, clip, factorEvery, inverseEvery
		return c
	}
	dampedEKFAC := func(clip float64) Optimizer {
		c := EKFAC(0.05)
		c.Damping, c.WeightDecay, c.KLClip, c.FactorEvery, c.BasisEvery, c.ScaleEvery = 0.05, 0.1, clip, 2, 4, 2
		return c
	}
	epsShampoo := func(eps float64, rootEvery, blockSize int, grafting string) Optimizer {
		c := Shampoo(0.05)
		c.Eps, c.WeightDecay, c.RootEvery, c.BlockSize, c.Grafting = eps, 0.1, rootEvery, blockSize, grafting
		return c
	}
	all := map[string]tunedRule{
		"shampoo": {o: epsShampoo(0.05, 1, 0, "none"), learn: epsilon}, "shampoo seldom": {o: epsShampoo(0.05, 4, 0, "none"), learn: epsilon},
		"shampoo in parts": {o: epsShampoo(0.05, 3, 3, "none"), learn: epsilon}, "shampoo grafted": {o: epsShampoo(0.05, 4, 3, "adam"), learn: epsilon},
		"kfac": {o: dampedKFAC(0, 2, 1), learn: both}, "kfac clipped": {o: dampedKFAC(1e-4, 1, 1), learn: both},
		"kfac seldom": {o: dampedKFAC(0, 100, 100), learn: damping}, "kfac moving": {o: dampedKFAC(0, 2, 4), learn: both, moves: true},
		"ekfac": {o: dampedEKFAC(0), learn: both}, "ekfac clipped": {o: dampedEKFAC(1e-4), learn: damping},
	}
	slow, first := SGDm(0.05), []string{"dense0"}
	slow.WeightDecay = 0.3
	all["groups"] = tunedRule{o: Groups(adamw, Group{Params: first, Optimizer: slow, Schedule: Cosine(30, 0.2)}), learn: epsilon}
	all["groups muon"] = tunedRule{o: Groups(nadamw, Group{Params: first, Optimizer: Muon(0.05)}), learn: epsilon}
	for name, r := range map[string]tunedRule{
		"sgd": {o: sgd, learn: decay}, "sgdm": {o: sgdm, learn: decay}, "nesterov": {o: nesterov, learn: decay},
		"rmsprop": {o: rmsprop, learn: epsilon}, "rmsprop corrected": {o: corrected, learn: epsilon},
		"adam": {o: adam, learn: epsilon}, "adamw": {o: adamw, learn: epsilon}, "nadamw": {o: nadamw, learn: epsilon},
		"kfac decay": {o: kfac, learn: decay}, "ekfac decay": {o: ekfac, learn: decay}, "shampoo decay": {o: shampoo, learn: decay},
	} {
		all[name] = r
	}
	return all
}

// TestHyperparameterGradients compares ∂Q/∂log h with central differences of Q as whole
// training steps give it, from one checkpoint, each with φ moved.
func TestHyperparameterGradients(t *testing.T) {
	const at = 6 // the step that looks ahead
	for name, r := range tunedRules() {
		if r.moves {
			continue
		}
		t.Run(name, func(t *testing.T) {
			opts := append([]Option{Dtype(tensor.Float64), EveryK(3), FSD(0.5), WSD(0.3), Meta(MetaSGD(1e-300))}, r.learn...)
			for _, g := range metaGradients(t, r.o, at, 1e-6, opts...) {
				if !strings.HasPrefix(g.Name, "lr/") {
					g.check(t)
				}
			}
		})
	}
}

// metaGradient is one number of ∂Q/∂φ with what compares it.
type metaGradient struct {
	NamedTensor
	numeric func() float64
	least   float64
}

// check compares it with central differences; below least there would be nothing to compare.
func (g metaGradient) check(t *testing.T) {
	t.Helper()
	numeric := g.numeric()
	if d := first(g.Value); !(math.Abs(d-numeric) <= 1e-6*math.Abs(numeric)) || math.Abs(d) < g.least {
		t.Errorf("∂Q/∂ of %s is %v, central differences give %v", g.Name, d, numeric)
	}
}

// metaGradients are those of the step of the number at, of a training that begins anew from
// one checkpoint for each of Q's values.
func metaGradients(t *testing.T, o Optimizer, at int, least float64, opts ...Option) (all []metaGradient) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "checkpoint")
	tr := toyTrainer(t, o, opts...)
	run(t, tr, 0, at)
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	q := func(j int, by float64) (float64, []NamedTensor) {
		tr := toyTrainer(t, o, opts...)
		if err := tr.Load(path); err != nil {
			t.Fatal(err)
		}
		tr.Phi()[j].Value.Float64s()[0] += by
		return lookahead(t, tr, at), tr.LastMetaGradient()
	}
	_, gradient := q(0, 0)
	for j, g := range gradient {
		const h = 1e-3
		f := func(by float64) float64 { v, _ := q(j, by); return v }
		all = append(all, metaGradient{g, func() float64 { return (8*(f(h)-f(-h)) - (f(2*h) - f(-2*h))) / (12 * h) }, least})
	}
	return all
}

// lookahead takes the step of that number, and the next one where the meta-step ends there, and
// returns Q.
func lookahead(t *testing.T, tr *Trainer, step int) float64 {
	t.Helper()
	b, err := NewBatches(toyData(t, tr.engine.c.dtype), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := tr.Step(b.At(step))
		if err != nil {
			t.Fatal(err)
		}
		if s.Meta != nil {
			return s.Meta.Q
		}
		step++
	}
	t.Fatalf("no meta-step ended at the steps %d and %d", step-2, step-1)
	return 0
}

// TestHyperparametersMove has each rule learn, in both dtypes, and resume to the same bits;
// without meta-steps it is the rule as it is.
func TestHyperparametersMove(t *testing.T) {
	t.Parallel()
	for name, r := range tunedRules() {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			t.Run(fmt.Sprintf("%s/%v", name, dt), func(t *testing.T) {
				off, bare := toyTrainer(t, r.o, append([]Option{Dtype(dt), EveryK(0)}, r.learn...)...), toyTrainer(t, r.o, Dtype(dt), EveryK(0))
				run(t, off, 0, 15)
				run(t, bare, 0, 15)
				sameBits(t, "K = 0", bare.engine, off.engine)
				if off.Hyperparameters() != nil {
					t.Errorf("K = 0 learns %v", off.Hyperparameters())
				}

				opts := append([]Option{Dtype(dt), EveryK(3), Meta(MetaAdam(0.1))}, r.learn...)
				whole := toyTrainer(t, r.o, opts...)
				start := whole.Hyperparameters()
				run(t, whole, 0, 20)
				for h, v := range whole.Hyperparameters() {
					if math.Abs(math.Log(v/start[h])) < 0.05 {
						t.Errorf("%s went from %v to %v", h, start[h], v)
					}
				}
				for _, stop := range []int{7, 8, 9} {
					before := toyTrainer(t, r.o, opts...)
					run(t, before, 0, stop)
					path := filepath.Join(t.TempDir(), "checkpoint")
					if err := before.Save(path); err != nil {
						t.Fatal(err)
					}
					after := toyTrainer(t, r.o, opts...)
					if err := after.Load(path); err != nil {
						t.Fatal(err)
					}
					run(t, after, stop, 20)
					sameBits(t, "resumed", whole.engine, after.engine)
				}
			})
		}
	}
}

// TestHyperparametersAreUsed has the step that follows a meta-step take the value that it
// left: the weights are those of a rule that had it from the start.
func TestHyperparametersAreUsed(t *testing.T) {
	for name, r := range tunedRules() {
		t.Run(name, func(t *testing.T) {
			opts := append([]Option{Dtype(tensor.Float64), EveryK(1), Meta(MetaSGD(1e-300))}, r.learn...)
			a, b := toyTrainer(t, r.o, opts...), toyTrainer(t, r.o, append(opts, Meta(MetaAdam(0.3)), RateBounds(r.o.LearningRate(), r.o.LearningRate()))...)
			run(t, b, 0, 1)
			for j, p := range b.Phi() {
				a.Phi()[j].Value.Float64s()[0] = p.Value.Float64s()[0]
			}
			run(t, a, 0, 1)
			for i, p := range a.Params() {
				x, y := p.Value.Float64s(), b.Params()[i].Value.Float64s()
				for e := range x {
					if math.Abs(x[e]-y[e]) > 1e-12 {
						t.Fatalf("%s[%d] is %v and %v", p.Name, e, x[e], y[e])
					}
				}
			}
		})
	}
}

// TestHyperparameterErrors has what cannot be learned refused.
func TestHyperparameterErrors(t *testing.T) {
	averaging := Shampoo(0.1)
	averaging.Beta2, averaging.WeightDecay = 0.9, 0.1
	for want, c := range map[string]tunedRule{
		"adam: weight_decay is 0":                              {o: Adam(0.1), learn: []Option{LearnWeightDecay()}},
		"of dog: there is no weight_decay that can be learned": {o: DoG(1), learn: []Option{LearnWeightDecay(), EveryK(5)}},
		"LearnWeightDecay has no effect with precond":          {o: Precond(0.1), learn: []Option{LearnWeightDecay()}},
		"LearnWeightDecay has no effect with Calibr":           {o: AdamW(0.1), learn: []Option{LearnWeightDecay(), Calibrated(CalibratedConfig{})}},
		"adamw: there is no damping that can be learned, only": {o: AdamW(0.1), learn: []Option{LearnDamping()}},
		"ekfac: there is no eps that can be learned, only":     {o: EKFAC(0.1), learn: []Option{LearnEpsilon()}},
		"shampoo: there is no damping that can be learned":     {o: Shampoo(0.1), learn: []Option{LearnDamping()}},
		"of shampoo: eps with beta2 = 0.9: averages forget":    {o: averaging, learn: []Option{LearnEpsilon()}},
		"outside [0.1, 1]":       {o: AdamW(0.1), learn: []Option{LearnWeightDecay(0.1, 1)}},
		"bounds are two numbers": {o: AdamW(0.1), learn: []Option{LearnWeightDecay(0.1)}},
		"0 < lo ≤ hi":            {o: AdamW(0.1), learn: []Option{LearnWeightDecay(1, 0.1)}},
	} {
		if _, err := New(toyModel(), toyLoss, c.o, c.learn...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, not %q", err, want)
		}
	}
	if _, err := New(toyModel(), toyLoss, DoG(1), LearnWeightDecay(), EveryK(0)); err != nil {
		t.Errorf("without meta-steps: %v", err)
	}
	if _, err := New(toyModel(), toyLoss, averaging, LearnWeightDecay()); err != nil {
		t.Errorf("the weight decay of averages: %v", err)
	}
}
