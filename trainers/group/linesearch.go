package group

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/rule"
)

// lineSearch is the line along which all groups move, each along the direction of its rule.
type lineSearch struct {
	rule *groups
	e    []*tensor.Dense
}

// LineSearch is that of all groups. A group whose rule has none is an error of CheckLineSearch.
func (r *groups) LineSearch() rule.LineSearch { return r.search }

// CheckLineSearch names the group that has no line search.
func (s *lineSearch) CheckLineSearch() error {
	for _, p := range s.rule.parts {
		own := p.rule.LineSearch()
		if own == nil {
			return errors.Errorf("%s: %s has no line search", p.title(), p.optimizer.Name())
		}
		if err := own.CheckLineSearch(); err != nil {
			return errors.WithMessagef(err, "%s: %s", p.title(), p.optimizer.Name())
		}
	}
	return nil
}

func (s *lineSearch) SearchDirection(in rule.Input) ([]*tensor.Dense, error) {
	for _, p := range s.rule.parts {
		e, err := p.rule.LineSearch().SearchDirection(p.input(in, true))
		if err != nil {
			return nil, err
		}
		for j, i := range p.index {
			s.e[i] = e[j]
		}
	}
	return s.e, nil
}

// Correction is that of the rule of the parameter's group.
func (s *lineSearch) Correction(i, t int) float64 {
	for _, p := range s.rule.parts {
		if j := slices.Index(p.index, i); j >= 0 {
			return p.rule.LineSearch().Correction(j, t)
		}
	}
	return 1
}
