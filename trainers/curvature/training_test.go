package curvature

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// training trains a model in float64 with a rule, without a Trainer.
type training struct {
	rule  rule.Rule
	task  *rule.Task
	base  *graph.Base
	rates []float64
	steps int
}

// newTraining starts a training on batches like b. targets are those of the Fisher
// matrix, nil for drawn ones.
func newTraining(t *testing.T, model graph.Model, loss graph.Loss, o rule.Optimizer, b graph.Batch, targets func(int) []*tensor.Dense) *training {
	t.Helper()
	params, err := model.Init(1, tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	n := &training{task: &rule.Task{
		Params: params, Model: params, Blocks: graph.BlockPerParam(params), Source: graph.Objective{Model: model, Loss: loss},
		Random: apoops.NewRandom(1), Seed: 1, Targets: targets,
	}}
	if n.base, err = graph.NewBase(n.task.Source, params, b, n.task.Random); err != nil {
		t.Fatal(err)
	}
	if n.rule, err = o.Start(n.task); err != nil {
		t.Fatal(err)
	}
	for range params {
		n.rates = append(n.rates, o.LearningRate())
	}
	return n
}

// gradient is ∇J on a batch; the arrays are valid until the next call.
func (n *training) gradient(t *testing.T, b graph.Batch) []*tensor.Dense {
	t.Helper()
	if err := n.base.Feed(b); err != nil {
		t.Fatal(err)
	}
	if err := n.base.Run(); err != nil {
		t.Fatal(err)
	}
	g, err := n.base.Grads()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// step is θ ← θ - η·d on a batch.
func (n *training) step(t *testing.T, b graph.Batch) {
	t.Helper()
	n.task.Random.SetStep(int64(n.steps))
	n.steps++
	d, err := n.rule.Directions(rule.Input{T: n.steps, G: n.gradient(t, b), Batch: b, Rates: n.rates})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range n.task.Params {
		for j, v := range d[i].Float64s() {
			p.Value.Float64s()[j] -= n.rates[i] * v
		}
	}
}

// weights are all parameters one after the other.
func (n *training) weights() []float64 { return flat(valuesOf(n.task.Params)) }

func valuesOf(params []*graph.Param) []*tensor.Dense {
	var all []*tensor.Dense
	for _, p := range params {
		all = append(all, p.Value)
	}
	return all
}

// flat is a copy of the elements of all arrays.
func flat(arrays []*tensor.Dense) []float64 {
	var all []float64
	for _, a := range arrays {
		all = append(all, a.Float64s()...)
	}
	return all
}

// stateOf are the float64 arrays of a rule's state by name.
func stateOf(r rule.Rule) map[string][]float64 {
	state := make(map[string][]float64)
	for _, s := range r.State() {
		if s.Value.Dtype() == tensor.Float64 {
			state[s.Name] = s.Value.Float64s()
		}
	}
	return state
}

// classes are batches of a small classification problem with 4 inputs.
func classes(batches, rows int) []graph.Batch {
	rng := rand.New(rand.NewPCG(21, 1))
	var all []graph.Batch
	for range batches {
		x, labels := make([]float64, 4*rows), make([]int, rows)
		for i := range labels {
			labels[i] = rng.IntN(3)
			for j := range 4 {
				x[4*i+j] = rng.NormFloat64() + float64(labels[i]*(j-1))/2
			}
		}
		all = append(all, graph.NewBatch(denseOf(x, rows, 4), denseOf(labels, rows)))
	}
	return all
}

// perceptron is a model of such classes.
func perceptron() graph.Model {
	return layers.Sequential(layers.Dense(4, 5, apoops.TanhAct), layers.Dropout(0.1), layers.Dense(5, 3, apoops.Identity))
}
