package trainers

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// groupedRules mix rules of all kinds over the layers of the toy models.
func groupedRules() map[string]Optimizer {
	muon, adamw, kfac, free := Muon(0.02), AdamW(0.005), KFAC(0.02), ScheduleFreeAdamW(0.01)
	muon.AdamRate, muon.WeightDecay, adamw.WeightDecay = 0.005, 0.1, 0.1
	kfac.FactorEvery, kfac.InverseEvery, kfac.WeightDecay = 2, 4, 0.01
	first := []string{"*dense0"} // of a Transformer too
	return map[string]Optimizer{
		"groups":              Groups(adamw, Group{Params: first, Optimizer: muon}),
		"groups by element":   Groups(adamw, Group{Params: first, Optimizer: SGDm(0.05), Schedule: StepDecay(0.5, 5, 12)}),
		"groups with iterate": Groups(free, Group{Params: first, Optimizer: kfac}),
	}
}

// TestGroupRateGradients compares ∂Q/∂log η of each group, and of hyperparameters that are
// learned beside them, with central differences of Q as whole steps give it.
func TestGroupRateGradients(t *testing.T) {
	const at = 6
	all := map[string]tunedRule{}
	for name, o := range groupedRules() {
		all[name] = tunedRule{o: o}
	}
	delete(all, "groups with iterate") // the directions of Schedule-Free depend on its rate
	kfac := KFAC(0.02)
	kfac.KLClip = 0 // and so do clipped ones
	all["kfac"] = tunedRule{o: Groups(NAdamW(0.05), Group{Params: []string{"dense0"}, Optimizer: kfac})}
	for _, name := range []string{"groups", "groups muon"} {
		all["tuned "+name] = tunedRules()[name]
	}
	muon := Muon(0.05)
	all["all rates"] = tunedRule{o: Groups(Adam(0.05), Group{Params: []string{"dense0"}, Optimizer: muon, Schedule: StepDecay(0.25, 4)}), learn: []Option{RatePerParam()}}
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			opts := append([]Option{Dtype(tensor.Float64), EveryK(3), FSD(0.5), WSD(0.3), WithSchedule(Cosine(40, 0)), Meta(MetaSGD(1e-300))}, r.learn...)
			gradient := metaGradients(t, r.o, at, 1e-7, opts...)
			if len(gradient) < 2 {
				t.Fatalf("%d numbers in φ", len(gradient))
			}
			for _, g := range gradient {
				g.check(t)
			}
		})
	}
}

// TestOneGroupIsItsRule has every rule train in a group of all parameters, to the same bits.
func TestOneGroupIsItsRule(t *testing.T) {
	forEach(t, func(t *testing.T, o Optimizer, dt tensor.Dtype) {
		if _, grouped := o.(rule.Grouped); grouped {
			return
		}
		one := Groups(o)
		one.DecayAll = true
		_, learnsP := o.(learn.Updater)
		opts := []Option{Dtype(dt), Seed(4), EveryK(3)}
		if learnsP {
			opts = opts[:2] // a group of APO-Precond has the default K
		}
		alone, group := toyTrainer(t, o, opts...), toyTrainer(t, one, opts...)
		run(t, alone, 0, 12)
		run(t, group, 0, 12)
		if learnsP {
			for i, p := range alone.Params() {
				if !nearAll(numbers(group.Params()[i].Value), numbers(p.Value), 1e-5) { // gradients are no rows there
					t.Errorf("%s is not that of the rule alone", p.Name)
				}
			}
			return
		}
		a, b := alone.engine.tensors(), group.engine.tensors()
		if len(a) != len(b) {
			t.Fatalf("%d arrays, %d in a group", len(a), len(b))
		}
		for i := range a {
			sameArray(t, a[i].Name, a[i].Single(), b[i].Single())
		}
	})
}

// TestMuonNamesParametersOfOtherGroups: one Muon is the rule of several groups, of which one has
// the matrix that AdamW moves; it moves as without groups.
func TestMuonNamesParametersOfOtherGroups(t *testing.T) {
	muon := Muon(0.02)
	muon.AdamW = []string{"dense1"}
	opts := []Option{Dtype(tensor.Float64), EveryK(0)}
	alone, grouped := toyTrainer(t, muon, opts...), toyTrainer(t, Groups(muon, Group{Params: []string{"dense0"}, Schedule: Constant()}), opts...)
	run(t, alone, 0, 5)
	run(t, grouped, 0, 5)
	for i, p := range alone.Params() {
		sameArray(t, p.Name, grouped.Params()[i].Value, p.Value)
	}
	muon.AdamW = []string{"dense9"}
	_, err := New(toyModel(), toyLoss, Groups(muon, Group{Params: []string{"dense0"}}))
	wantError(t, "a name of none", err, `"dense9"`, "no such parameter")
}

