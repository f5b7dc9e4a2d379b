package trainers

import (
	"testing"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
)

// userNets are nets of Gorgonia's own ops with the models of package layers that
// are the same.
var userNets = map[string]struct {
	stock func(s *stockNet, rows int)
	model measured
}{
	"LeNet": {func(s *stockNet, rows int) {
		s.inputs(rows, 3, 32, 32)
		s.lenet()
	}, lenet},
	"MLP": {func(s *stockNet, rows int) {
		s.inputs(rows, 784)
		h := s.affine(s.affine(s.x, 1000, gorgonia.Rectify), 1000, gorgonia.Rectify)
		s.classify(s.affine(h, 10, nil))
	}, mlp},
}

// BenchmarkUsersGraph measures a step on a batch of 128, and a meta-step, of a user's
// graph in Gorgonia's own ops against the Trainer of the same model.
func BenchmarkUsersGraph(b *testing.B) {
	name, err := blas.Use()
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("BLAS: %s", name)
	for name, net := range userNets {
		stock := func() *stockNet { return newStockNet(tensor.Float32, 128, net.stock) }
		b.Run(name+"/step", func(b *testing.B) {
			own := stock()
			own.machine(b)
			compare(b,
				side{name: "machine", steps: 1, work: ownSteps(b, own, gorgonia.NewMomentum(gorgonia.WithLearnRate(0.01)))},
				side{name: "Wrap", steps: 1, work: wrapped(b, stock(), EveryK(0)).step},
				side{name: "FromProblem", steps: 1, work: problemSteps(b, stock(), EveryK(0)).step},
				side{name: "Trainer", steps: 1, work: modelSteps(b, net.model, EveryK(0)).step})
		})
		b.Run(name+"/meta-step", func(b *testing.B) {
			wrap, problem, model := wrapped(b, stock(), EveryK(1)), problemSteps(b, stock(), EveryK(1)), modelSteps(b, net.model, EveryK(1))
			compare(b,
				side{name: "Wrap", steps: 1, work: wrap.step, took: wrap.meta},
				side{name: "FromProblem", steps: 1, work: problem.step, took: problem.meta},
				side{name: "Trainer", steps: 1, work: model.step, took: model.meta})
		})
	}
}

// stepper takes steps and keeps what the last one did.
type stepper struct {
	take func() (Stats, error)
	last Stats
}

func (s *stepper) step() (err error) {
	s.last, err = s.take()
	return err
}

// meta is the time of the last meta-step.
func (s *stepper) meta() time.Duration { return s.last.MetaTime }

func modelSteps(b *testing.B, net measured, opts ...Option) *stepper {
	b.Helper()
	model, err := net.model()
	if err != nil {
		b.Fatal(err)
	}
	tr, err := New(model, graph.SoftmaxCrossEntropy, SGDm(0.01), opts...)
	if err != nil {
		b.Fatal(err)
	}
	batch := syntheticImages(128, net.input...)
	return &stepper{take: func() (Stats, error) { return tr.Step(batch) }}
}

func problemSteps(b *testing.B, s *stockNet, opts ...Option) *stepper {
	b.Helper()
	tr, batch := fromStock(b, s, SGDm(0.01), opts...), s.batch(0)
	return &stepper{take: func() (Stats, error) { return tr.Step(batch) }}
}

func wrapped(b *testing.B, s *stockNet, opts ...Option) *stepper {
	b.Helper()
	solver, err := Wrap(s.problem, SGDm(0.01), opts...)
	if err != nil {
		b.Fatal(err)
	}
	s.machine(b)
	work := ownSteps(b, s, solver)
	return &stepper{take: func() (Stats, error) { err := work(); return solver.Last(), err }}
}

// ownSteps are steps of the user's own loop.
func ownSteps(b *testing.B, s *stockNet, solver gorgonia.Solver) func() error {
	batch := s.batch(0)
	return func() error {
		s.own(b, solver, batch)
		return nil
	}
}
