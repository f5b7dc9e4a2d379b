package trainers

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// fewestRounds is how often each side of a comparison runs at least. With five,
// one run in six was a tenth off on a machine that others use too.
const fewestRounds = 25

// side is one side of a comparison: work that takes some steps.
type side struct {
	name  string
	steps int
	work  func() error
	took  func() time.Duration // of the work, what is to be measured; nil for all of it
}

// compare times the sides in turn, so that what else the machine does falls on
// all, and reports the median milliseconds of a step of each and the ratio of
// each side's to the last one's.
func compare(b *testing.B, sides ...side) {
	b.Helper()
	compareRounds(b, fewestRounds, sides...)
}

// compareRounds is compare with at least so many rounds.
func compareRounds(b *testing.B, fewest int, sides ...side) {
	b.Helper()
	times := make([][]float64, len(sides))
	round := func() {
		for i, s := range sides {
			began := time.Now()
			if err := s.work(); err != nil {
				b.Fatal(err)
			}
			took := time.Since(began)
			if s.took != nil {
				took = s.took()
			}
			times[i] = append(times[i], float64(took.Microseconds())/1e3/float64(s.steps))
		}
	}
	round() // builds graphs, allocates state
	times = make([][]float64, len(sides))
	for b.Loop() {
		round()
	}
	for len(times[0]) < fewest {
		round()
	}
	b.ReportMetric(0, "ns/op") // a round, whatever that is
	last := len(sides) - 1
	for i, s := range sides {
		b.ReportMetric(median(times[i]), s.name+"-ms/step")
		if i < last {
			b.ReportMetric(median(times[i])/median(times[last]), s.name+"/"+sides[last].name)
		}
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}

// metaEvery is K of the measured trainers.
const metaEvery = 10

// BenchmarkAPOOverhead measures what APO costs: a step on a batch of 128 with a
// meta-step every tenth, against the same net with the base optimizer alone. The
// nets are 784-1000-1000-10 and LeNet.
func BenchmarkAPOOverhead(b *testing.B) {
	name, err := blas.Use()
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("BLAS: %s", name)
	for _, c := range []struct {
		name      string
		net       measured
		apo, base Optimizer
		option    Option // of apo, nil for none
	}{
		{"SGDm-APO", mlp, SGDm(0.01), SGDm(0.01), nil},
		{"Adam-APO", mlp, Adam(1e-3), Adam(1e-3), nil},
		{"Adam-APO-same-batch", mlp, Adam(1e-3), Adam(1e-3), SameBatch()},
		{"Adam-APO-calibrated", mlp, Adam(1e-3), Adam(1e-3), Calibrated(CalibratedConfig{})},
		{"Precond", mlp, PrecondPlain(0.01), SGDm(0.01), nil},
		{"LeNet/SGD-APO", lenet, SGD(0.01), SGD(0.01), nil},
		{"LeNet/SGDm-APO", lenet, SGDm(0.01), SGDm(0.01), nil},
		{"LeNet/RMSprop-APO", lenet, RMSprop(1e-3), RMSprop(1e-3), nil},
		{"LeNet/Adam-APO", lenet, Adam(1e-3), Adam(1e-3), nil},
		{"LeNet/Adam-APO-same-batch", lenet, Adam(1e-3), Adam(1e-3), SameBatch()},
		{"LeNet/Adam-APO-calibrated", lenet, Adam(1e-3), Adam(1e-3), Calibrated(CalibratedConfig{})},
	} {
		b.Run(c.name, func(b *testing.B) {
			opts := []Option{EveryK(metaEvery)}
			if c.option != nil {
				opts = append(opts, c.option)
			}
			compare(b,
				side{name: "apo", steps: metaEvery, work: stepsOf(b, c.net, c.apo, opts...)},
				side{name: "base", steps: metaEvery, work: stepsOf(b, c.net, c.base, EveryK(0))})
		})
	}
}

// BenchmarkStep is the time of one step of the same net, for profiles.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name string
		o    Optimizer
		k    int
	}{
		{"SGDm", SGDm(0.01), 0},
		{"SGDm-APO", SGDm(0.01), 1},
		{"Adam", Adam(1e-3), 0},
		{"Precond", PrecondPlain(0.01), 0},
		{"Precond-APO", PrecondPlain(0.01), 1},
		{"KFAC", KFAC(0.01), 0},
		{"EKFAC", EKFAC(0.01), 0},
		{"Shampoo", Shampoo(0.01), 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			steps := stepsOf(b, mlp, c.o, EveryK(c.k))
			if err := steps(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := steps(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1e3/float64(b.N*metaEvery), "ms/step")
		})
	}
}