// TestDecayLeavesOutBiases compares a step of each rule that has weight decay with one with
// decay of all and one without: weights are those of the first, biases of the second.
func TestDecayLeavesOutBiases(t *testing.T) {
	for _, name := range []string{"sgd", "sgdm", "rmsprop", "adam", "adamw", "nadamw", "muon", "soap", "psgd-kron", "kfac", "ekfac", "shampoo"} {
		for _, opts := range [][]Option{{EveryK(0)}, {EveryK(1), Meta(MetaSGD(1e-300))}, {EveryK(1), Meta(MetaSGD(1e-300)), LearnWeightDecay()}} {
			if len(opts) == 3 && (name == "muon" || name == "soap" || name == "psgd-kron") {
				continue // theirs cannot be learned
			}
			t.Run(fmt.Sprintf("%s %d", name, len(opts)), func(t *testing.T) {
				after := func(decay string, all bool, opts ...Option) *Trainer {
					o, err := NewOptimizer(name, 0.01, []byte(`{"weight_decay": `+decay+`}`))
					if err != nil {
						t.Fatal(err)
					}
					g := Groups(o)
					g.DecayAll = all
					tr := toyTrainer(t, g, append([]Option{Dtype(tensor.Float64)}, opts...)...)
					run(t, tr, 0, map[bool]int{false: 1, true: 2}[name == "soap"]) // whose first step moves nothing
					return tr
				}
				skips, all, none := after("0.3", false, opts...), after("0.3", true, opts...), after("0", true, opts[:min(2, len(opts))]...)
				for i, p := range skips.Params() {
					got, x, y := p.Value.Float64s(), all.Params()[i].Value.Float64s(), none.Params()[i].Value.Float64s()
					cut := len(got) - p.Value.Shape()[1]
					if !slices.Equal(got[:cut], x[:cut]) || slices.Equal(x[:cut], y[:cut]) {
						t.Errorf("%s: weights are %v, with decay %v, without %v", p.Name, got[:cut], x[:cut], y[:cut])
					}
					if !slices.Equal(got[cut:], y[cut:]) {
						t.Errorf("%s: biases are %v, with decay %v, without %v", p.Name, got[cut:], x[cut:], y[cut:])
					}
				}
			})
		}
	}
}

// TestFrozenParametersRest in a model, in a user's graph and with its solver: their bits stay,
// φ has none of them, and no gradient is computed.
func TestFrozenParametersRest(t *testing.T) {
	for name, o := range map[string]Optimizer{
		"adamw": Groups(AdamW(0.01), Group{Params: []string{"dense0"}, Frozen: true}),
		"kfac":  Groups(KFAC(0.01), Group{Params: []string{"dense0"}, Frozen: true}),
		"muon":  Groups(SGD(1), Group{Params: []string{"*0"}, Frozen: true}, Group{Params: []string{"*1"}, Optimizer: Muon(0.01)}),
	} {
		t.Run(name, func(t *testing.T) {
			opts := []Option{Dtype(tensor.Float64), EveryK(2), FSDFraction(1), FSD(0.5, graph.CategoricalKL)}
			tr, err := New(layers.MLPWith(apoops.TanhAct, 4, 5, 3), toyLoss, o, opts...)
			if err != nil {
				t.Fatal(err)
			}
			u, own := newUserGraph(t, tr, 12), newUserGraph(t, tr, 12)
			solver, err := Wrap(u.problem, o, opts...)
			if err != nil {
				t.Fatal(err)
			}
			problem, err := FromProblem(own.problem, o, opts...)
			if err != nil {
				t.Fatal(err)
			}
			u.compile(t)
			before := tr.Params()[0].Value.Clone().(*tensor.Dense)
			moved := tr.Params()[1].Value.Clone().(*tensor.Dense)
			batches, err := NewBatches(toyData(t, tensor.Float64), 12, 5)
			if err != nil {
				t.Fatal(err)
			}
			for step := range 20 {
				b := batches.At(step)
				if _, err := tr.Step(b); err != nil {
					t.Fatal(err)
				}
				if _, err := problem.Step(b); err != nil {
					t.Fatal(err)
				}
				for _, err := range []error{gorgonia.Let(u.x, b.X[0]), gorgonia.Let(u.y, b.T[0]), u.vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(u.problem.Params))} {
					if err != nil {
						t.Fatal(err)
					}
				}
				u.vm.Reset()
			}
			for what, e := range map[string]*engine{"model": tr.engine, "graph": problem.engine, "solver": solver.engine} {
				sameArray(t, what, e.Task.Model[0].Value, before)
				if first(e.Task.Model[1].Value) == first(moved) || len(e.phi()) != 1 || first(e.phi()[0].Value) == math.Log(0.01) {
					t.Errorf("%s: the second layer or φ has not moved", what)
				}
				if !nearAll(numbers(e.Task.Model[1].Value), numbers(tr.engine.Task.Model[1].Value), 1e-8) {
					t.Errorf("%s: the second layer is not the model's", what)
				}
			}
			if g := tr.LastGradient(); len(g) != 1 || g[0].Name != "dense1" {
				t.Errorf("gradients of %d parameters", len(g))
			}
		})
	}
}

