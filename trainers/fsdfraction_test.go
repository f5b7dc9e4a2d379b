package trainers

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// partOf are the rows of the one input of a batch that a fraction stands for at a meta-step,
// written naively.
func partOf(b graph.Batch, fraction float64, fewest, metaStep int) []*tensor.Dense {
	all := b.Len()
	n := int(math.Round(fraction * float64(all)))
	if n < fewest {
		n = fewest
	}
	if n > all {
		n = all
	}
	turns := (all + n - 1) / n
	x := b.X[0].Float32s()
	var part []float32
	for i := range n {
		row := int(math.Floor((float64(i) + float64(metaStep%turns)/float64(turns)) * float64(all) / float64(n)))
		part = append(part, x[4*row:4*row+4]...)
	}
	return []*tensor.Dense{denseOf(part, n, 4)}
}

// TestFSDFractionEqualsNaiveTwin gives a twin the rows of B' that the option, or its default,
// stands for, at each step, as arrays of their own: those of the last batch of a size, or of
// B.
func TestFSDFractionEqualsNaiveTwin(t *testing.T) {
	const k = 3
	calibrated := Calibrated(CalibratedConfig{Lambda0: 1})
	for name, c := range map[string]struct {
		o        Optimizer
		opts     []Option
		fraction float64
		fewest   int
		scale    int // of the batches
	}{
		"a quarter":           {SGDm(0.05), []Option{FSDFraction(0.25)}, 0.25, 1, 1},
		"all":                 {SGDm(0.05), []Option{FSDFraction(1)}, 1, 1, 1},
		"one row":             {Adam(0.01), []Option{FSDFraction(1e-9), RatePerParam()}, 1e-9, 1, 1},
		"default of rates":    {AdamW(0.01), nil, 0.25, 16, 5},
		"default of layers":   {SGDm(0.05), []Option{RatePerParam()}, 1, 1, 5},
		"default of groups":   {SGDm(0.05), []Option{RateGroups(map[string]int{"dense0": 0, "dense1": 1})}, 1, 1, 5},
		"it takes all of few": {AdamW(0.01), nil, 1, 1, 1},
		"plain, a half":       {PrecondPlain(0.05), []Option{FSDFraction(0.5)}, 0.5, 1, 1},
		"default of plain":    {PrecondPlain(0.05), nil, 1, 1, 5},
		"calibrated, a third": {SGDm(0.05), []Option{calibrated, FSDFraction(0.33)}, 0.33, 1, 1},
		"its default":         {SGDm(0.05), []Option{calibrated}, 0.25, 16, 5},
		"relative, a quarter": {relativeOnce(), []Option{FSDFraction(0.25)}, 0.25, 1, 1},
	} {
		opts := append(c.opts, EveryK(k))
		part, twin := toyTrainer(t, c.o, opts...), toyTrainer(t, c.o, opts...)
		kept := make(map[int][]*tensor.Dense) // by rows of B'
		sizes := make(map[int]bool)           // of B', in steps that are over
		for step := range 24 {
			size := mixedSizes[step%len(mixedSizes)]
			if step < 6 {
				size = 12 // one size first
			}
			size *= c.scale
			b := rowsOf(toyData(t, tensor.Float32), 5*step%(61-size), size)
			n := partOf(b, c.fraction, c.fewest, 0)[0].Shape()[0]
			tilde, ok := kept[n]
			if !ok {
				tilde = partOf(b, c.fraction, c.fewest, step/k)
			}
			if _, err := part.Step(b); err != nil {
				t.Fatal(err)
			}
			if _, err := twin.StepWith(b, tilde); err != nil {
				t.Fatal(err)
			}
			if sizes[n] = true; (step+1)%k == 0 || len(sizes) > 1 {
				kept[n] = partOf(b, c.fraction, c.fewest, (step+1)/k)
			}
			compareTensors(t, fmt.Sprintf("%s, step %d", name, step), part.engine, twin.engine)
		}
	}
}

// relativeOnce has one meta-step at a time and none before the first step.
func relativeOnce() Optimizer {
	o := precond.Relative(0.5)
	o.Relative.WarmUp, o.Relative.MetaSteps = 0, 1
	return o
}

// compareTensors compares all arrays but the mini-batches that were kept.
func compareTensors(t *testing.T, what string, a, b *engine) {
	t.Helper()
	other := b.tensors()
	for i, x := range a.tensors() {
		sameArray(t, what+": "+x.Name, x.Value, other[i].Value)
	}
}