// BenchmarkSmallNet is a step of a net of 20-100-100-1 on a batch of 16, where what is not
// arithmetic counts.
func BenchmarkSmallNet(b *testing.B) {
	for _, c := range []struct {
		name string
		o    Optimizer
		k    int
	}{
		{"SGDm", SGDm(0.01), 0},
		{"NAdamW", NAdamW(0.001), 0},
		{"Adam-APO", Adam(0.001), metaEvery},
		{"Precond", Precond(0.1), 20},
		{"KFAC", KFAC(0.01), 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			tr, err := New(layers.MLP(20, 100, 100, 1), graph.SquaredError, c.o, EveryK(c.k))
			if err != nil {
				b.Fatal(err)
			}
			batch := graph.NewBatch(gaussian32(1, tensor.Shape{16, 20}), gaussian32(2, tensor.Shape{16, 1}))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tr.Step(batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// measured is a net with the shape of its inputs.
type measured struct {
	model func() (graph.Model, error)
	input tensor.Shape
}

var (
	mlp   = measured{func() (graph.Model, error) { return layers.MLP(784, 1000, 1000, 10), nil }, tensor.Shape{784}}
	lenet = measured{func() (graph.Model, error) { return layers.ImageModel("lenet", 10) }, tensor.Shape{3, 32, 32}}
)

// stepsOf makes a trainer of the net; the function takes metaEvery steps.
func stepsOf(b *testing.B, net measured, o Optimizer, opts ...Option) func() error {
	b.Helper()
	model, err := net.model()
	if err != nil {
		b.Fatal(err)
	}
	tr, err := New(model, graph.SoftmaxCrossEntropy, o, opts...)
	if err != nil {
		b.Fatal(err)
	}
	batch := syntheticImages(128, net.input...)
	return func() error {
		for range metaEvery {
			if _, err := tr.Step(batch); err != nil {
				return err
			}
		}
		return nil
	}
}

// syntheticImages are n arrays of that shape with class numbers below 10.
func syntheticImages(n int, shape ...int) graph.Batch {
	classes := make([]int, n)
	for i := range classes {
		classes[i] = i % 10
	}
	return graph.NewBatch(gaussian32(1, append(tensor.Shape{n}, shape...)), denseOf(classes, n))
}

// BenchmarkFusedAdam measures Gorgonia's Adam against this package's on the 1.8
// million weights of the same net.
func BenchmarkFusedAdam(b *testing.B) {
	var params []*graph.Param
	var model []gorgonia.ValueGrad
	var grads []*tensor.Dense
	for _, shape := range []tensor.Shape{{785, 1000}, {1001, 1000}, {1001, 10}} {
		ours, theirs := gaussian32(1, shape), gaussian32(1, shape)
		g := gaussian32(2, shape)
		params = append(params, &graph.Param{Name: fmt.Sprint(shape), Value: ours})
		grads = append(grads, g)
		model = append(model, valueGrad{theirs, g.Clone().(*tensor.Dense)})
	}
	update, err := Adam(1e-3).Start(&rule.Task{Params: params})
	if err != nil {
		b.Fatal(err)
	}
	solver := gorgonia.NewAdamSolver(gorgonia.WithLearnRate(1e-3))
	rates := []float64{1e-3, 1e-3, 1e-3}
	t := 0
	const steps = 3
	compare(b,
		side{name: "gorgonia", steps: steps, work: func() error {
			for range steps {
				if err := solver.Step(model); err != nil {
					return err
				}
			}
			return nil
		}},
		side{name: "fused", steps: steps, work: func() error {
			for range steps {
				t++
				if err := update.Fused().Step(rule.Input{T: t, G: grads}, rates); err != nil {
					return err
				}
			}
			return nil
		}})
}

// valueGrad is a weight with its gradient as Gorgonia's solvers want it.
type valueGrad struct{ value, grad *tensor.Dense }

func (v valueGrad) Value() gorgonia.Value         { return v.value }
func (v valueGrad) Grad() (gorgonia.Value, error) { return v.grad, nil }

func gaussian32(seed uint64, shape tensor.Shape) *tensor.Dense {
	rng := rand.New(rand.NewPCG(seed, 3))
	x := make([]float32, shape.TotalSize())
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return denseOf(x, shape...)
}
