package trainers

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// drawNet is a way to train one of the nets that the tests have.
func drawNet(t *testing.T, r *rand.Rand, dt tensor.Dtype) (string, func(o Optimizer, opts ...Option) (training, error)) {
	switch choice := r.IntN(8); choice {
	case 0, 1:
		return "mlp", modelNet(toyModel(), toyLoss, func(step int) graph.Batch {
			return rowsOf(toyData(t, dt), step*7%36, []int{12, 12, 12, 6}[step%4])
		})
	case 2, 3, 4:
		name := draw(r, "plain", "residual", "blocks of channels")
		return name, modelNet(convNets()[name], graph.SoftmaxCrossEntropy, func(step int) graph.Batch {
			return rowsOf(in(dt, pictures()), step*6%18, 6)
		})
	case 5:
		return "tokens", modelNet(languageModel(r.IntN(2) == 0), graph.TokenCrossEntropy(graph.TokenSettings{Smoothing: 0.1}), func(step int) graph.Batch {
			return sentenceBatch(sentences(), step%6, (step+1)%6, (step+3)%6, (step+4)%6, (step+5)%6, step%3)
		})
	default:
		name := draw(r, "mlp", "batch norm")
		if choice == 6 {
			return name + " by FromProblem", func(o Optimizer, opts ...Option) (training, error) {
				net := newStockNet(dt, 6, stockNets[name])
				net.problem.Divergence = graph.CategoricalKL
				tr, err := FromProblem(net.problem, o, opts...)
				return &modelTraining{tr, net.batch}, err
			}
		}
		return name + " by Wrap", func(o Optimizer, opts ...Option) (training, error) {
			net := newStockNet(dt, 6, stockNets[name])
			net.problem.Divergence = graph.CategoricalKL
			net.machine(t)
			solver, err := Wrap(net.problem, o, opts...)
			return &solverTraining{solver, net, t}, err
		}
	}
}

// in converts the inputs.
func in(dt tensor.Dtype, d Data) Data {
	if dt == tensor.Float32 {
		wide := d.X.Float64s()
		narrow := make([]float32, len(wide))
		for i, v := range wide {
			narrow[i] = float32(v)
		}
		d.X = denseOf(narrow, d.X.Shape()...)
	}
	return d
}

func modelNet(model graph.Model, loss graph.Loss, batch func(step int) graph.Batch) func(o Optimizer, opts ...Option) (training, error) {
	return func(o Optimizer, opts ...Option) (training, error) {
		tr, err := New(model, loss, o, opts...)
		return &modelTraining{tr, batch}, err
	}
}

// modelTraining is a trainer with its batches.
type modelTraining struct {
	*Trainer
	batch func(step int) graph.Batch
}

func (m *modelTraining) state() *engine { return m.engine }

func (m *modelTraining) steps(from, to int) error {
	for step := from; step < to; step++ {
		if _, err := m.Step(m.batch(step)); err != nil {
			return err
		}
	}
	return nil
}

// solverTraining is a loop of the user's own.
type solverTraining struct {
	*Solver
	net *stockNet
	t   *testing.T
}

func (s *solverTraining) state() *engine { return s.engine }

func (s *solverTraining) steps(from, to int) error {
	for step := from; step < to; step++ {
		s.net.own(s.t, s.Solver, s.net.batch(step))
	}
	return nil
}
