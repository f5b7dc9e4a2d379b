package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// statistic is a Param.Statistic that follows a value of each run.
type statistic struct {
	name  string
	value *tensor.Dense
	batch gorgonia.Value // of the last run
	rate  float64
}

// readStatistics has each run keep the values that a pass tracks. They need not
// lead to the loss: the reading makes them roots of the graph.
func readStatistics(all []tracked, params []*Param, theta gorgonia.Nodes) ([]*statistic, error) {
	byNode := make(map[*gorgonia.Node]*Param, len(theta))
	for i, n := range theta {
		byNode[n] = params[i]
	}
	list := make([]*statistic, len(all))
	for i, t := range all {
		p := byNode[t.running]
		switch {
		case p == nil || !p.Statistic:
			return nil, errors.Errorf("graph: Track of %s, which is no parameter marked as a statistic", nodeName(t.running))
		case t.batch == nil:
			return nil, errors.Errorf("graph: statistic %q: Track without a value to follow", p.Name)
		case t.batch.Dtype() != p.Value.Dtype() || t.batch.IsScalar() || !apoops.SameShape(t.batch.Shape(), p.Value.Shape()):
			return nil, errors.Errorf("graph: statistic %q of shape %v cannot follow a value of dtype %v and shape %v", p.Name, p.Value.Shape(), t.batch.Dtype(), t.batch.Shape())
		case !(t.rate >= 0 && t.rate <= 1):
			return nil, errors.Errorf("graph: statistic %q: rate %v is not from 0 to 1", p.Name, t.rate)
		}
		list[i] = &statistic{name: p.Name, value: p.Value, rate: t.rate}
		gorgonia.Read(t.batch, &list[i].batch)
	}
	return list, nil
}

func nodeName(n *gorgonia.Node) string {
	if n == nil {
		return "a nil node"
	}
	return describe(n)
}

// CheckStatistics reports the first statistic whose value in the last run is not
// finite.
func (b *Base) CheckStatistics() error {
	for _, s := range b.statistics {
		v, ok := s.batch.(*tensor.Dense)
		if !ok {
			return errors.Errorf("graph: statistic %q: the last run left no value (%T)", s.name, s.batch)
		}
		if !Finite(v) {
			return ErrNotFinite.Errorf("graph: the value of statistic %q on the batch is not finite", s.name)
		}
	}
	return nil
}

// MoveStatistics moves the model's statistics by the values of the last run, see
// Pass.Track: once for each step taken. All values must be finite: after an error
// no statistic has moved.
func (b *Base) MoveStatistics() error {
	if err := b.CheckStatistics(); err != nil {
		return err
	}
	for _, s := range b.statistics {
		v := s.batch.(*tensor.Dense)
		move, err := apoops.Choose(v.Dtype(), moveStatistic[float32], moveStatistic[float64])
		if err != nil {
			return errors.WithMessagef(err, "graph: statistic %q", s.name)
		}
		move(s.value, v, s.rate)
	}
	return nil
}

func moveStatistic[T apoops.Float](running, batch *tensor.Dense, rate float64) {
	follow(apoops.Elements[T](running), apoops.Elements[T](batch), rate)
}

// follow moves a running average by the values of a batch.
func follow[T apoops.Float](running, batch []T, rate float64) {
	for i, v := range batch {
		running[i] += T(rate) * (v - running[i])
	}
}
