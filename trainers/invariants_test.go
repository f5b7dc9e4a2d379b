package trainers

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/precond"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// everyOptimizer lists the rules of the battery, with settings that exercise
// their state.
func everyOptimizer() map[string]Optimizer {
	nesterov := SGDm(0.05)
	nesterov.Nesterov = true
	none, grad, full := PrecondPlain(0.05), PrecondPlain(0.05), PrecondPlain(0.05)
	none.MomentumMode, grad.MomentumMode = precond.MomentumNone, precond.MomentumGradient
	full.FullMatrix = true
	kfac, ekfac, shampoo, grafted := KFAC(0.02), EKFAC(0.02), Shampoo(0.02), Shampoo(0.01)
	kfac.FactorEvery, kfac.InverseEvery, kfac.WeightDecay = 2, 4, 0.01
	ekfac.FactorEvery, ekfac.BasisEvery, ekfac.ScaleEvery, ekfac.KLClip = 2, 4, 2, 0
	shampoo.RootEvery, shampoo.BlockSize, shampoo.Beta2 = 3, 3, 0.9
	grafted.RootEvery, grafted.Grafting = 4, "adam"
	singd, like := SINGD(0.02), SINGD(0.02)
	singd.FactorEvery, singd.FactorLR, singd.Normalize, singd.Empirical, singd.WeightDecay = 3, 0.1, true, false, 0.01
	like.FactorEvery, like.FactorLR, like.KFACLike, like.FactorMomentum = 2, 0.05, true, 0
	lowRank := Precond(0.05)
	lowRank.WeightDecay, grad.WeightDecay, full.WeightDecay = 0.01, 0.01, 0.01
	lowRank.Rank, lowRank.WarmUp, lowRank.Frequent = 2, 3, 5 // sides of 5 and 6 are of low rank, those of 3 dense
	found := Precond(0)
	found.Rank, found.WarmUp, found.Frequent = 2, 3, 5
	all := map[string]Optimizer{
		"precond": lowRank, "precond, rate found": found, "kfac": kfac, "ekfac": ekfac, "singd": singd, "singd kfac-like": like, "shampoo": shampoo, "shampoo grafted": grafted,
		"sgd": SGD(0.05), "sgdm": SGDm(0.05), "nesterov": nesterov, "rmsprop": RMSprop(0.005), "adam": Adam(0.005), "adamw": AdamW(0.005),
		"precond plain": PrecondPlain(0.05), "precond none": none, "precond grad": grad, "precond full": full,
		"precond above": precond.Relative(0.5),
	}
	maps.Copy(all, rivals())
	maps.Copy(all, userRules())
	return all
}

// rivals are the rules that need no tuned rate, or no schedule, and what they are compared
// with. Their estimates begin near what the toy set needs.
func rivals() map[string]Optimizer {
	sgd, adam, dog, layerwise := SGDHD(0.05), AdamHD(0.005), DoG(1), LDoG(0.5)
	sgd.HyperLR, adam.HyperLR, dog.RelDist, layerwise.RelDist = 1e-3, 1e-5, 1e-3, 1e-3
	layerwise.WeightDecay = 0.01
	prodigy, dadapt := Prodigy(1), DAdaptAdam(1)
	prodigy.D0, prodigy.BiasCorrection, prodigy.WeightDecay = 1e-3, true, 0.01
	dadapt.D0, dadapt.GrowthRate = 1e-3, 1.5
	heavy, scalar := HDMHB(0.005), HDMHB(0.005)
	heavy.NullSteps, heavy.WeightDecay, scalar.Scalar, scalar.Initial, scalar.MomentumLR, scalar.MaxMomentum = true, 0.01, true, 0.02, 0.01, 0.95
	free, freeAdamW := ScheduleFreeSGD(0.1), ScheduleFreeAdamW(0.01)
	free.WarmUp, freeAdamW.WeightDecay = 5, 0.01
	muon, mechanic := Muon(0.02), Mechanic(AdamW(0.01))
	mechanic.SInit = 1e-3
	soap := SOAP(0.01)
	soap.BasisEvery = 3
	muon.AdamRate, muon.WeightDecay, muon.AdamW = 0.005, 0.01, nil
	psgd := PSGDKron(0.01)
	psgd.FlatSteps, psgd.Anneal, psgd.MinProbability, psgd.Balance, psgd.WeightDecay, psgd.MaxDim = 3, 0.2, 0.5, 0.3, 0.01, 5 // one side of 6
	return map[string]Optimizer{
		"muon": muon, "soap": soap, "psgd-kron": psgd, "mechanic": mechanic, "hdm-hb": heavy, "hdm-hb scalar": scalar,
		"nadamw": NAdamW(0.005), "sgd-hd": sgd, "adam-hd": adam, "dog": dog, "ldog": layerwise, "prodigy": prodigy, "dadapt-adam": dadapt,
		"schedule-free-sgd": free, "schedule-free-adamw": freeAdamW,
	}
}

