package trainers

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// TestCurvatureRulesAllocateNothing takes steps between refreshes.
func TestCurvatureRulesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	grafted := Shampoo(0.01)
	grafted.Grafting = "adam"
	for _, o := range []Optimizer{KFAC(0.01), Shampoo(0.01), grafted} {
		tr := toyTrainer(t, o, EveryK(0))
		run(t, tr, 0, 2)
		s := rule.Input{T: 2, Rates: []float64{0.01, 0.01}}
		for _, g := range tr.LastGradient() {
			s.G = append(s.G, g.Value)
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

// TestHugeInputs overflows float32 in Ā, which is 10⁴⁰ here, at the first step:
// the rule takes the plain gradient, which a wide layer has as rows.
func TestHugeInputs(t *testing.T) {
	for _, c := range []struct{ rows, in, out int }{{12, 4, 3}, {2, 40, 30}} {
		x := make([]float32, c.rows*c.in)
		for i := range x {
			x[i] = 1e20
		}
		batch := graph.NewBatch(denseOf(x, c.rows, c.in), tensor.New(tensor.WithShape(c.rows), tensor.WithBacking(make([]int, c.rows))))
		for _, o := range []Optimizer{KFAC(1e-25), EKFAC(1e-25), Shampoo(1e-25)} {
			tr, err := New(layers.MLPWith(apoops.Identity, c.in, c.out), graph.SoftmaxCrossEntropy, o, EveryK(0))
			if err != nil {
				t.Fatal(err)
			}
			w := tr.Params()[0].Value
			clear(w.Float32s())
			if _, err := tr.Step(batch); err != nil {
				t.Fatal(err)
			}
			if s := array.SumSquares(w); !array.IsFinite(s) || s == 0 {
				t.Errorf("%s: Σθ² is %v", o.Name(), s)
			}
			if tr.Fallbacks() == 0 {
				t.Errorf("%s: no fallback was counted", o.Name())
			}
		}
	}
}

// TestCurvatureRulesAreNoMetaOptimizers names the rule in the error.
func TestCurvatureRulesAreNoMetaOptimizers(t *testing.T) {
	for _, o := range []Optimizer{KFAC(0.1), EKFAC(0.1), Shampoo(0.1)} {
		_, err := New(layers.MLP(4, 3), graph.SoftmaxCrossEntropy, SGD(0.1), Meta(o))
		if err == nil || !strings.Contains(err.Error(), o.Name()) || !strings.Contains(err.Error(), "meta-optimizer") {
			t.Errorf("%s: %v", o.Name(), err)
		}
	}
}

// TestMaxDimTakesPlainGradient compares the layers beyond the limit with SGD.
func TestMaxDimTakesPlainGradient(t *testing.T) {
	kfac, ekfac := KFAC(0.1), EKFAC(0.1)
	kfac.MaxDim, kfac.KLClip, ekfac.MaxDim, ekfac.KLClip = 4, 0, 4, 0
	sgd := toyTrainer(t, SGDm(0.1), Dtype(tensor.Float64), EveryK(0))
	run(t, sgd, 0, 3)
	for _, o := range []Optimizer{kfac, ekfac} {
		tr := toyTrainer(t, o, Dtype(tensor.Float64), EveryK(0))
		run(t, tr, 0, 3)
		for i, p := range tr.Params() {
			sameArray(t, o.Name(), p.Value, sgd.Params()[i].Value)
		}
		want := o.Name() + ": plain gradient for dense0, dense1: more than 4 rows or columns (max_dim)"
		if notes := tr.Notes(); len(notes) != 1 || notes[0] != want {
			t.Errorf("notes %q, want %q", notes, want)
		}
	}
	plain := PrecondPlain(0.1)
	plain.MaxDim = 4
	tr := toyTrainer(t, plain, Dtype(tensor.Float64))
	run(t, tr, 0, 11)
	if notes := tr.Notes(); len(notes) != 1 || !strings.HasPrefix(notes[0], "precond-plain: diagonal S² for dense0, dense1: more than 4") {
		t.Errorf("notes %q", notes)
	}
	if notes := sgd.Notes(); notes != nil {
		t.Errorf("SGDm has notes %q", notes)
	}
	chosen := toyTrainer(t, PrecondPlain(0.1), Blocks(func(params []*graph.Param) ([]graph.Block, error) {
		blocks := graph.BlockPerParam(params)
		blocks[0].Form = graph.Diagonal
		return blocks, nil
	}))
	if notes := chosen.Notes(); notes != nil {
		t.Errorf("a diagonal that was asked for has notes %q", notes)
	}
}

// TestAPOTunesCurvatureRules starts from rates a thousand times too small, where the bare
// rules hardly move.
func TestAPOTunesCurvatureRules(t *testing.T) {
	kfac, ekfac := KFAC(1e-5), EKFAC(1e-5)
	kfac.KLClip, ekfac.KLClip = 0, 0
	for _, o := range []Optimizer{kfac, ekfac, Shampoo(1e-5)} {
		var loss [2]float64
		for i, k := range []int{0, 1} {
			tr := toyTrainer(t, o, Dtype(tensor.Float64), EveryK(k), FSD(1), Meta(MetaAdam(0.2)))
			run(t, tr, 0, 80)
			e, err := tr.Evaluate(toyData(t, tensor.Float64), 60)
			if err != nil {
				t.Fatal(err)
			}
			loss[i] = e.Loss
		}
		if !(loss[1] < 0.9*loss[0]) {
			t.Errorf("%s: loss %v with APO, %v without", o.Name(), loss[1], loss[0])
		}
	}
}

// TestCalibratedCurvatureRules compares the search direction with a first step without momentum, and
// calibrates from rates that are far too small or large. A KL clip is an error.
func TestCalibratedCurvatureRules(t *testing.T) {
	kfac, ekfac, shampoo := KFAC(1), EKFAC(1), Shampoo(1)
	for what, x := range map[string]struct {
		o        Optimizer
		lr, clip *float64
	}{
		"kfac": {kfac, &kfac.LR, &kfac.KLClip}, "ekfac": {ekfac, &ekfac.LR, &ekfac.KLClip}, "shampoo": {shampoo, &shampoo.LR, new(float64)},
	} {
		calibrated := func(lr float64) (*Trainer, error) {
			*x.lr = lr
			model := layers.Sequential(layers.Dense(4, 5, apoops.TanhAct), layers.Dropout(0.1), layers.Dense(5, 3, apoops.Identity))
			tr, err := New(model, graph.SoftmaxCrossEntropy, x.o, Dtype(tensor.Float64), Calibrated(CalibratedConfig{}), CalibrateFrom(toySource(t, tensor.Float64)))
			if err != nil {
				return nil, err
			}
			b, err := NewBatches(toyData(t, tensor.Float64), 12, 5)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tr.Step(b.At(0))
			return tr, err
		}
		if *x.clip > 0 {
			if _, err := calibrated(1); err == nil || !strings.Contains(err.Error(), "KLClip") {
				t.Errorf("%s with a clip: %v", what, err)
			}
			*x.clip = 0
		}
		tr, err := calibrated(0.01)
		if err != nil {
			t.Fatal(err)
		}
		r, err := x.o.Start(tr.engine.Task)
		if err != nil {
			t.Fatal(err)
		}
		in := rule.Input{T: 1, Batch: rowsOf(toyData(t, tensor.Float64), 0, 12)}
		for _, g := range tr.LastGradient() {
			in.G = append(in.G, g.Value)
		}
		directions, err := r.Directions(in)
		if err != nil {
			t.Fatal(err)
		}
		e, err := r.LineSearch().SearchDirection(in)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range e { // the first v is P(g)
			for j, v := range directions[i].Float64s() {
				if want := v / 0.19; math.Abs(d.Float64s()[j]-want) > 1e-12*math.Abs(want) {
					t.Fatalf("%s: e has %v, want %v", what, d.Float64s()[j], want)
				}
			}
		}
		fixed := base(tr)
		if tr, err = calibrated(fixed); err != nil {
			t.Fatal(err)
		}
		fixed = base(tr)
		for _, factor := range []float64{1e-3, 30} {
			if tr, err = calibrated(factor * fixed); err != nil {
				t.Fatal(err)
			}
			if b := base(tr); math.Abs(math.Log(b/fixed)) > 0.2 {
				t.Errorf("%s: from %v times the fixed point %v: %v", what, factor, fixed, b)
			}
		}
	}
}

// TestScheduleShortensClippedStep halves the rate by a schedule: a step that the KL
// clip limits is half as long as without.
func TestScheduleShortensClippedStep(t *testing.T) {
	kfac, ekfac := KFAC(0.5), EKFAC(0.5)
	kfac.KLClip, ekfac.KLClip = 1e-6, 1e-6
	for _, o := range []Optimizer{kfac, ekfac} {
		var moves [2][]float64
		for i, factor := range []float64{1, 0.5} {
			tr := toyTrainer(t, o, Dtype(tensor.Float64), EveryK(0), WithSchedule(StepDecay(factor, 0)))
			var before []float64
			for _, p := range tr.Params() {
				before = append(before, p.Value.Float64s()...)
			}
			run(t, tr, 0, 1)
			for _, p := range tr.Params() {
				for _, w := range p.Value.Float64s() {
					moves[i] = append(moves[i], before[0]-w)
					before = before[1:]
				}
			}
		}
		for j, whole := range moves[0] {
			if math.Abs(moves[1][j]-whole/2) > 1e-9*math.Abs(whole)+1e-15 {
				t.Fatalf("%s: element %d moved by %v under the factor 0.5, by %v without", o.Name(), j, moves[1][j], whole)
			}
		}
	}
}

// TestPatchesPerDim has KFAC's factors of a convolution of a part of the patches: as many
// as there are give the bits of all, fewer give others, and Ḡ stays as it is.
func TestPatchesPerDim(t *testing.T) {
	factors := func(perDim float64) (a, g []float64) {
		o := KFAC(0.02)
		o.PatchesPerDim = perDim
		tr, err := New(convNets()["residual"], graph.SoftmaxCrossEntropy, o, Dtype(tensor.Float64), Seed(2))
		if err != nil {
			t.Fatal(err)
		}
		learns(t, tr, 0, 1)
		for _, s := range tr.engine.Update.State() {
			switch {
			case strings.Contains(s.Name, "/inverse/"):
			case strings.HasSuffix(s.Name, "/A"):
				a = append(a, s.Value.Float64s()...)
			case strings.HasSuffix(s.Name, "/G"):
				g = append(g, s.Value.Float64s()...)
			}
		}
		return a, g
	}
	allA, allG := factors(0)
	manyA, manyG := factors(1e9)
	fewA, fewG := factors(0.5)
	if !slices.Equal(allA, manyA) || !slices.Equal(allG, manyG) {
		t.Error("as many patches as there are do not give the factors of all")
	}
	if slices.Equal(allA, fewA) || !slices.Equal(allG, fewG) {
		t.Error("fewer patches do not give another Ā, or another Ḡ")
	}
	bad := KFAC(0.1)
	bad.PatchesPerDim = -1
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "patches_per_dim") {
		t.Errorf("error %v", err)
	}
}
