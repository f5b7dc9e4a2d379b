package graph

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// replaceBatchNorm normalises without scale and bias, which are nodes of their own,
// behind Gorgonia's op. See matchNorm for them together.
func replaceBatchNorm(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	x, err := p.computed(n, operands)
	if err != nil {
		return nil, err
	}
	scale, shift := identityScale(x)
	return p.normalize(n, x, scale, shift, apoops.Identity)
}

// normalize stands for the user's batch norm n, with what follows it: by the
// statistics of the batch, which the running ones of a Standalone follow. In
// evaluation, and where the user's op is not in training, it is by the running ones.
func (p *Pass) normalize(n, x, scale, shift *gorgonia.Node, act apoops.Activation) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	epsilon, training := f.number("epsilon"), f.truth("training")
	if f.err != nil {
		return nil, f.err
	}
	at := slices.IndexFunc(p.norms, func(s statistics) bool { return gorgonia.Op(s.op) == n.Op() })
	switch {
	case !p.Training() && at < 0:
		return nil, errors.Errorf("graph: %s has no running statistics to be evaluated with", describe(n))
	case !p.Training() || !training && at >= 0:
		return apoops.BatchNormWith(x, scale, shift, p.norms[at].mean, p.norms[at].variance, epsilon, act)
	case !training:
		return p.normalizeByRunning(n, x, scale, shift, epsilon, act)
	}
	y, mean, variance, err := apoops.BatchNorm(x, scale, shift, epsilon, act)
	if err == nil && at >= 0 {
		s := p.norms[at]
		p.Track(s.mean, mean, s.rate)
		p.Track(s.variance, variance, s.rate)
	}
	return y, err
}

// normalizeByRunning reads the running statistics in the memory of the user's op.
func (p *Pass) normalizeByRunning(n, x, scale, shift *gorgonia.Node, epsilon float64, act apoops.Activation) (*gorgonia.Node, error) {
	p.note("%s: Gorgonia's BatchNorm is not in training when the problem is wrapped. The rebuilt passes normalise by its running statistics; your own machine does so too as long as it stays out of training, but the gradient by the inputs of BatchNorm may be wrong there. (A new tape machine resets the statistics and turns training on.)", describeUse(n))
	running, err := runningStatistics(n, x.Graph())
	if err != nil {
		return nil, err
	}
	return apoops.BatchNormWith(x, scale, shift, running[0], running[1], epsilon, act)
}

// identityScale is scale 1 and shift 0 for the channels of x.
func identityScale(x *gorgonia.Node) (scale, shift *gorgonia.Node) {
	channels := x.Shape()[1]
	scale = gorgonia.NewConstant(tensor.Ones(x.Dtype(), channels))
	shift = gorgonia.NewConstant(tensor.New(tensor.Of(x.Dtype()), tensor.WithShape(channels)))
	return scale, shift
}

// runningStatistics are mean and variance of the user's batch norm, as nodes over
// their memory.
func runningStatistics(n *gorgonia.Node, g *gorgonia.ExprGraph) (running gorgonia.Nodes, err error) {
	op, ok := n.Op().(interface {
		Stats() (mean, variance tensor.Tensor)
	})
	if !ok {
		return nil, errors.Errorf("%T has no running statistics", n.Op())
	}
	mean, variance := op.Stats()
	for i, t := range []tensor.Tensor{mean, variance} {
		d, ok := t.(*tensor.Dense)
		if !ok {
			return nil, errors.Errorf("running statistics of type %T", t)
		}
		// One for all passes of a graph: Gorgonia returns the node that is there.
		m := gorgonia.NewTensor(g, d.Dtype(), d.Dims(), gorgonia.WithShape(d.Shape().Clone()...), gorgonia.WithName(fmt.Sprintf("running/%d/%d", n.ID(), i)))
		if m.Value() == nil {
			if err := gorgonia.Let(m, Alias(d)); err != nil {
				return nil, errors.Wrap(err, "running statistics")
			}
		}
		running = append(running, m)
	}
	return running, nil
}

// replaceGroupNorm takes each group of an image's channels for one channel: they lie
// one after the other. Scale and bias are nodes of their own, behind Gorgonia's op,
// which logs in every backward pass.
func replaceGroupNorm(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	groups, epsilon := f.integer("numGroups"), f.number("epsilon")
	if f.err != nil {
		return nil, f.err
	}
	s := n.Shape()
	if s.Dims() < 2 || groups < 1 || s[1]%groups != 0 {
		return nil, errors.Errorf("%d groups of the channels of shape %v", groups, s)
	}
	rows := s[0] * groups
	// Gorgonia adds up 8 times 16 elements at a time and loses some from three times on.
	if s.TotalSize()/rows/8 > 2*16 {
		p.note("%s: Gorgonia's GroupNorm is wrong in your own machine for groups of more than 263 elements, as here. The rebuilt passes compute the right one.", describeUse(n))
	}
	x, err := apoops.Reshape(operands[0], 1, rows, s.TotalSize()/rows, 1)
	if err != nil {
		return nil, err
	}
	scale, shift := identityScale(x)
	y, _, _, err := apoops.BatchNorm(x, scale, shift, epsilon, apoops.Identity)
	if err != nil {
		return nil, err
	}
	return apoops.Reshape(y, s...)
}
