package graph

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Standalone is a Problem that is trained without the user's machine: its loss and
// gradient are rebuilt like the other passes, and the running statistics of
// Gorgonia's BatchNorm are parameters marked as statistics, in the memory of the
// user's ops. Their rate is the momentum m of BatchNorm,
//
//	running ← (1-m)·running + m·batch
//
// with the mean and the variance that divides by one less than the number of values,
// as in Gorgonia.
type Standalone struct {
	*Problem
	norms []statistics
	masks []*apoops.Random
}

// statistics are the running ones of a batch norm of the user's.
type statistics struct {
	op             *gorgonia.BatchNormOp
	mean, variance *gorgonia.Node // in the graph of a pass
	rate           float64
}

var (
	_ Source    = (*Standalone)(nil)
	_ Evaluable = (*Standalone)(nil)
)

// NewStandalone checks the problem and finds its batch norms and its dropout.
func NewStandalone(q *Problem) (*Standalone, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	s := &Standalone{Problem: q}
	seen := make(map[*gorgonia.Node]bool)
	var unknown error
	var find func(n *gorgonia.Node)
	find = func(n *gorgonia.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, c := range children(n) {
			find(c)
		}
		if m := apoops.RandomOf(n.Op()); m != nil && !slices.Contains(s.masks, m) {
			s.masks = append(s.masks, m)
		}
		if op, ok := n.Op().(*gorgonia.BatchNormOp); ok && s.of(op) == nil {
			f := fieldsOf(op)
			s.norms = append(s.norms, statistics{op: op, rate: f.number("momentum")})
			if unknown == nil {
				unknown = errors.Wrapf(f.err, "graph: %s", describe(n))
			}
		}
	}
	find(q.Cost)
	find(q.Output)
	return s, unknown
}

// SetStep sets the step of the user's own apoops.Dropout, so that it draws new masks,
// as the user's loop does.
func (s *Standalone) SetStep(step int64) {
	for _, m := range s.masks {
		m.SetStep(step)
	}
}

// of are the statistics of an op.
func (s *Standalone) of(op *gorgonia.BatchNormOp) *statistics {
	for i := range s.norms {
		if s.norms[i].op == op {
			return &s.norms[i]
		}
	}
	return nil
}

// AllParams are the LearnableParams and, behind them, mean and variance of each batch
// norm. The variance of an op that no machine has been made for yet becomes 1, as a
// machine would have it.
func (s *Standalone) AllParams() ([]*Param, error) {
	params, err := s.LearnableParams()
	if err != nil {
		return nil, err
	}
	for i, n := range s.norms {
		mean, variance := n.op.Stats()
		m, okM := mean.(*tensor.Dense)
		v, okV := variance.(*tensor.Dense)
		if !okM || !okV {
			return nil, errors.Errorf("graph: the statistics of batch norm %d are %T and %T", i, mean, variance)
		}
		if untouched(v) {
			if err := n.op.Reset(); err != nil {
				return nil, errors.Wrapf(err, "graph: statistics of batch norm %d", i)
			}
		}
		params = append(params,
			&Param{Name: fmt.Sprintf("batchnorm%d/mean", i), Value: m, Statistic: true},
			&Param{Name: fmt.Sprintf("batchnorm%d/variance", i), Value: v, Statistic: true})
	}
	return params, CheckParams(params)
}

// untouched reports whether all elements are 0.
func untouched(t *tensor.Dense) bool {
	zero, err := apoops.Choose(t.Dtype(), allZero[float32], allZero[float64])
	return err == nil && zero(t)
}

func allZero[T apoops.Float](t *tensor.Dense) bool {
	return !slices.ContainsFunc(apoops.Elements[T](t), func(v T) bool { return v != 0 })
}

// split hands the pass the nodes of the statistics and returns the others.
func (s *Standalone) split(p *Pass, theta gorgonia.Nodes) (learned gorgonia.Nodes) {
	learned, rest := theta[:len(s.Params)], theta[len(s.Params):]
	for i, n := range s.norms {
		n.mean, n.variance = rest[2*i], rest[2*i+1]
		p.norms = append(p.norms, n)
	}
	return learned
}

// BuildOutput implements Source.
func (s *Standalone) BuildOutput(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return s.Problem.BuildOutput(p, x, s.split(p, theta))
}

// BuildLoss implements Source.
func (s *Standalone) BuildLoss(p *Pass, x, t, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return s.Problem.BuildLoss(p, x, t, s.split(p, theta))
}

// BuildProbe implements Source.
func (s *Standalone) BuildProbe(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (objective, q *gorgonia.Node, err error) {
	return s.Problem.BuildProbe(p, x, s.split(p, theta), noise)
}

// BuildSampledLoss implements Source.
func (s *Standalone) BuildSampledLoss(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error) {
	return s.Problem.BuildSampledLoss(p, x, s.split(p, theta), noise)
}

// BuildEvaluation implements Evaluable.
func (s *Standalone) BuildEvaluation(p *Pass, x, t, theta gorgonia.Nodes) (output, loss *gorgonia.Node, err error) {
	theta = s.split(p, theta)
	if output, err = s.Problem.BuildOutput(p, x, theta); err != nil {
		return nil, nil, err
	}
	given := map[*gorgonia.Node]*gorgonia.Node{s.Output: output}
	loss, err = s.rebuild(s.Cost, x, t, theta, given, p)
	return output, loss, err
}
