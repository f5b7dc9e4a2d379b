package trainers

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

func fromStock(t testing.TB, s *stockNet, o Optimizer, opts ...Option) *Trainer {
	t.Helper()
	tr, err := FromProblem(s.problem, o, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func trainStock(t testing.TB, s *stockNet, tr *Trainer, from, to int) (losses []float64) {
	t.Helper()
	for step := from; step < to; step++ {
		stats, err := tr.Step(s.batch(step))
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, stats.Loss)
	}
	return losses
}

// TestFromProblemEqualsTheUsersLoop compares with the user's own machine and
// Gorgonia's solver, on images with places that are exactly 0.
func TestFromProblemEqualsTheUsersLoop(t *testing.T) {
	for name, build := range stockNets {
		t.Run(name, func(t *testing.T) {
			const rate, steps = 0.05, 6
			own, ours := newStockNet(tensor.Float64, 4, build), newStockNet(tensor.Float64, 4, build)
			own.machine(t)
			tr := fromStock(t, ours, SGD(rate), EveryK(0))
			solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(rate))
			losses := trainStock(t, ours, tr, 0, steps)
			for step, loss := range losses {
				if want := own.own(t, solver, own.batch(step)); math.Abs(loss-want) > 1e-9 {
					t.Errorf("step %d: loss %v, the user's own loop has %v", step, loss, want)
				}
			}
			if far := own.far(ours); far > 1e-9 {
				t.Errorf("weights are %.2g apart", far)
			}
			if far := newStockNet(tensor.Float64, 4, build).far(ours); far < 1e-3 {
				t.Errorf("weights moved by no more than %.2g", far)
			}
			for i, op := range own.norms {
				mean, variance := op.Stats()
				for j, want := range []tensor.Tensor{mean, variance} {
					got := tr.Params()[len(own.problem.Params)+2*i+j]
					if a, b := numbers(got.Value), numbers(want.(*tensor.Dense)); !nearAll(a, b, 1e-9) {
						t.Errorf("%s is %v, the user's own is %v", got.Name, a, b)
					}
				}
			}
		})
	}
}

func nearAll(a, b []float64, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= tolerance })
}

// TestFromProblemEqualsWrap takes meta-steps on both ways.
func TestFromProblemEqualsWrap(t *testing.T) {
	for _, name := range []string{"mlp", "lenet"} {
		for rule, o := range map[string]Optimizer{"SGDm": SGDm(0.01), "Precond": PrecondPlain(0.05)} {
			t.Run(name+" "+rule, func(t *testing.T) {
				const steps = 5
				opts := []Option{EveryK(2), FSD(0.5, graph.CategoricalKL), WSD(0.1)}
				own, ours := newStockNet(tensor.Float64, 4, stockNets[name]), newStockNet(tensor.Float64, 4, stockNets[name])
				solver, err := Wrap(own.problem, o, opts...)
				if err != nil {
					t.Fatal(err)
				}
				own.machine(t)
				tr := fromStock(t, ours, o, opts...)
				losses := trainStock(t, ours, tr, 0, steps)
				for step, loss := range losses {
					if want := own.own(t, solver, own.batch(step)); math.Abs(loss-want) > 1e-8 {
						t.Errorf("step %d: loss %v, Wrap has %v", step, loss, want)
					}
				}
				if far := own.far(ours); far > 1e-8 {
					t.Errorf("weights are %.2g apart", far)
				}
				if !nearAll(tr.Rates(), solver.Rates(), 1e-8) {
					t.Errorf("rates %v, Wrap has %v", tr.Rates(), solver.Rates())
				}
			})
		}
	}
}

// TestFromProblemResumes continues a checkpoint in a graph made anew, bit for bit.
func TestFromProblemResumes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	build := func() (*stockNet, *Trainer) {
		s := newStockNet(tensor.Float32, 6, stockNets["batch norm"])
		return s, fromStock(t, s, Adam(0.01), EveryK(2))
	}
	s, whole := build()
	trainStock(t, s, whole, 0, 9)
	s, first := build()
	trainStock(t, s, first, 0, 5)
	if err := first.Save(path); err != nil {
		t.Fatal(err)
	}
	s, second := build()
	if err := second.Load(path); err != nil {
		t.Fatal(err)
	}
	trainStock(t, s, second, 5, 9)
	sameBits(t, "resumed", whole.engine, second.engine)
	if s.problem.Params[0].Value().(*tensor.Dense) != second.Params()[0].Value {
		t.Error("the user's node has another tensor")
	}
	other := fromStock(t, newStockNet(tensor.Float32, 6, stockNets["mlp"]), Adam(0.01), EveryK(2))
	if err := other.Load(path); err == nil {
		t.Error("a checkpoint of another graph is accepted")
	}
}