// TestGroupsDivided has several members take the steps of one.
func TestGroupsDivided(t *testing.T) {
	for name := range groupedRules() {
		t.Run(name, func(t *testing.T) { toyTask(t).compare(t, func() Optimizer { return groupedRules()[name] }) })
	}
	t.Run("frozen", func(t *testing.T) {
		toyTask(t).compare(t, func() Optimizer { return Groups(KFAC(0.01), Group{Params: []string{"dense1"}, Frozen: true}) })
	})
}

// TestGroupSchedulesCountAllSteps: the schedule of a group of all parameters is that of
// WithSchedule, also where steps are skipped and the run is resumed behind them.
func TestGroupSchedulesCountAllSteps(t *testing.T) {
	schedule := StepDecay(0.5, 2, 4, 5, 7)
	for name, o := range map[string]Optimizer{"adam": Adam(0.05), "kfac": KFAC(0.05), "plain": PrecondPlain(0.05)} {
		t.Run(name, func(t *testing.T) {
			opts := []Option{Dtype(tensor.Float64), Seed(3), FSDFraction(1), SkipNonFinite(2)}
			if name == "adam" {
				opts = append(opts, EveryK(2), WSD(0.5))
			}
			start := func(o Optimizer, opts []Option) *Trainer {
				tr, err := New(layers.MLP(4, 6, 3), toyLoss, o, opts...)
				if err != nil {
					t.Fatal(err)
				}
				return tr
			}
			after := func(o Optimizer, opts ...Option) *Trainer {
				tr, data := start(o, opts), toyData(t, tensor.Float64)
				for i := range 9 {
					b := rowsOf(data, 5*i, 12)
					if i == 1 || i == 4 || i == 5 {
						b = hugeBatch(t)
					}
					if s, err := tr.Step(b); err != nil || s.StepSkipped != (i == 1 || i == 4 || i == 5) {
						t.Fatalf("step %d: skipped %v, error %v", i, s.StepSkipped, err)
					}
					if i != 5 {
						continue
					}
					path, stopped := filepath.Join(t.TempDir(), "checkpoint"), tr
					if err := stopped.Save(path); err != nil {
						t.Fatal(err)
					}
					tr = start(o, opts)
					if err := tr.Load(path); err != nil {
						t.Fatal(err)
					}
				}
				return tr
			}
			all := after(Groups(o), append(opts, WithSchedule(schedule))...)
			group := after(Groups(o, Group{Params: []string{"*"}, Schedule: schedule}), opts...)
			for i, p := range group.Params() {
				if want := all.Params()[i].Value; !nearAll(numbers(p.Value), numbers(want), 1e-9) {
					t.Errorf("%s is %v, with WithSchedule %v", p.Name, numbers(p.Value)[:3], numbers(want)[:3])
				}
			}
		})
	}
}

// TestRestWithoutParameters: a rest that no parameter is left for has no part in the defaults, in
// bounds of rates and in what B' is; the only group trains as its rule alone.
func TestRestWithoutParameters(t *testing.T) {
	all := []string{"*"}
	for name, rest := range map[string]Optimizer{"dog": DoG(1), "adam": Adam(5), "muon": Muon(50)} {
		for _, o := range []Optimizer{RMSprop(0.01), SGDm(0.05), DoG(0.5)} {
			bounds := RateBounds(1e-4, 1)
			alone, group := toyTrainer(t, o, bounds), toyTrainer(t, Groups(rest, Group{Params: all, Optimizer: o}), bounds)
			if alone.K() != group.K() || alone.engine.c.share != group.engine.c.share {
				t.Errorf("%s beside %s: K = %d and B' of %+v, alone %d and %+v", name, o.Name(), group.K(), group.engine.c.share, alone.K(), alone.engine.c.share)
			}
			run(t, alone, 0, 12)
			run(t, group, 0, 12)
			for i, p := range alone.Params() {
				sameArray(t, name+" beside "+o.Name()+": "+p.Name, group.Params()[i].Value, p.Value)
			}
		}
	}
	_, err := New(toyModel(), toyLoss, Groups(Adam(5), Group{Params: []string{"dense0"}, Optimizer: SGD(0.1)}), RateBounds(1e-4, 1))
	wantError(t, "a rest with parameters", err, "learning rate 5")
	given := toyTrainer(t, Groups(DoG(1), Group{Params: all, Optimizer: RMSprop(0.01)}), EveryK(7), FSD(0.25), WSD(3))
	if fsd, wsd := given.engine.c.FSD(0), given.engine.c.WSD(0); given.K() != 7 || fsd != 0.25 || wsd != 3 || given.engine.c.NoWSD {
		t.Errorf("K = %d, λ_FSD = %v, λ_WSD = %v", given.K(), fsd, wsd)
	}
}
