package average

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// Weights is the average of the weights of one training. A nil one is none.
type Weights struct {
	a      Average
	params []*graph.Param
	mean   []*tensor.Dense
	steps  []uint64 // one number: those that are averaged
}

// Start begins the average of parameters. It is the weights as they are until a step is
// added.
func (a Average) Start(params []*graph.Param) *Weights {
	return &Weights{a: a, params: params, mean: array.ZerosLike(params), steps: make([]uint64, 1)}
}

// Add adds the weights as they are after a step.
func (w *Weights) Add() {
	if w == nil {
		return
	}
	w.steps[0]++
	share := w.a.Share(int(w.steps[0]))
	for i, p := range w.params {
		if add, err := apoops.Choose(p.Value.Dtype(), add[float32], add[float64]); err == nil {
			add(w.mean[i], p.Value, share)
		}
	}
}

func add[T apoops.Float](mean, value *tensor.Dense, share float64) {
	m, x, c := apoops.Elements[T](mean), apoops.Elements[T](value), T(share)
	par.For(len(m), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			m[i] += c * (x[i] - m[i])
		}
	})
}

// Restart forgets earlier weights: others have taken their place.
func (w *Weights) Restart() {
	if w != nil {
		w.steps[0] = 0
		for _, m := range w.mean {
			m.Zero()
		}
	}
}

// Evaluated sets to to the average, or to the weights where no step was added.
func (w *Weights) Evaluated(to []*tensor.Dense) {
	for i, p := range w.params {
		if w.steps[0] == 0 {
			array.Copy(to[i], p.Value)
		} else {
			array.Copy(to[i], w.mean[i])
		}
	}
}

// State lists the arrays for a checkpoint.
func (w *Weights) State() []checkpoint.NamedTensor {
	if w == nil {
		return nil
	}
	all := make([]checkpoint.NamedTensor, len(w.params), len(w.params)+1)
	for i, p := range w.params {
		all[i] = checkpoint.NamedTensor{Name: p.Name, Value: w.mean[i]}
	}
	return append(all, checkpoint.NamedTensor{Name: "steps of the average", Value: array.Vector(w.steps)})
}