// toyData is a small classification set.
func toyData(t testing.TB, dt tensor.Dtype) Data {
	t.Helper()
	rng := rand.New(rand.NewPCG(21, 1))
	const n, d, classes = 60, 4, 3
	x, labels := make([]float64, n*d), make([]int, n)
	for i := range labels {
		labels[i] = rng.IntN(classes)
		for j := range d {
			x[i*d+j] = rng.NormFloat64() + float64(labels[i]*(j-1))/2
		}
	}
	var xt *tensor.Dense
	if dt == tensor.Float64 {
		xt = tensor.New(tensor.WithShape(n, d), tensor.WithBacking(x))
	} else {
		x32 := make([]float32, len(x))
		for i, v := range x {
			x32[i] = float32(v)
		}
		xt = tensor.New(tensor.WithShape(n, d), tensor.WithBacking(x32))
	}
	return Data{X: xt, T: tensor.New(tensor.WithShape(n), tensor.WithBacking(labels))}
}

// rowsOf is the batch of n rows from row lo on.
func rowsOf(d Data, lo, n int) graph.Batch {
	b, rows := d.NewBatch(n), make([]int, n)
	for i := range rows {
		rows[i] = lo + i
	}
	d.Fill(b, rows, batch.Draw{})
	return b
}

var toyLoss = graph.SoftmaxCrossEntropy

func toyModel() graph.Model {
	return layers.Sequential(layers.Dense(4, 5, apoops.TanhAct), layers.Dropout(0.1), layers.Dense(5, 3, apoops.Identity))
}