// TestFromProblemTakesOneBatchSize has other shapes refused, with nothing changed.
func TestFromProblemTakesOneBatchSize(t *testing.T) {
	s := newStockNet(tensor.Float32, 4, stockNets["mlp"])
	tr := fromStock(t, s, SGD(0.1))
	before := s.problem.Params[0].Value().(*tensor.Dense).Clone().(*tensor.Dense)
	_, err := tr.Step(stockBatch(tensor.Float32, 0, tensor.Shape{6, 12}))
	wantError(t, "another size", err, "trainers: step 0: ", `input "x" has shape (6, 12), not (4, 12)`, "batches of 4")
	if !errors.Is(err, ErrShape) {
		t.Errorf("%v is no ErrShape", err)
	}
	_, err = tr.Step(stockBatch(tensor.Float64, 0, tensor.Shape{4, 12}))
	if wantError(t, "another dtype", err, `input "x"`, "float64"); !errors.Is(err, ErrDtype) {
		t.Errorf("%v is no ErrDtype", err)
	}
	b := s.batch(0)
	_, err = tr.Step(graph.Batch{X: b.X})
	wantError(t, "no target", err, "0 targets for a graph with 1")
	_, err = tr.StepWith(b, []*tensor.Dense{stockBatch(tensor.Float32, 0, tensor.Shape{6, 12}).X[0]})
	wantError(t, "another B'", err, "B'", "(6, 12)")
	sameArray(t, "weights", before, s.problem.Params[0].Value().(*tensor.Dense))
	trainStock(t, s, tr, 0, 3)
}

// TestFromProblemEvaluates compares with the user's machine in evaluation mode, which
// reads the same running statistics.
func TestFromProblemEvaluates(t *testing.T) {
	const rows = 6
	s := newStockNet(tensor.Float64, rows, stockNets["batch norm"])
	tr := fromStock(t, s, SGDm(0.05), EveryK(0))
	trainStock(t, s, tr, 0, 20)
	all := stockBatch(tensor.Float64, 100, append(tensor.Shape{3 * rows}, s.x.Shape()[1:]...))
	set := Data{X: all.X[0], T: all.T[0]}
	got, err := tr.Evaluate(set, 1000)
	if err != nil {
		t.Fatal(err)
	}
	gorgonia.Read(s.problem.Cost, &s.loss)
	var output gorgonia.Value
	gorgonia.Read(s.problem.Output, &output)
	vm := gorgonia.NewTapeMachine(s.g, gorgonia.EvalMode())
	defer vm.Close()
	var loss, hits float64
	for lo := range 3 {
		b := set.NewBatch(rows)
		var order []int
		for i := range rows {
			order = append(order, lo*rows+i)
		}
		set.Fill(b, order, batch.Draw{})
		s.feed(t, b)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		v, _ := graph.ScalarValue(s.loss)
		loss += v / 3
		for i, y := range numbers(b.T[0]) {
			if y == 1 && largest(output.(*tensor.Dense), i/10*10, i/10*10+10) == i%10 {
				hits++
			}
		}
		vm.Reset()
	}
	if math.Abs(got.Loss-loss) > 1e-9 || math.Abs(got.Accuracy-hits/(3*rows)) > 1e-12 {
		t.Errorf("%+v; the user's machine has %v and %v", got, loss, hits/(3*rows))
	}
	if again, err := tr.Evaluate(set, rows); err != nil || again != got {
		t.Errorf("evaluated again: %+v, %v", again, err)
	}
	_, err = tr.Evaluate(set, rows-1)
	wantError(t, "smaller batches", err, "batches of 5", "batches of 6")
	part := stockBatch(tensor.Float64, 100, append(tensor.Shape{3*rows + 2}, s.x.Shape()[1:]...))
	_, err = tr.Evaluate(Data{X: part.X[0], T: part.T[0]}, rows)
	wantError(t, "rows left over", err, "20 rows", "batches of 6", "leave the last 2 out")
	soft := all.T[0].Clone().(*tensor.Dense)
	soft.Float64s()[0] += 0.5
	if e, err := tr.Evaluate(Data{X: all.X[0], T: soft}, rows); err != nil || !math.IsNaN(e.Accuracy) {
		t.Errorf("soft targets: %+v, %v", e, err)
	}
}

