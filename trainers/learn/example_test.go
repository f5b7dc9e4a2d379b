package learn_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Algorithm 1 without a Trainer: gradient descent on a line through points of y = 2x, with a
// learning rate that starts ten times too small.
func ExampleNewGradient() {
	fmt.Println(descend(false))
	// Output: slope 2.0, learning rate above 0.1: true
}

// The same with Q's loss on the next mini-batch: a meta-step ends with the next gradient.
func ExampleWaitingOf() {
	fmt.Println(descend(true))
	// Output: slope 2.0, learning rate above 0.1: true
}

func descend(nextBatch bool) string {
	model := layers.Sequential(layers.Dense(1, 1, apoops.Identity))
	params, err := model.Init(1, tensor.Float64)
	check(err)
	x := tensor.New(tensor.WithShape(3, 1), tensor.WithBacking([]float64{-1, 0, 1}))
	y := tensor.New(tensor.WithShape(3, 1), tensor.WithBacking([]float64{-2, 0, 2}))
	batch := graph.NewBatch(x, y)

	task := &rule.Task{Params: params, Model: params, Source: graph.Objective{Model: model, Loss: graph.SquaredError}}
	constant := func(v float64) func(int) float64 { return func(int) float64 { return v } }
	c := &learn.Context{Task: task, Optimizer: rule.SGD(0.01), Settings: &learn.Settings{
		K: 1, FSD: constant(0.1), WSD: constant(0), NoWSD: true, Meta: rule.MetaAdam(0.1), MinRate: 1e-8, MaxRate: 1e3, NextBatch: nextBatch,
		Group: func(params []*graph.Param) ([]int, error) { return make([]int, len(params)), nil },
	}}
	c.Update, err = learn.NewUpdate(c.Optimizer, task, c.Settings)
	check(err)
	learner, err := learn.NewGradient(c)
	check(err)
	base, err := graph.NewBase(task.Source, params, batch, nil)
	check(err)

	for step := range 60 {
		check(base.Feed(batch))
		check(base.Run())
		g, err := base.Grads()
		check(err)
		if w := learn.WaitingOf(learner); w != nil {
			_, err = w.Finish(base.LossValue(), g)
			check(err)
		}
		directions, err := c.Update.Advance(rule.Input{T: step + 1, G: g}, 1, true)
		check(err)
		_, err = learner.Learn(&learn.Input{
			Step: step, Batch: batch, Loss: base.LossValue(), G: g, Inputs: directions, Scale: 1,
			Tilde: func(int) ([]*tensor.Dense, error) { return batch.X, nil },
		})
		check(err)
		check(c.Update.Move())
	}
	return fmt.Sprintf("slope %.1f, learning rate above 0.1: %v", params[0].Value.Float64s()[0], c.Update.Rates(60, 1)[0] > 0.1)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