func toyTrainer(t testing.TB, o Optimizer, opts ...Option) *Trainer {
	t.Helper()
	tr, err := New(toyModel(), toyLoss, o, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// run takes steps [from, to) on shuffled batches of the toy set.
func run(t testing.TB, tr *Trainer, from, to int) {
	t.Helper()
	b, err := NewBatches(toyData(t, tr.engine.c.dtype), 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	for step := from; step < to; step++ {
		if _, err := tr.Step(b.At(step)); err != nil {
			t.Fatal(err)
		}
	}
}

// sameBits compares everything that a step depends on, bit for bit.
func sameBits(t testing.TB, what string, a, b *engine) {
	t.Helper()
	x, y := a.tensors(), b.tensors()
	if len(x) != len(y) || a.steps != b.steps || a.skipped != b.skipped {
		t.Fatalf("%s: %d and %d arrays, %d and %d steps", what, len(x), len(y), a.steps, b.steps)
	}
	for i := range x {
		sameArray(t, what+": "+x[i].Name, x[i].Single(), y[i].Single())
	}
}

func sameArray(t testing.TB, what string, a, b *tensor.Dense) {
	t.Helper()
	if a.Dtype() == tensor.Float32 {
		x, y := a.Float32s(), b.Float32s()
		for i := range x {
			if math.Float32bits(x[i]) != math.Float32bits(y[i]) {
				t.Fatalf("%s: element %d is %v and %v", what, i, x[i], y[i])
			}
		}
		return
	}
	x, y := a.Float64s(), b.Float64s()
	for i := range x {
		if math.Float64bits(x[i]) != math.Float64bits(y[i]) {
			t.Fatalf("%s: element %d is %v and %v", what, i, x[i], y[i])
		}
	}
}

func forEach(t *testing.T, test func(t *testing.T, o Optimizer, dt tensor.Dtype)) {
	all := everyOptimizer()
	maps.Copy(all, groupedRules())
	for name, o := range all {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			t.Run(fmt.Sprintf("%s/%v", name, dt), func(t *testing.T) { test(t, o, dt) })
		}
	}
}

// TestK0EqualsBaseRule trains with meta-updates switched off and compares with
// the bare rule driven by a graph of its own, bit for bit; and with meta-steps
// that are too short to move φ, which take the path through the lookahead's
// directions.
func TestK0EqualsBaseRule(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, o Optimizer, dt tensor.Dtype) {
		if p, ok := o.(*precond.Config); ok && p.LR == 0 {
			return // without meta-steps it is an error
		}
		off := toyTrainer(t, o, Dtype(dt), EveryK(0))
		run(t, off, 0, 25)
		resting, opts := o, []Option{Dtype(dt), EveryK(3), Meta(MetaSGD(1e-300))}
		switch p := o.(type) {
		case *precond.PlainConfig:
			if p.Relative != nil {
				still, steps := *p, *p.Relative
				steps.Step = 1e-300
				still.Relative = &steps
				resting, opts = &still, opts[:2] // relative steps have no meta-optimizer
			}
		case *precond.Config:
			// Its meta-steps have no length. P that stays I leaves SGD with momentum.
			free := *p
			free.LR, free.Clip, free.WeightDecay = 0.125, 0, 0 // 1/(1/LR) is LR; a decay is added later than in SGD
			off = toyTrainer(t, &free, Dtype(dt), EveryK(0))
			run(t, off, 0, 25)
			resting, opts = SGDm(0.125), []Option{Dtype(dt), EveryK(0)}
		}
		idle := toyTrainer(t, resting, opts...)
		run(t, idle, 0, 25)
		for i, p := range off.Params() {
			sameArray(t, "φ at rest, "+p.Name, p.Value, idle.Params()[i].Value)
		}
		seed := off.engine.Task.Seed
		if _, err := o.Start(&rule.Task{Params: off.Params(), Seed: seed}); err != nil {
			return // it is a form of its own, or needs more than the gradient
		}
		bare := toyTrainer(t, o, Dtype(dt), EveryK(0))
		r, err := o.Start(&rule.Task{Params: bare.Params(), Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		groups, err := rule.GroupsOf(o, bare.Params())
		if err != nil {
			t.Fatal(err)
		}
		batches, err := NewBatches(toyData(t, dt), 12, 5)
		if err != nil {
			t.Fatal(err)
		}
		base, err := graph.NewBase(bare.engine.Task.Source, bare.Params(), batches.At(0), bare.engine.Task.Random)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 25 {
			bare.engine.Task.Random.SetStep(int64(step))
			if err := base.Feed(batches.At(step)); err != nil {
				t.Fatal(err)
			}
			if err := base.Run(); err != nil {
				t.Fatal(err)
			}
			g, err := base.Grads()
			if err != nil {
				t.Fatal(err)
			}
			in := rule.Input{T: step + 1, G: g, Loss: base.LossValue(), Norm: math.Sqrt(array.SumSquares(g...)), Scale: 1}
			rates := []float64{groups.Rates[groups.Of[0]] * groups.Schedules[groups.Of[0]].At(step), groups.Rates[groups.Of[1]] * groups.Schedules[groups.Of[1]].At(step)}
			if fused := r.Fused(); fused != nil {
				if err := fused.Step(in, rates); err != nil {
					t.Fatal(err)
				}
				continue
			}
			d, err := r.Directions(in)
			if err != nil {
				t.Fatal(err)
			}
			descent, err := array.NewDescent(dt)
			if err != nil {
				t.Fatal(err)
			}
			descent.Move(bare.Params(), d, rates)
			if it := r.Iterates(); it != nil {
				if err := it.Moved(in, rates); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i, p := range off.Params() {
			sameArray(t, "bare rule, "+p.Name, p.Value, bare.Params()[i].Value)
		}
	})
}

// TestSameSeedSameBits runs everything twice.
func TestSameSeedSameBits(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, o Optimizer, dt tensor.Dtype) {
		a, b := toyTrainer(t, o, Dtype(dt), EveryK(2), Seed(9)), toyTrainer(t, o, Dtype(dt), EveryK(2), Seed(9))
		run(t, a, 0, 20)
		run(t, b, 0, 20)
		sameBits(t, "two runs", a.engine, b.engine)
		other := toyTrainer(t, o, Dtype(dt), EveryK(2), Seed(10))
		if first(other.Params()[0].Value) == first(toyTrainer(t, o, Dtype(dt), Seed(9)).Params()[0].Value) {
			t.Fatal("two seeds give the same weights")
		}
	})
}

func first(a *tensor.Dense) float64 {
	if a.Dtype() == tensor.Float32 {
		return float64(a.Float32s()[0])
	}
	return a.Float64s()[0]
}

// TestResumeEqualsNeverStopped stops after a number of steps that is no
// multiple of K, resumes from the file and compares with a run never stopped.
func TestResumeEqualsNeverStopped(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, o Optimizer, dt tensor.Dtype) {
		for _, stop := range []int{7, 8, 9} {
			opts := []Option{Dtype(dt), EveryK(3), Seed(4), Meta(MetaAdam(0.02))}
			if own, ok := o.(learn.Updater); ok && own.Learner() != nil {
				opts = opts[:3] // it has no meta-optimizer
			}
			whole := toyTrainer(t, o, opts...)
			run(t, whole, 0, 20)
			first := toyTrainer(t, o, opts...)
			run(t, first, 0, stop)
			path := filepath.Join(t.TempDir(), "checkpoint")
			if err := first.Save(path); err != nil {
				t.Fatal(err)
			}
			second := toyTrainer(t, o, opts...)
			if err := second.Load(path); err != nil {
				t.Fatal(err)
			}
			sameBits(t, "loaded", first.engine, second.engine)
			run(t, second, stop, 20)
			sameBits(t, "resumed", whole.engine, second.engine)
		}
	})
}

