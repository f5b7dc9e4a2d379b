package extend

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// The tests train the layer, and in it the op, to tell three classes apart.
const inputs, hidden, classes, rows = 5, 6, 3, 8

var dtypes = []tensor.Dtype{tensor.Float32, tensor.Float64}

// rules are the update rules, each with a learning rate that fits the data.
var rules = map[string]func(lr float64) rule.Optimizer{
	"adagrad": func(lr float64) rule.Optimizer { return Adagrad(lr) },
	"lars":    func(lr float64) rule.Optimizer { return LARS(lr) },
}

const rate = 0.05

var loss = graph.SoftmaxCrossEntropy

func model() *layers.Model {
	return layers.Sequential(SwiGLU{inputs, hidden}, layers.Dense(hidden, classes, apoops.Identity))
}

// array draws an array from N(0, 1).
func array(rng *rand.Rand, dt tensor.Dtype, shape ...int) *tensor.Dense {
	values := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	return toDtype(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values)), dt)
}

// toDtype is t, of float64, in another dtype.
func toDtype(t *tensor.Dense, dt tensor.Dtype) *tensor.Dense {
	if dt == tensor.Float64 {
		return t
	}
	values := make([]float32, t.DataSize())
	for i, v := range t.Float64s() {
		values[i] = float32(v)
	}
	return tensor.New(tensor.WithShape(t.Shape().Clone()...), tensor.WithBacking(values))
}

// numbers are the elements of t as float64.
func numbers(t *tensor.Dense) []float64 {
	if t.Dtype() == tensor.Float64 {
		return t.Float64s()
	}
	all := make([]float64, t.DataSize())
	for i, v := range t.Float32s() {
		all[i] = float64(v)
	}
	return all
}

// batch is the mini-batch of a step.
func batch(dt tensor.Dtype, step int) graph.Batch {
	rng := rand.New(rand.NewPCG(7, uint64(step)))
	x, labels := array(rng, dt, rows, inputs), make([]int, rows)
	for i := range labels {
		for j := range classes { // the class is the largest of the first inputs
			if numbers(x)[i*inputs+j] > numbers(x)[i*inputs+labels[i]] {
				labels[i] = j
			}
		}
	}
	return graph.NewBatch(x, tensor.New(tensor.WithShape(rows), tensor.WithBacking(labels)))
}

func newTrainer(t *testing.T, dt tensor.Dtype, o rule.Optimizer, opts ...trainers.Option) *trainers.Trainer {
	t.Helper()
	tr, err := trainers.New(model(), loss, o, append([]trainers.Option{trainers.Seed(3), trainers.Dtype(dt)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// train takes the steps [from, to) and returns their losses.
func train(t *testing.T, dt tensor.Dtype, tr *trainers.Trainer, from, to int) []float64 {
	t.Helper()
	var losses []float64
	for step := from; step < to; step++ {
		stats, err := tr.Step(batch(dt, step))
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, stats.Loss)
	}
	return losses
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
