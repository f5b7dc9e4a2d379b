package precond_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/group"
	"github.com/apo-gorgonia/apo/trainers/precond"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// finding is a configuration that finds its rate and steps by it as it is.
func finding() *precond.Config {
	o := precond.New(0)
	o.Clip, o.WarmUp = 0, 10
	return o
}

// lossAt is the mean loss on a batch of weights from + t·(to - from), which the training
// has from then on.
func lossAt(t *testing.T, tr *trainers.Trainer, b graph.Batch, from, to [][]float64, at float64) float64 {
	t.Helper()
	for i, p := range tr.Params() {
		for j := range from[i] {
			p.Value.Float64s()[j] = from[i][j] + at*(to[i][j]-from[i][j])
		}
	}
	r, err := tr.Evaluate(trainers.Data{X: b.X[0], T: b.T[0]}, b.Len())
	if err != nil {
		t.Fatal(err)
	}
	return r.Loss
}

// TestFoundRateIsTheMinimum takes the first step at the rate that is found: along it the
// loss of the mini-batch is least at its end, up to a tenth. Scales of the loss, of the inputs and a clipped gradient, which has
// another length, do not matter.
func TestFoundRateIsTheMinimum(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 9))
	classes := make([]int, 50)
	for i := range classes {
		classes[i] = rng.IntN(3)
	}
	times := func(x *tensor.Dense, by float64) *tensor.Dense {
		for i := range x.Float64s() {
			x.Float64s()[i] *= by
		}
		return x
	}
	x, y := dense(gaussian(rng, 50, 30)), dense(gaussian(rng, 50, 3))
	for name, c := range map[string]struct {
		net   []int
		loss  graph.Loss
		batch graph.Batch
		opts  []trainers.Option
	}{
		"parabola":                {[]int{30, 3}, graph.SquaredError, graph.NewBatch(x, y), nil},
		"parabola, loss × 1e6":    {[]int{30, 3}, graph.SquaredError, graph.NewBatch(x, times(y.Clone().(*tensor.Dense), 1e3)), nil},
		"parabola, inputs × 1000": {[]int{30, 3}, graph.SquaredError, graph.NewBatch(times(x.Clone().(*tensor.Dense), 1e3), y), nil},
		"parabola, clipped":       {[]int{30, 3}, graph.SquaredError, graph.NewBatch(x, y), []trainers.Option{trainers.ClipNorm(1e-3)}},
		"classes":                 {[]int{30, 20, 3}, graph.SoftmaxCrossEntropy, graph.NewBatch(x, tensor.New(tensor.WithShape(50), tensor.WithBacking(classes))), nil},
		"accumulated": {[]int{30, 20, 3}, graph.SoftmaxCrossEntropy, graph.NewBatch(x, tensor.New(tensor.WithShape(50), tensor.WithBacking(classes))),
			[]trainers.Option{trainers.Accumulate(5)}},
	} {
		tr, err := trainers.New(layers.MLPWith(apoops.TanhAct, c.net...), c.loss, finding(), append(c.opts, trainers.Dtype(tensor.Float64))...)
		if err != nil {
			t.Fatal(err)
		}
		from := weightsOf(tr)
		if _, err := tr.Step(c.batch); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		to := weightsOf(tr)
		best, least := 0., math.Inf(1)
		for at := 0.5; at < 1.5; at += 0.01 {
			if loss := lossAt(t, tr, c.batch, from, to, at); loss < least {
				best, least = at, loss
			}
		}
		if math.Abs(best-1) > 0.1 {
			t.Errorf("%s: along the first step the loss is least at %v of it", name, best)
		}
	}
}

// TestFoundRateStays has meta-steps report 1/λ_FSD, which is the rate of all steps, and
// λ_WSD with it; FSD is in units of what is found.
func TestFoundRateStays(t *testing.T) {
	t.Parallel()
	run := func(o *precond.Config, steps int, opts ...trainers.Option) (*trainers.Trainer, record.MetaStats) {
		tr := decayNet(t, o, 0, opts...)
		var last record.MetaStats
		for range steps {
			s, err := tr.Step(decayBatch(40))
			if err != nil {
				t.Fatal(err)
			}
			last = *s.Meta
		}
		return tr, last
	}
	o := finding()
	_, first := run(o, 1)
	rate := 1 / first.LambdaFSD
	if _, twice := run(o, 1, trainers.FSD(2), trainers.WSD(2*o.Damping)); math.Abs(twice.LambdaFSD*rate-2) > 1e-12 {
		t.Errorf("with FSD(2) and twice the WSD λ_FSD is %v, 1/the rate found %v", twice.LambdaFSD, 1/rate)
	}
	given := finding()
	given.LR = rate
	a, found := run(o, 4)
	b, want := run(given, 4)
	if math.Abs(found.LambdaFSD/want.LambdaFSD-1) > 1e-12 || math.Abs(found.LambdaWSD/want.LambdaWSD-1) > 1e-12 {
		t.Errorf("λ_FSD and λ_WSD are %v and %v, at the same rate as given %v and %v", found.LambdaFSD, found.LambdaWSD, want.LambdaFSD, want.LambdaWSD)
	}
	other := weightsOf(b)
	for i, w := range weightsOf(a) {
		for j := range w {
			if math.Abs(w[j]-other[i][j]) > 1e-9 {
				t.Fatalf("%s: element %d is %v, at the same rate as given %v", a.Params()[i].Name, j, w[j], other[i][j])
			}
		}
	}
}

// TestFoundRateInGroups finds the rate of a group of APO-Precond along its own step.
func TestFoundRateInGroups(t *testing.T) {
	t.Parallel()
	o := &group.Config{Rest: trainers.SGD(1e-8), Groups: []trainers.Group{{Params: []string{"dense0*"}, Optimizer: finding()}}}
	tr := decayNet(t, o, 0.1)
	b := decayBatch(50)
	from := weightsOf(tr)
	if _, err := tr.Step(b); err != nil {
		t.Fatal(err)
	}
	to := weightsOf(tr)
	at := []float64{0.8, 1, 1.2}
	var losses []float64
	for _, x := range at {
		losses = append(losses, lossAt(t, tr, b, from, to, x))
	}
	if !(losses[1] < losses[0] && losses[1] < losses[2]) {
		t.Errorf("at %v of the first step the loss is %v", at, losses)
	}
}

// TestNothingToFind has gradients of 0, and no meta-steps.
func TestNothingToFind(t *testing.T) {
	tr := decayNet(t, finding(), 0)
	zero := graph.NewBatch(tensor.New(tensor.WithShape(4, 30), tensor.Of(tensor.Float64)), tensor.New(tensor.WithShape(4, 2), tensor.Of(tensor.Float64)))
	s, err := tr.Step(zero)
	if err != nil || 1/s.Meta.LambdaFSD != 0.1 {
		t.Errorf("λ_FSD %v without a gradient: %v", s.Meta.LambdaFSD, err)
	}
	if _, err := trainers.New(layers.MLP(2, 1), graph.SquaredError, precond.New(0), trainers.EveryK(0)); err == nil {
		t.Error("a rate of 0 that nothing finds is no error")
	}
}
