package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
)

// Model is an architecture: it makes initial parameters and builds its output
// from given inputs and parameters. It may be built many times, into several
// graphs; it must not keep nodes.
type Model interface {
	// Init returns parameters θ drawn from a seed, always in the same order.
	Init(seed uint64, dt tensor.Dtype) ([]*Param, error)
	// Output builds y = f(x, θ): logits, where the loss wants logits.
	Output(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error)
}

// Source builds the two functions of weights that Eq. 8 is made of.
type Source interface {
	// BuildOutput is f(x, θ).
	BuildOutput(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error)
	// BuildLoss is J_B(θ) on the batch (x, t).
	BuildLoss(p *Pass, x, t, theta gorgonia.Nodes) (*gorgonia.Node, error)
	// BuildDiscrepancy is the divergence of two outputs on the inputs x.
	BuildDiscrepancy(old, moved *gorgonia.Node, x gorgonia.Nodes) (*gorgonia.Node, error)
	// BuildSampledLoss is the mean loss at θ on inputs x and on targets drawn
	// from the model's own distribution, f(x, θ): what the Fisher matrix is made
	// of. No gradient goes through the targets.
	BuildSampledLoss(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error)
	// BuildProbe is a random scalar at θ on inputs x of b' examples whose gradient h
	// has E hhᵀ/b' equal to the Gauss-Newton matrix of the mean discrepancy: see
	// Probe. q are the directions of the outputs that it comes from, nil where targets
	// are drawn in their place.
	BuildProbe(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (objective, q *gorgonia.Node, err error)
}

// Objective is the Source of a model with a loss.
type Objective struct {
	Model Model
	Loss  Loss
	// Divergence replaces the loss's own where its Build is set.
	Divergence Divergence
	// Storage is how the graphs keep their arrays.
	Storage Storage
	// Members divide the examples of each batch among them: what the graphs hand out
	// (losses, gradients, the terms of Q, moments, rows) is that of the whole batch, the
	// same on all, while each member computes its part of it, Len()/Size() examples one
	// after the other. All members build and run the same graphs in the same order, on the
	// same batches and weights. Batch norm takes the statistics of a member's part, unless
	// JointNorm is set; what the running ones follow is the mean over all. Evaluations are
	// not divided. nil: one.
	Members collective.Communicator
	// Parts is the number of equally large parts in which each member computes its share of a
	// batch, one after another in the memory of one: the sums over them are those over
	// members. Batch norm takes the statistics of a part; JointNorm is not for it. 0 and
	// 1: at once.
	Parts int
	// JointNorm has batch norm take the statistics of the whole batch, by sums over the
	// members in each of its layers, forwards and backwards: see Pass.JointNorm.
	JointNorm bool
}

var (
	_ Source    = Objective{}
	_ Evaluable = Objective{}
)

// BuildOutput implements Source.
func (o Objective) BuildOutput(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	y, err := o.Model.Output(p, x, theta)
	return built(y, err, "model")
}

// BuildLoss implements Source.
func (o Objective) BuildLoss(p *Pass, x, t, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	y, err := o.BuildOutput(p, x, theta)
	if err != nil {
		return nil, err
	}
	j, err := o.Loss.Build(y, t)
	return built(j, err, "loss "+o.Loss.Name)
}

// BuildEvaluation implements Evaluable.
func (o Objective) BuildEvaluation(p *Pass, x, t, theta gorgonia.Nodes) (output, loss *gorgonia.Node, err error) {
	if output, err = o.BuildOutput(p, x, theta); err != nil {
		return nil, nil, err
	}
	loss, err = o.Loss.Build(output, t)
	loss, err = built(loss, err, "loss "+o.Loss.Name)
	return output, loss, err
}

// BuildDiscrepancy implements Source.
func (o Objective) BuildDiscrepancy(old, moved *gorgonia.Node, x gorgonia.Nodes) (*gorgonia.Node, error) {
	d := o.divergence()
	if d.Build == nil {
		return nil, errors.Errorf("graph: loss %s has no divergence: name one", o.Loss.Name)
	}
	n, err := d.Build(old, moved, x)
	return built(n, err, "divergence "+d.Name)
}

// divergence is the one in use.
func (o Objective) divergence() Divergence {
	if o.Divergence.Build != nil {
		return o.Divergence
	}
	return o.Loss.Divergence
}

// BuildProbe implements Source.
func (o Objective) BuildProbe(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (objective, q *gorgonia.Node, err error) {
	return probeOf(o, o.divergence(), o.Loss.Sample, p, x, theta, noise)
}

// BuildSampledLoss implements Source.
func (o Objective) BuildSampledLoss(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error) {
	if o.Loss.Sample == nil {
		return nil, errors.WithMessagef(ErrNoSample, "graph: loss %s", o.Loss.Name)
	}
	y, err := o.BuildOutput(p, x, theta)
	if err != nil {
		return nil, err
	}
	t, err := sampled(o.Loss.Sample, y, x, noise, "sampling targets of loss "+o.Loss.Name)
	if err != nil {
		return nil, err
	}
	likelihood := o.Loss.Build
	if o.Loss.Likelihood != nil {
		likelihood = o.Loss.Likelihood
	}
	j, err := likelihood(y, t)
	return built(j, err, "loss "+o.Loss.Name)
}

// wholeBatches is a Source whose batches have one size, along whatever axis of which
// input: a user's graph.
type wholeBatches interface {
	// examples is b', that of the rows of the output.
	examples() int
}

// examplesOf is b' of a batch whose first input has so many rows.
func examplesOf(s Source, rows int) int {
	if w, ok := s.(wholeBatches); ok {
		return w.examples()
	}
	return rows
}