// dropouts are both kinds of dropout that a user's graph may have.
var dropouts = map[string]func(x *gorgonia.Node, rate float64) (*gorgonia.Node, error){
	"apoops": func(x *gorgonia.Node, rate float64) (*gorgonia.Node, error) {
		return apoops.Dropout(x, rate, apoops.NewRandom(7), 1)
	},
	"gorgonia": gorgonia.Dropout,
}

// droppingNet has dropout of one kind behind its first layer, none for nil.
func droppingNet(drop func(x *gorgonia.Node, rate float64) (*gorgonia.Node, error), rate float64) *stockNet {
	return newStockNet(tensor.Float64, 5, func(s *stockNet, rows int) {
		s.inputs(rows, 12)
		h := s.affine(s.x, 16, gorgonia.Rectify)
		if drop != nil {
			h = must(drop(h, rate))
		}
		s.classify(s.affine(h, 10, nil))
	})
}

// TestFromProblemEvaluatesWithoutDropout compares with a net that has none.
func TestFromProblemEvaluatesWithoutDropout(t *testing.T) {
	evaluate := func(s *stockNet) Evaluation {
		b := s.batch(3)
		e, err := fromStock(t, s, SGD(0.1)).Evaluate(Data{X: b.X[0], T: b.T[0]}, 5)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	want := evaluate(droppingNet(nil, 0))
	for name, drop := range dropouts {
		if got := evaluate(droppingNet(drop, 0.9)); got != want {
			t.Errorf("%s: %+v without dropout in the graph, %+v with it", name, want, got)
		}
	}
	s := newStockNet(tensor.Float64, 5, func(s *stockNet, rows int) {
		s.inputs(rows, 12)
		y, _, _, err := apoops.BatchNorm(s.affine(s.x, 10, nil), s.param("scale", 0, 10), s.param("shift", 0, 10), 1e-5, apoops.Identity)
		if err != nil {
			t.Fatal(err)
		}
		s.classify(y)
	})
	b := s.batch(3)
	_, err := fromStock(t, s, SGD(0.1)).Evaluate(Data{X: b.X[0], T: b.T[0]}, 5)
	wantError(t, "no running statistics", err, "apoops.BatchNorm keeps no running statistics", "gorgonia.BatchNorm")
}

// TestFromProblemTrains with every kind of rule and learner.
func TestFromProblemTrains(t *testing.T) {
	kfac := KFAC(0.05)
	kfac.Empirical = true
	for name, c := range map[string]struct {
		o    Optimizer
		opts []Option
	}{
		"SGDm":       {SGDm(3e-3), []Option{EveryK(2), RatePerParam()}},
		"Adam":       {Adam(1e-3), []Option{EveryK(2)}},
		"Precond":    {PrecondPlain(0.1), []Option{EveryK(2)}},
		"KFAC":       {kfac, []Option{EveryK(2)}},
		"Shampoo":    {Shampoo(0.05), []Option{EveryK(0)}},
		"Calibrated": {SGDm(1e-4), []Option{Calibrated(CalibratedConfig{Horizon: 60})}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStockNet(tensor.Float32, 16, stockNets["batch norm"])
			tr := fromStock(t, s, c.o, c.opts...)
			losses := trainStock(t, s, tr, 0, 100)
			if end := losses[len(losses)-1]; !(end < 0.7*losses[0]) {
				t.Errorf("loss %.3f at first, %.3f at last", losses[0], end)
			}
			t.Logf("loss %.3f, %.3f; rates %v; notes %q", losses[0], losses[len(losses)-1], tr.Rates(), tr.Notes())
		})
	}
}

