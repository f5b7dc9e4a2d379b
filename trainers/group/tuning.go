package group

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// tuning is the rule.Tunable of all groups: a hyperparameter has one value for all groups
// that have it above 0, and is no part of the others.
type tuning struct {
	rule  *groups
	names []string
}

// tuned is what a group has of it.
type tuned struct {
	at     []int // its hyperparameters, by number in tuning.names
	values []float64
	zeros  []*tensor.Dense // tangents by those that it has not
	looked int             // the step whose directions Look has taken, 0 for none
	last   []*tensor.Dense // these directions
}

// Tunable is nil where no group has one.
func (r *groups) Tunable() rule.Tunable {
	if len(r.tuning.Hyperparameters()) == 0 {
		return nil
	}
	return r.tuning
}

// have lists the hyperparameters of a group.
func (p *part) have() []rule.Hyperparameter {
	if t := p.rule.Tunable(); t != nil {
		return t.Hyperparameters()
	}
	return nil
}

// Hyperparameters has each once, from a group that has it above 0 if there is one.
func (t *tuning) Hyperparameters() (all []rule.Hyperparameter) {
	for _, p := range t.rule.parts {
		for _, h := range p.have() {
			i := slices.IndexFunc(all, func(other rule.Hyperparameter) bool { return other.Name == h.Name })
			if i < 0 {
				all = append(all, h)
			} else if all[i].Value == 0 {
				all[i] = h
			}
		}
	}
	return all
}

// Tune reports groups that start from different values.
func (t *tuning) Tune(names []string) error {
	all := t.Hyperparameters()
	if err := rule.CheckTuned(names, all); err != nil {
		return err
	}
	t.names = names
	for _, p := range t.rule.parts {
		var own []string
		for j, name := range names {
			first, err := rule.TunedValue(name, all)
			if err != nil {
				return err
			}
			for _, h := range p.have() {
				switch {
				case h.Name != name || h.Value == 0:
				case h.Value != first:
					return errors.Errorf("%s starts at %v and %v in different groups: one value is learned for all", name, first, h.Value)
				default:
					own, p.at = append(own, name), append(p.at, j)
				}
			}
		}
		if own == nil {
			continue
		}
		p.values = make([]float64, len(own))
		if err := p.rule.Tunable().Tune(own); err != nil {
			return err
		}
	}
	return nil
}

// all reports whether a group has all that are learned.
func (t *tuning) all(p *part) bool { return len(p.at) == len(t.names) }

func (t *tuning) Set(values []float64) {
	for _, p := range t.rule.parts {
		if p.at == nil {
			continue
		}
		for j, i := range p.at {
			p.values[j] = values[i]
		}
		p.rule.Tunable().Set(p.values)
	}
}

// Look takes the directions of groups that have nothing to learn once: they do not depend
// on it.
func (t *tuning) Look(in rule.Input) (d []*tensor.Dense, tangents [][]*tensor.Dense, err error) {
	n := len(t.rule.params)
	d, tangents = make([]*tensor.Dense, n), make([][]*tensor.Dense, len(t.names))
	for j := range tangents {
		tangents[j] = make([]*tensor.Dense, n)
	}
	for _, p := range t.rule.parts {
		own, by, err := p.look(p.input(in, t.rule.alone()), len(t.names))
		if err != nil {
			return nil, nil, err
		}
		for k, i := range p.index {
			d[i] = own[k]
			for j := range tangents {
				if tangents[j][i] = p.zero(k); by[j] != nil {
					tangents[j][i] = by[j][k]
				}
			}
		}
	}
	return d, tangents, nil
}

// look is Tunable.Look of a group, with the tangents by number in tuning.names; nil for
// those that it has not.
func (p *part) look(in rule.Input, names int) (d []*tensor.Dense, by [][]*tensor.Dense, err error) {
	by = make([][]*tensor.Dense, names)
	if p.at == nil {
		if d, err = rule.Directions(p.optimizer, p.rule, p.params, in); err == nil {
			p.looked, p.last = in.T, d
		}
		return d, by, err
	}
	d, own, err := p.rule.Tunable().Look(in)
	for j, t := range own {
		by[p.at[j]] = t
	}
	return d, by, err
}

// directions are those of a step, unless look has taken them.
func (p *part) directions(in rule.Input) ([]*tensor.Dense, error) {
	if p.looked == in.T {
		p.looked = 0
		return p.last, nil
	}
	return rule.Directions(p.optimizer, p.rule, p.params, in)
}

// zero is the tangent of parameter k of the group by what it has not.
func (p *part) zero(k int) *tensor.Dense {
	if p.zeros == nil {
		p.zeros = array.ZerosLike(p.params)
	}
	return p.zeros[k]
}