// userGraph is the toy model as a user's own graph.
type userGraph struct {
	problem graph.Problem
	x, y    *gorgonia.Node
	vm      gorgonia.VM
}

// newUserGraph builds the model with this package's ops and a trainer's initial
// weights.
func newUserGraph(t testing.TB, tr *Trainer, rows int) *userGraph {
	t.Helper()
	g := gorgonia.NewGraph()
	dt := tr.engine.c.dtype
	u := &userGraph{
		x: gorgonia.NewMatrix(g, dt, gorgonia.WithName("x"), gorgonia.WithShape(rows, 4)),
		y: gorgonia.NewVector(g, tensor.Int, gorgonia.WithName("y"), gorgonia.WithShape(rows)),
	}
	var theta gorgonia.Nodes
	for _, p := range tr.Params() {
		theta = append(theta, gorgonia.NewMatrix(g, dt, gorgonia.WithName(p.Name), gorgonia.WithShape(p.Value.Shape()...), gorgonia.WithValue(p.Value.Clone().(*tensor.Dense))))
	}
	h := gorgonia.Must(apoops.Dense(u.x, theta[0], apoops.TanhAct))
	logits := gorgonia.Must(apoops.Dense(h, theta[1], apoops.Identity))
	cost := gorgonia.Must(apoops.SoftmaxCrossEntropy(logits, u.y))
	u.problem = graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{u.x}, Targets: gorgonia.Nodes{u.y}, Params: theta, Sample: graph.CategoricalTargets}
	return u
}

func (u *userGraph) compile(t testing.TB) {
	t.Helper()
	if _, err := gorgonia.Grad(u.problem.Cost, u.problem.Params...); err != nil {
		t.Fatal(err)
	}
	u.vm = gorgonia.NewTapeMachine(u.problem.Cost.Graph(), gorgonia.BindDualValues(u.problem.Params...))
}

// TestDropInEqualsTrainer feeds both the same batches and compares weights, φ
// and state bit for bit.
func TestDropInEqualsTrainer(t *testing.T) {
	forEach(t, func(t *testing.T, o Optimizer, dt tensor.Dtype) {
		if p, ok := o.(*precond.Config); ok {
			whole := *p
			whole.Rows = 1 // a user's graph takes batches of one size
			o = &whole
		}
		model := layers.MLPWith(apoops.TanhAct, 4, 5, 3)
		opts := []Option{Dtype(dt), EveryK(3), FSDFraction(1), FSD(0.5, graph.CategoricalKL), WSD(0.1)}
		tr, err := New(model, graph.SoftmaxCrossEntropy, o, opts...)
		if err != nil {
			t.Fatal(err)
		}
		u := newUserGraph(t, tr, 12)
		solver, err := Wrap(u.problem, o, opts...)
		if err != nil {
			t.Fatal(err)
		}
		u.compile(t)
		batches, err := NewBatches(toyData(t, dt), 12, 5)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 20 {
			b := batches.At(step)
			s, err := tr.Step(b)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{gorgonia.Let(u.x, b.X[0]), gorgonia.Let(u.y, b.T[0]), u.vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(u.problem.Params))} {
				if err != nil {
					t.Fatal(err)
				}
			}
			u.vm.Reset()
			if solver.Last().Loss != s.Loss {
				t.Fatalf("step %d: loss %v by the solver, %v by the trainer", step, solver.Last().Loss, s.Loss)
			}
			sameBits(t, fmt.Sprintf("step %d", step), tr.engine, solver.engine)
		}
	})
}
