package trainers

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// rowsConfig is SGD with momentum, which computes the gradients itself, from rows.
type rowsConfig struct{ *rule.SGDConfig }

func (c rowsConfig) Start(t *rule.Task) (rule.Rule, error) {
	r, err := c.SGDConfig.Start(t)
	return &fromRows{Rule: r, t: t}, err
}

type fromRows struct {
	rule.Rule
	t    *rule.Task
	seen int // the rows of the last step
}

func (r *fromRows) Fused() rule.Fused              { return nil }
func (r *fromRows) Rows() graph.RowReader          { return r }
func (r *fromRows) RowBlocks() []graph.Block       { return r.t.Blocks }
func (r *fromRows) WantsRows(block, rows int) bool { return block == 0 && rows == 12 }

func (r *fromRows) Directions(in rule.Input) ([]*tensor.Dense, error) {
	r.seen = 0
	g := array.ZerosLike(r.t.Params)
	for i := range g {
		if in.G[i] != nil {
			array.Copy(g[i], in.G[i])
			continue
		}
		r.seen += in.Rows[i].Len()
		form, err := apoops.Choose(g[i].Dtype(), formed[float32], formed[float64])
		if err != nil {
			return nil, err
		}
		form(g[i], in.Rows[i])
	}
	if norm := math.Sqrt(array.SumSquares(g...)); in.Rows != nil && !(norm <= in.Norm*(1+1e-6)) {
		return nil, fmt.Errorf("norm %v is above its bound %v", norm, in.Norm)
	}
	in.G, in.Rows = g, nil
	return r.Rule.Directions(in)
}

func formed[T apoops.Float](g *tensor.Dense, r graph.Rows) {
	graph.FormGradient(apoops.Elements[T](g), r)
}

// TestRowsTakeTheSameSteps compares a rule that takes a gradient as rows with the one
// that takes it as it is, bit for bit.
func TestRowsTakeTheSameSteps(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for what, c := range map[string]struct {
			opt  Option
			rows int
		}{
			"K = 0": {EveryK(0), 12}, "K = 2": {EveryK(2), 12},
			"Calibrated": {Calibrated(CalibratedConfig{Lambda0: 1}), 0}, // it looks along a line
		} {
			tr, twin := toyTrainer(t, rowsConfig{SGDm(0.05)}, c.opt, Dtype(dt)), toyTrainer(t, SGDm(0.05), c.opt, Dtype(dt))
			run(t, tr, 0, 6)
			run(t, twin, 0, 6)
			what := fmt.Sprintf("%v, %s", dt, what)
			sameBits(t, what, tr.engine, twin.engine)
			for i, g := range tr.LastGradient() {
				sameArray(t, what+": LastGradient", g.Value, twin.LastGradient()[i].Value)
			}
			if r := tr.engine.Update.Rows(); (r != nil) != (c.rows > 0) {
				t.Errorf("%s: a reader of rows: %v", what, r)
			} else if r != nil && r.(*fromRows).seen != c.rows {
				t.Errorf("%s: the last step had %d rows, not %d", what, r.(*fromRows).seen, c.rows)
			}
		}
	}
}

// TestRowsNotFinite has the products of finite rows overflow, and weights that are not
// finite: the errors are those of a rule that takes gradients.
func TestRowsNotFinite(t *testing.T) {
	for what, spoil := range map[string]func(tr *Trainer, x []float32){
		"product": func(tr *Trainer, x []float32) {
			array.Scale(tr.Params()[0].Value, 1e-10)
			for i := range x {
				x[i] = 1e26
			}
		},
		"weight": func(tr *Trainer, _ []float32) { tr.Params()[1].Value.Float32s()[2] = float32(math.NaN()) },
	} {
		var messages []string
		for _, o := range []Optimizer{rowsConfig{SGDm(1e-3)}, SGDm(1e-3)} {
			model := layers.MLPWith(apoops.Identity, 2, 2, 1)
			tr, err := New(model, graph.SquaredError, o, EveryK(0))
			if err != nil {
				t.Fatal(err)
			}
			x, y := make([]float32, 24), make([]float32, 12)
			batch := graph.NewBatch(denseOf(x, 12, 2), denseOf(y, 12, 1))
			if _, err := tr.Step(batch); err != nil {
				t.Fatal(err)
			}
			spoil(tr, x)
			before := tr.Params()[0].Value.Clone().(*tensor.Dense)
			_, err = tr.Step(batch)
			if !errors.Is(err, ErrNotFinite) {
				t.Fatalf("%s: %v", what, err)
			}
			sameArray(t, what, tr.Params()[0].Value, before)
			messages = append(messages, err.Error())
		}
		if messages[0] != messages[1] {
			t.Errorf("%s: %q with rows, %q without", what, messages[0], messages[1])
		}
		if what == "product" {
			wantError(t, what, errors.New(messages[0]), "the gradient of dense", "not finite")
		}
	}
}

// withoutRows is an update that takes gradients as they are.
type withoutRows struct{ learn.Update }

func (withoutRows) Rows() graph.RowReader { return nil }

