package precond

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// The search for a rate begins at firstRate, goes up to mostRate, far above the 1 of a
// Newton step, and changes it by factors from firstFactor to lastFactor, in no more than
// mostRounds rounds.
const (
	firstRate, mostRate     = 0.1, 1e6
	firstFactor, lastFactor = 8., 1.05
	mostRounds              = 60
)

// findRate sets the rate to the r at which J_B is least along θ - r·P·G, before the first
// step. It compares losses of one graph alone: clipping of G, sums over processes and
// rounding matter less than in a slope.
func (l *learner) findRate(in rule.Input) error {
	var kept graph.Shapes[*graph.Proximal]
	p, err := l.x.Proximal(&kept, in.Batch, nil, graph.ProximalConfig{Lookahead: graph.Free{}, NoFSD: true, NoWSD: true, ValuesOnly: true})
	if err == nil {
		err = p.Feed(in.Batch, nil)
	}
	if err == nil {
		err = p.FeedWeights(0, 0)
	}
	if err != nil {
		return errors.WithMessagef(err, "trainers: %s: lr 0: the search for a rate", l.u.c.Name())
	}
	along := l.u.along(in)
	r, err := searchRate(func(r float64) (float64, error) {
		if err := p.FeedStep(along(r), nil, 0); err != nil {
			return 0, err
		}
		err := p.Run()
		return p.Terms().Loss, err
	})
	if err != nil {
		return errors.WithMessagef(err, "trainers: %s: lr 0: the search for a rate", l.u.c.Name())
	}
	l.u.found[0] = r
	return nil
}

// searchRate is the minimiser, up to a tenth, of a loss that falls from 0 on and rises
// beyond it; firstRate where it does not fall. It goes down where the loss is above that at
// 0, else up or down by a factor as long as the loss falls, and then by its square root.
func searchRate(loss func(r float64) (float64, error)) (float64, error) {
	zero, err := loss(0)
	if err != nil {
		return 0, err
	}
	r := firstRate
	at, err := loss(r)
	if err != nil {
		return 0, err
	}
	for factor, n := firstFactor, 0; factor > lastFactor && n < mostRounds; n++ {
		if !(at <= zero) { // beyond the valley
			r /= factor
			if at, err = loss(r); err != nil {
				return 0, err
			}
			continue
		}
		up, err := loss(min(r*factor, mostRate))
		if err != nil {
			return 0, err
		}
		if up <= at && r < mostRate { // equal where r is too small to see the loss fall
			r, at = min(r*factor, mostRate), up
			continue
		}
		down, err := loss(r / factor)
		if err != nil {
			return 0, err
		}
		if down < at {
			r, at = r/factor, down
			continue
		}
		factor = math.Sqrt(factor)
	}
	if !(at < zero) {
		return firstRate, nil
	}
	return r, nil
}

// lineOf is θ - r·P·G as a function of r. A call writes to the arrays of the one before.
func (u *update[T]) lineOf(in rule.Input) func(r float64) []*tensor.Dense {
	directions, moved := make([]*tensor.Dense, len(u.blocks)), array.ZerosLike(u.params)
	for i, b := range u.blocks {
		d := b.zeros()
		if u.steps[i].begin(b, i, in) {
			u.steps[i].Average(apoops.Elements[T](d), 0, 1)
		} else {
			gather[T](b, in.G)
			b.p.Multiply(d, b.g)
		}
		directions[i] = d
	}
	return func(r float64) []*tensor.Dense {
		for i, b := range u.blocks {
			d := apoops.Elements[T](directions[i])
			for _, j := range b.Params {
				array.Copy(moved[j], u.params[j].Value)
				w := apoops.Elements[T](moved[j])
				u.vec.Descend(w, d[:len(w)], T(r))
				d = d[len(w):]
			}
		}
		return moved
	}
}