// TestFromProblemRefuses names what is missing.
func TestFromProblemRefuses(t *testing.T) {
	s := newStockNet(tensor.Float32, 4, stockNets["mlp"])
	for what, c := range map[string]struct {
		change func(p *graph.Problem)
		o      Optimizer
		want   string
	}{
		"no cost":       {func(p *graph.Problem) { p.Cost = nil }, SGD(0.1), "without a cost"},
		"no output":     {func(p *graph.Problem) { p.Output = nil }, SGD(0.1), "without an output"},
		"no parameters": {func(p *graph.Problem) { p.Params = nil }, SGD(0.1), "without parameters"},
		"no divergence": {func(p *graph.Problem) { p.Divergence = graph.Divergence{} }, SGD(0.1), "FromProblem: the function-space term needs a divergence"},
		"no input":      {func(p *graph.Problem) { p.Inputs = gorgonia.Nodes{p.Targets[0]}; p.Targets = nil }, SGD(0.1), `"x"`},
		"no optimizer":  {func(*graph.Problem) {}, nil, "no optimizer"},
	} {
		p := s.problem
		c.change(&p)
		_, err := FromProblem(p, c.o)
		wantError(t, what, err, c.want)
	}
}

// TestFromProblemDrawsMasks has the masks of dropout change with each step, and come
// back with its number: in a run that is resumed too.
func TestFromProblemDrawsMasks(t *testing.T) {
	for name, drop := range dropouts {
		t.Run(name, func(t *testing.T) {
			build := func() (*stockNet, *Trainer) {
				s := droppingNet(drop, 0.5)
				return s, fromStock(t, s, SGD(1e-300), EveryK(0)) // the weights stay
			}
			steps := func(s *stockNet, tr *Trainer, n int) (all []float64) {
				for range n {
					stats, err := tr.Step(s.batch(0))
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, stats.Loss)
				}
				return all
			}
			s, tr := build()
			losses := steps(s, tr, 4)
			if losses[0] == losses[1] || losses[1] == losses[2] {
				t.Errorf("the losses %v have one mask", losses)
			}
			path := filepath.Join(t.TempDir(), "checkpoint")
			s, tr = build()
			again := steps(s, tr, 2)
			if err := tr.Save(path); err != nil {
				t.Fatal(err)
			}
			s, tr = build()
			if err := tr.Load(path); err != nil {
				t.Fatal(err)
			}
			if again = append(again, steps(s, tr, 2)...); !slices.Equal(losses, again) {
				t.Errorf("losses %v, stopped and resumed %v", losses, again)
			}
		})
	}
}

// TestFromProblemReadsFixedLeaves has weights that are not trained and a number as an
// input that is not listed: every pass reads them as they are at the step.
func TestFromProblemReadsFixedLeaves(t *testing.T) {
	build := func(opts ...Option) (*stockNet, *gorgonia.Node, *Trainer) {
		var scale *gorgonia.Node
		s := newStockNet(tensor.Float64, 4, func(s *stockNet, rows int) {
			s.inputs(rows, 12)
			h := s.affine(s.x, 8, gorgonia.Tanh)
			s.problem.Fixed, s.problem.Params, s.problem.Pairs = s.problem.Params, nil, nil
			scale = gorgonia.NewScalar(s.g, s.dt, gorgonia.WithName("scale"), gorgonia.WithValue(2.0))
			s.classify(s.affine(must(gorgonia.HadamardProd(h, scale)), 10, nil))
		})
		return s, scale, fromStock(t, s, SGDm(0.05), opts...)
	}
	s, scale, tr := build(EveryK(2))
	frozen := s.problem.Fixed[0].Value().(*tensor.Dense).Clone().(*tensor.Dense)
	losses := trainStock(t, s, tr, 0, 4)
	sameArray(t, "fixed weights", frozen, s.problem.Fixed[0].Value().(*tensor.Dense))
	if err := gorgonia.Let(scale, 0.0); err != nil {
		t.Fatal(err)
	}
	stats, err := tr.Step(s.batch(4))
	if err != nil {
		t.Fatal(err)
	}
	// Nothing of the input is left, so that the biases alone make the loss.
	if math.Abs(stats.Loss-math.Log(10)) > 0.1 || math.Abs(losses[3]-stats.Loss) < 1e-3 {
		t.Errorf("losses %v, with a scale of 0 %v", losses, stats.Loss)
	}
	b := s.batch(5)
	if _, err := tr.Evaluate(Data{X: b.X[0], T: b.T[0]}, 4); err != nil {
		t.Error(err)
	}
	s, _, tr = build(Calibrated(CalibratedConfig{Horizon: 20}), CalibrateFrom(func(i int) (graph.Batch, error) { return s.batch(i), nil }))
	trainStock(t, s, tr, 0, 3)
}