// TestFSDFractionOfTildeFrom takes the rows from what the source gives.
func TestFSDFractionOfTildeFrom(t *testing.T) {
	whole := func(step int) ([]*tensor.Dense, error) { return rowsOf(toyData(t, tensor.Float32), step, 10).X, nil }
	third := func(step int) ([]*tensor.Dense, error) {
		x, _ := whole(step)
		to := array.LikeRows(x[0], 3)
		array.CopyRows(to, x[0], [][]int{{0, 3, 6}, {0, 4, 7}, {1, 5, 8}, {2, 5, 9}}[step/2%4])
		return []*tensor.Dense{to}, nil
	}
	a := toyTrainer(t, Adam(0.01), EveryK(2), TildeFrom(whole), FSDFraction(0.3))
	b := toyTrainer(t, Adam(0.01), EveryK(2), TildeFrom(third), FSDFraction(1))
	run(t, a, 0, 18)
	run(t, b, 0, 18)
	compareTensors(t, "a third", a.engine, b.engine)
}

// TestSpreadTakesEachRowInTurn: rows rise, lie in the batch, and none is left out.
func TestSpreadTakesEachRowInTurn(t *testing.T) {
	for all := 1; all <= 40; all++ {
		for n := 1; n <= all; n++ {
			seen := make(map[int]bool)
			for turn := range (all + n - 1) / n {
				last := -1
				for _, r := range array.Spread(all, n, turn) {
					if r <= last || r >= all {
						t.Fatalf("%d of %d, turn %d: row %d behind %d", n, all, turn, r, last)
					}
					last, seen[r] = r, true
				}
			}
			if len(seen) != all {
				t.Errorf("%d of %d: %d rows in all turns", n, all, len(seen))
			}
		}
	}
}

// TestFSDFractionBuildsNoMoreGraphs has batches of several sizes: one graph of meta-steps
// for each, and less memory for what is kept. A run that is resumed goes on to the same bits.
func TestFSDFractionBuildsNoMoreGraphs(t *testing.T) {
	fresh := func() *Trainer { return toyTrainer(t, SGDm(0.05), EveryK(2), FSDFraction(0.25)) }
	whole, path := fresh(), filepath.Join(t.TempDir(), "checkpoint")
	built := make(map[string]bool)
	for step := range 2 * len(mixedSizes) {
		alone := fresh()
		if step > 0 {
			if err := alone.Load(path); err != nil {
				t.Fatal(err)
			}
		}
		b := mixedBatch(t, step)
		if step%2 == 0 {
			tilde, err := whole.engine.chooseTilde(b, nil, 0)
			wantNil(t, err)
			built[fmt.Sprint(b.Len(), tilde[0].Shape())] = true
		}
		for _, tr := range []*Trainer{whole, alone} {
			if _, err := tr.Step(b); err != nil {
				t.Fatal(err)
			}
		}
		sameBits(t, fmt.Sprintf("step %d", step), whole.engine, alone.engine)
		wantNil(t, alone.Save(path))
	}
	if len(built) > 4 {
		t.Errorf("meta-steps of the shapes %v: more than there are sizes", built)
	}
	for _, k := range whole.engine.kept {
		if n := k[0].Shape()[0]; n > 3 {
			t.Errorf("%d rows are kept", n)
		}
	}
}

// TestFSDFractionOfSentences takes whole sentences of source and target.
func TestFSDFractionOfSentences(t *testing.T) {
	var source, target [][]int
	for i := range 40 {
		n := 2 + i%5
		source, target = append(source, slices.Repeat([]int{4 + i%7}, n)), append(target, slices.Repeat([]int{4 + (i+1)%7}, n))
	}
	set, err := batch.NewSentences(source, target, batch.TokenConfig{Tokens: 64, Buckets: 2})
	wantNil(t, err)
	batches, err := batch.NewTokenBatches(set, 1)
	wantNil(t, err)
	model := layers.Transformer(layers.TransformerConfig{Encoder: 1, Decoder: 1, Width: 8, Heads: 2, FeedForward: 16, Vocabulary: 12, Shared: true, Dropout: 0.1})
	tr, err := New(model, graph.TokenCrossEntropy(graph.TokenSettings{}), Adam(0.003), EveryK(1), FSDFraction(0.25))
	wantNil(t, err)
	for step := range 6 {
		b := batches.At(step)
		tilde, err := tr.engine.chooseTilde(b, nil, 0)
		wantNil(t, err)
		for i, x := range tilde {
			if want := max(1, int(math.Round(float64(b.Len())/4))); x.Shape()[0] != want || x.Shape()[1] != b.X[i].Shape()[1] {
				t.Errorf("step %d: input %d of B' has shape %v, of B %v", step, i, x.Shape(), b.X[i].Shape())
			}
		}
		// In this text the target is one more than the source: so rows belong together.
		for r := range tilde[0].Shape()[0] {
			from, to := tilde[0].Ints()[r*tilde[0].Shape()[1]], tilde[1].Ints()[r*tilde[1].Shape()[1]+1]
			if (from-4+1)%7 != to-4 {
				t.Errorf("step %d: row %d has source %d, target %d", step, r, from, to)
			}
		}
		_, err = tr.Step(b)
		wantNil(t, err)
	}
}

