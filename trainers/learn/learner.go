package learn

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Learner moves φ: it takes the meta-steps of Algorithm 1.
type Learner interface {
	// Due reports whether the step of that number, from 0, has a meta-step.
	Due(step int) bool
	// Learn takes the meta-steps of one step.
	Learn(in *Input) (*record.MetaStats, error)

	// KeepsInputs reports whether a later meta-step uses the inputs of that step's
	// mini-batch as B'. Memory is the largest number of mini-batches that are kept.
	KeepsInputs(step int) bool
	Memory() int

	// Growth is how far the next Learn may move an element of φ, +Inf where that is
	// not known. Invalidate is that of rule.Rule.
	Growth() float64
	Invalidate()

	// MetaGradient is ∂Q/∂φ of the last meta-step, an array for each of Update.Phi;
	// nil before the first and for a learner that does not descend it.
	MetaGradient() []*tensor.Dense

	// State lists the learner's arrays for a checkpoint, without φ.
	State() []checkpoint.NamedTensor
	// Describe gives the learner's name and settings for a checkpoint; the settings
	// become JSON.
	Describe() (name string, settings any)

	// Prepare chooses the graphs for batches of these shapes, and builds them where they
	// are not kept (rule.Task.Graphs).
	Prepare(batch graph.Batch, tilde []*tensor.Dense) error
}

// NewLearner makes a learner for a training.
type NewLearner func(c *Context) (Learner, error)

// Input is what a learner gets at a step: what the update rule has done of it before
// the weights move.
type Input struct {
	Step  int // from 0
	Batch graph.Batch
	Loss  float64         // J_B(θ)
	G     []*tensor.Dense // that of rule.Input
	// Unclipped is ∇J_B(θ) where G is what clipping has made of it, for Calibrated; nil else.
	Unclipped []*tensor.Dense
	Inputs    []*tensor.Dense // of the lookahead
	Scale     float64         // the schedule's factor
	// Tilde gives the inputs of B' for the i-th meta-step of this step, nil where
	// there is no function-space term.
	Tilde func(i int) ([]*tensor.Dense, error)
}

// gradient is ∇J_B(θ) as it was before it was clipped.
func (in *Input) gradient() []*tensor.Dense {
	if in.Unclipped != nil {
		return in.Unclipped
	}
	return in.G
}

// Settings are what a user may set of how φ is learned.
type Settings struct {
	K int // steps between meta-steps; 0 for none
	// FSD and WSD are λ_FSD and λ_WSD. NoFSD and NoWSD leave a term out.
	FSD, WSD     Weight
	NoFSD, NoWSD bool
	// NextBatch has Q's loss be that on the next mini-batch, not on B, from which the step was
	// made, where φ are learning rates alone and a gradient is descended: see Waiting.
	NextBatch bool
	// WatchLoss has Calibrated lower its rate where the loss rises.
	WatchLoss bool
	Meta      rule.Optimizer // the meta-optimizer
	ClipMeta  float64        // largest norm of the meta-gradient, 0 for any
	// MinRate and MaxRate bound learning rates before the schedule's factor.
	MinRate, MaxRate float64
	Linear           bool // φ is η instead of log η
	// Hyperparameters are those of the rule besides its rates that are learned.
	Hyperparameters []Hyperparameter
	// Group numbers the group of each parameter that shares a learning rate.
	Group func(params []*graph.Param) ([]int, error)
	// Blocks makes the blocks of a preconditioner, nil for the task's.
	Blocks func(params []*graph.Param) ([]graph.Block, error)
	// Calibration is the source of Calibrated's mini-batches, nil for the first of
	// the training.
	Calibration CalibrationSource
}

// CalibrationSource gives the i-th mini-batch to calibrate a learning rate on, which need
// only be valid until the next call.
type CalibrationSource = func(i int) (graph.Batch, error)

// Lambdas are the weights of the discrepancies at a step.
func (s *Settings) Lambdas(step int) (fsd, wsd float64, err error) {
	fsd, wsd = s.FSD(step), s.WSD(step)
	if err := CheckLambda("FSD", fsd); err != nil {
		return 0, 0, err
	}
	return fsd, wsd, CheckLambda("WSD", wsd)
}

// CheckLambda reports a weight that is negative or not finite.
func CheckLambda(name string, lambda float64) error {
	if !(lambda >= 0) || math.IsInf(lambda, 0) {
		return errors.Errorf("trainers: λ_%s is %v: it must be 0 or more and finite", name, lambda)
	}
	return nil
}

// Context is what a learner works on.
type Context struct {
	Settings  *Settings
	Optimizer rule.Optimizer
	Task      *rule.Task
	Update    Update
	// Gradient is J and ∇J on any batch at the weights as they are; nil where the
	// gradients come from outside. The arrays are those of the step's gradient.
	Gradient func(graph.Batch) (float64, []*tensor.Dense, error)
	// Clip clips a gradient in its place as steps do; nil where they do not.
	Clip func(g []*tensor.Dense) error
}

// Proximal is the graph of Q for batches of these shapes: one of kept or a new one that
// is kept from then on. c names the lookahead and what differs from the usual.
func (x *Context) Proximal(kept *graph.Shapes[*graph.Proximal], batch graph.Batch, tilde []*tensor.Dense, c graph.ProximalConfig) (*graph.Proximal, error) {
	if p, ok := kept.Find(batch, tilde); ok {
		return p, x.Task.Precision.Apply(p)
	}
	c.Source, c.Params, c.Random = x.Task.Source, x.Task.Model, x.Task.Random
	c.Batch, c.Tilde = batch, tilde
	c.NoFSD, c.NoWSD = c.NoFSD || x.Settings.NoFSD, c.NoWSD || x.Settings.NoWSD
	p, err := graph.NewProximal(c)
	if err != nil {
		return nil, errors.WithMessagef(err, "%v, B' %v", batch, graph.Batch{X: tilde})
	}
	if err := x.Task.Precision.Apply(p); err != nil {
		return nil, err
	}
	kept.Limit = x.Task.Graphs
	return p, kept.Add(batch, tilde, p)
}
