package group

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// joined is the update of several members, each of its own parameters.
type joined struct{ members []*member }

// Advance looks ahead for the members whose meta-step is due.
func (u *joined) Advance(in rule.Input, scale float64, lookahead bool) (_ []*tensor.Dense, err error) {
	for _, m := range u.members {
		due := lookahead && m.learner.Due(in.T-1)
		if m.inputs, err = m.update.Advance(m.input(in, false), m.scale(in.T-1, scale), due); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (u *joined) Move() error {
	for _, m := range u.members {
		if err := m.update.Move(); err != nil {
			return err
		}
	}
	return nil
}

// Lookahead is none: each member has its own.
func (u *joined) Lookahead() graph.Lookahead { return nil }

func (u *joined) Phi() (all []checkpoint.NamedTensor) {
	for _, m := range u.members {
		all = append(all, m.update.Phi()...)
	}
	return all
}

// Bound has nothing to do: the members' learners do it.
func (u *joined) Bound() {}

// Rates are those of the groups that have one.
func (u *joined) Rates(step int, scale float64) (all []float64) {
	for _, m := range u.members {
		all = append(all, m.update.Rates(step, scale)...)
	}
	return all
}

func (u *joined) Hyperparameters() map[string]float64 { return nil }

func (u *joined) Norms() (all []record.PrecondNorms) {
	for _, m := range u.members {
		all = append(all, m.update.Norms()...)
	}
	return all
}

func (u *joined) State() (all []checkpoint.NamedTensor) {
	for _, m := range u.members {
		all = append(all, prefixed(m.name, m.update.State())...)
	}
	return all
}

// prefixed puts a name before those of arrays.
func prefixed(name string, arrays []checkpoint.NamedTensor) []checkpoint.NamedTensor {
	all := make([]checkpoint.NamedTensor, len(arrays))
	for i, t := range arrays {
		t.Name = name + "/" + t.Name
		all[i] = t
	}
	return all
}

// StaysFinite asks each member with the growth of its own φ.
func (u *joined) StaysFinite(in rule.Input, scale float64, moves bool, _ float64) bool {
	for _, m := range u.members {
		moves, growth := moves && (m.learner.Due(in.T-1) || learn.WaitingOf(m.learner) != nil), 0.0
		if moves {
			growth = m.learner.Growth()
		}
		if !m.update.StaysFinite(m.input(in, true), m.scale(in.T-1, scale), moves, growth) {
			return false
		}
	}
	return true
}

func (u *joined) Invalidate() {
	for _, m := range u.members {
		m.update.Invalidate()
	}
}

func (u *joined) Replaced() {
	for _, m := range u.members {
		m.update.Replaced()
	}
}

func (u *joined) Fallbacks() (n int) {
	for _, m := range u.members {
		n += m.update.Fallbacks()
	}
	return n
}

func (u *joined) Notes() (all []string) {
	for _, m := range u.members {
		all = append(all, m.update.Notes()...)
	}
	return all
}

func (u *joined) Graphs() rule.Graphs {
	var all graphs
	for _, m := range u.members {
		if g := m.update.Graphs(); g != nil {
			all = append(all, g)
		}
	}
	if all == nil {
		return nil
	}
	return all
}

// Rows are none: the members need the gradient.
func (u *joined) Rows() graph.RowReader { return nil }

func (u *joined) Iterates() rule.Iterates { return nil }