// TestFSDFractionErrors: what is no fraction, and where there can be none.
func TestFSDFractionErrors(t *testing.T) {
	for _, f := range []float64{0, -0.5, 1.01, math.NaN(), math.Inf(1)} {
		_, err := New(toyModel(), toyLoss, SGD(0.1), FSDFraction(f))
		wantError(t, fmt.Sprint(f), err, "FSDFraction", fmt.Sprint(f), "above 0 and at most 1")
	}
	_, err := New(toyModel(), toyLoss, Precond(0.1), FSDFraction(0.5))
	wantError(t, "precond", err, "FSDFraction has no effect with precond", "Rows")
	_, err = New(toyModel(), toyLoss, SGD(0.1), FSD(0), FSDFraction(0.5))
	wantError(t, "no term", err, "FSDFraction has no effect with FSD(0)")
	u := newUserGraph(t, toyTrainer(t, SGD(0.1)), 12)
	u.problem.Divergence = graph.CategoricalKL
	for what, make := range map[string]func(opts ...Option) error{
		"Wrap":        func(opts ...Option) error { _, err := Wrap(u.problem, SGD(0.1), opts...); return err },
		"FromProblem": func(opts ...Option) error { _, err := FromProblem(u.problem, SGD(0.1), opts...); return err },
	} {
		wantError(t, what, make(FSDFraction(0.5)), what, "FSDFraction(0.5)", "one size")
		wantNil(t, make(FSDFraction(1)))
		wantNil(t, make(FSDFraction(0.5), EveryK(0)))
	}
	// Inputs that have no rows in common.
	uneven := func(int) ([]*tensor.Dense, error) { return nil, errors.New("unused") }
	tr := toyTrainer(t, SGD(0.1), TildeFrom(uneven), FSDFraction(0.5))
	_, err = tr.engine.part([]*tensor.Dense{denseOf(make([]float32, 8), 4, 2), denseOf(make([]float32, 6), 3, 2)}, 0)
	wantError(t, "uneven", err, "FSDFraction", "input 1", "(3, 2)", "4 rows")
}

// TestFSDFractionInCheckpoints: it is compared where it was chosen, and 1 in files from before
// there was one. A run that left it to the default goes on with what it had.
func TestFSDFractionInCheckpoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	altered(t, path, func(_ *checkpoint.Snapshot, meta map[string]any) {
		delete(meta["run"].(map[string]any), "FSDFraction")
	})
	wantNil(t, toyTrainer(t, Adam(0.01), EveryK(2), FSDFraction(1)).Load(path))
	whole, old := toyTrainer(t, Adam(0.01), EveryK(2), FSDFraction(1)), toyTrainer(t, Adam(0.01), EveryK(2))
	wantNil(t, old.Load(path))
	run(t, whole, 0, 9)
	run(t, old, 5, 9)
	sameBits(t, "from before", whole.engine, old.engine)
	wantNil(t, old.Save(path))
	again := toyTrainer(t, Adam(0.01), EveryK(2))
	wantNil(t, again.Load(path))
	sameBits(t, "from a run from before", whole.engine, again.engine)
	err := toyTrainer(t, Adam(0.01), EveryK(2), FSDFraction(0.25)).Load(path)
	wantError(t, "from before", err, "FSDFraction 1, this training has 0.25")
	own := toyTrainer(t, Adam(0.01), EveryK(2), Seed(5))
	if err := own.Load(path); err == nil || own.engine.c.share.fraction != 0.25 {
		t.Errorf("error %v, fraction %v after it", err, own.engine.c.share.fraction)
	}
}