// factoredOptimizers are rules that take steps from rows, with each of their settings that
// a step depends on.
func factoredOptimizers() map[string]Optimizer {
	lowRank := Precond(0.1)
	lowRank.Rank, lowRank.WarmUp = 4, 3
	all := map[string]Optimizer{"precond": lowRank}
	for what, set := range map[string]func(k *curvature.KFACConfig, e *curvature.EKFACConfig){
		"":              func(*curvature.KFACConfig, *curvature.EKFACConfig) {},
		", no momentum": func(k *curvature.KFACConfig, e *curvature.EKFACConfig) { k.Momentum, e.Momentum = 0, 0 },
		", decay":       func(k *curvature.KFACConfig, e *curvature.EKFACConfig) { k.WeightDecay, e.WeightDecay = 0.05, 0.05 },
		", no clip": func(k *curvature.KFACConfig, e *curvature.EKFACConfig) {
			k.KLClip, e.KLClip, k.Damping, e.Damping = 0, 0, 1, 1
		},
		", large clip": func(k *curvature.KFACConfig, e *curvature.EKFACConfig) { k.KLClip, e.KLClip = 1e-1, 1e-1 },
		", empirical":  func(k *curvature.KFACConfig, e *curvature.EKFACConfig) { k.Empirical, e.Empirical = true, true },
		", every step": func(k *curvature.KFACConfig, e *curvature.EKFACConfig) {
			k.FactorEvery, k.InverseEvery, e.FactorEvery, e.BasisEvery = 1, 1, 1, 1
		},
		", all together": func(k *curvature.KFACConfig, e *curvature.EKFACConfig) {
			k.Momentum, k.WeightDecay, k.KLClip, k.Damping, k.CovDecay = 0.5, 0.1, 1e-2, 0.1, 0.5
			e.Momentum, e.WeightDecay, e.KLClip, e.Damping, e.CovDecay = 0.5, 0.1, 1e-2, 0.1, 0.5
		},
	} {
		kfac, ekfac := KFAC(0.1), EKFAC(0.1)
		kfac.InverseEvery, ekfac.BasisEvery = 2, 2
		set(kfac, ekfac)
		all["kfac"+what], all["ekfac"+what] = kfac, ekfac
	}
	return all
}

// TestFactoredStepsEqualDense compares rules that take the step of a wide layer from
// rows, where the batch is small, with the same rules without rows. The last layer is
// too narrow for that.
func TestFactoredStepsEqualDense(t *testing.T) {
	for what, o := range factoredOptimizers() {
		rng := rand.New(rand.NewPCG(8, 1))
		var batches []graph.Batch
		for range 6 {
			x, y := make([]float64, 8*30), make([]int, 8)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			for i := range y {
				y[i] = rng.IntN(3)
			}
			batches = append(batches, graph.NewBatch(denseOf(x, 8, 30), denseOf(y, 8)))
		}
		var all [2]*Trainer
		for i := range all {
			tr, err := New(layers.MLPWith(apoops.TanhAct, 30, 40, 35, 3), graph.SoftmaxCrossEntropy, o, Dtype(tensor.Float64))
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				tr.engine.Update = withoutRows{tr.engine.Update}
			}
			for _, b := range batches {
				if _, err := tr.Step(b); err != nil {
					t.Fatal(err)
				}
			}
			all[i] = tr
		}
		_, rows, err := all[0].engine.base.GradsAndRows()
		if err != nil || len(rows) != 3 || rows[0].Len() != 8 || rows[1].Len() != 8 || rows[2].Len() != 0 {
			t.Fatalf("%s: rows %v, %v", what, rows, err)
		}
		for i, p := range all[0].Params() {
			a, b := p.Value.Float64s(), all[1].Params()[i].Value.Float64s()
			for j, v := range a {
				if math.Abs(v-b[j]) > 1e-9*(1+math.Abs(b[j])) {
					t.Fatalf("%s: element %d of %s is %v with rows, %v without", what, j, p.Name, v, b[j])
				}
			}
		}
	}
}

// TestFactoredStepsAllocateNothing takes steps between refreshes.
func TestFactoredStepsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	if name, err := blas.Use(); err != nil || name == "gonum" {
		t.Skip("gonum's products start goroutines, and so allocate: ", err)
	}
	for _, o := range []Optimizer{KFAC(0.01), Precond(0.01)} {
		tr, err := New(layers.MLP(90, 80), graph.SoftmaxCrossEntropy, o, EveryK(0))
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, 2*90)
		for i := range x {
			x[i] = float32(i % 7)
		}
		if _, err := tr.Step(graph.NewBatch(denseOf(x, 2, 90), denseOf([]int{1, 2}, 2))); err != nil {
			t.Fatal(err)
		}
		s := rule.Input{T: 2, Rates: []float64{0.01}}
		if s.G, s.Rows, err = tr.engine.base.GradsAndRows(); err != nil || s.Rows == nil {
			t.Fatalf("%s: rows %v, %v", o.Name(), s.Rows, err)
		}
		if n := testing.AllocsPerRun(50, func() {
			if _, err := tr.engine.Update.Advance(s, 1, true); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a step", o.Name(), n)
		}
	}
}
