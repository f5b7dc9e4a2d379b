package trainers

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// RateSearch is what FindRate found, from package learn.
type RateSearch = learn.RateSearch

// FindRate measures which learning rate suits the optimizer at the weights as they are: the
// minimum of Q's parabola along the rule's first step, as Calibrated finds it before step 0
// (see CalibratedConfig, whose Batches, Rounds, Lambda0 and LambdaWSD count), within RateBounds.
// It is the rate to try first where one trains at a fixed rate. It needs no training: one
// gradient for each mini-batch, and a forward pass for each rate that is tried. The search
// begins at the optimizer's rate, which hardly matters.
//
// source is called with 0, 1, … up to Batches - 1, with Lambda0 also with Batches, for B';
// what it returns need only be valid until its next call. BatchAt of NewBatches is one.
//
// With Groups it is a factor on their rates, whose ratios stay: see RateSearch.Rates.
//
// Weights, state, φ and the random numbers of the training stay as they are. Optimizers
// without a learning rate or a rule.LineSearch are refused, as by Calibrated. With Parallel all
// members call it with the same mini-batches.
func (t *Trainer) FindRate(source func(i int) (graph.Batch, error), c CalibratedConfig) (*RateSearch, error) {
	if t.engine == nil {
		return nil, errNotMade
	}
	found, err := t.findRate(source, c.Filled())
	return found, t.engine.c.ofMember(errors.WithMessage(err, "trainers: FindRate"))
}

func (t *Trainer) findRate(source func(i int) (graph.Batch, error), c CalibratedConfig) (*RateSearch, error) {
	if source == nil {
		return nil, errors.New("no function that gives mini-batches")
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	e := t.engine
	if err := e.notEvaluating(); err != nil {
		return nil, err
	}
	e.Task.Random.SetStep(int64(e.steps))
	batches := func(i int) (graph.Batch, error) {
		b, err := source(i)
		if err == nil && t.fixed != nil {
			t.fixed.SetStep(int64(e.steps))
			b, err = t.fixed.complete(b)
		}
		if err == nil {
			err = e.agree(b)
		}
		return b, err
	}
	var tilde []*tensor.Dense
	if c.Lambda0 > 0 {
		b, err := batches(c.Batches)
		if err == nil {
			err = checkTilde(b.X, len(b.X))
		}
		if err != nil {
			return nil, errors.WithMessage(err, "function-space batch B'")
		}
		tilde = array.CloneAll(b.X)
	}
	x, err := e.apart(c)
	if err != nil {
		return nil, err
	}
	return learn.FindRate(x, c, batches, tilde)
}

// apart is the context of a search for one rate of all parameters, or of those of each group of the
// optimizer, with an update of its own.
func (e *engine) apart(c CalibratedConfig) (*learn.Context, error) {
	if _, ok := learn.UpdaterOf(e.Optimizer); ok {
		return nil, errors.Errorf("%s has no learning rate", e.Optimizer.Name())
	}
	s := *e.Settings
	s.Linear = false
	s.Group = func(params []*graph.Param) ([]int, error) {
		own, err := rule.GroupsOf(e.Optimizer, params)
		if err != nil {
			return nil, err
		}
		return own.Of, nil
	}
	s.NoFSD, s.NoWSD = c.Lambda0 == 0, true
	x := e.Context
	x.Settings = &s
	task := *e.Task
	task.Precision = e.Task.Precision.Apart()
	var err error
	x.Update, err = learn.NewUpdate(e.Optimizer, &task, &s)
	return &x, err
}
