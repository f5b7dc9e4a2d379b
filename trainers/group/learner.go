package group

import (
	"cmp"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// joinedLearner takes the meta-steps of each member, which looks ahead with its own
// parameters: those of the others are θ.
type joinedLearner struct{ members []*member }

func (l *joinedLearner) any(is func(learn.Learner) bool) bool {
	for _, m := range l.members {
		if is(m.learner) {
			return true
		}
	}
	return false
}

func (l *joinedLearner) Due(step int) bool {
	return l.any(func(m learn.Learner) bool { return m.Due(step) })
}

func (l *joinedLearner) KeepsInputs(step int) bool {
	return l.any(func(m learn.Learner) bool { return m.KeepsInputs(step) })
}

// Learn has the statistics of the first member that learns: of the rates where they do.
func (l *joinedLearner) Learn(in *learn.Input) (*record.MetaStats, error) {
	var first *record.MetaStats
	for _, m := range l.members {
		if !m.learner.Due(in.Step) {
			continue
		}
		own := *in
		own.Inputs, own.G, own.Scale = m.inputs, m.g, m.scale(in.Step, in.Scale)
		own.Tilde = func(i int) ([]*tensor.Dense, error) {
			x, err := in.Tilde(i)
			if x == nil && err == nil && !m.settings.NoFSD {
				x = in.Batch.X // the rates have no function-space term
			}
			return x, err
		}
		s, err := m.learner.Learn(&own)
		if err != nil {
			return nil, err
		}
		first = together(first, s)
	}
	return first, nil
}

// together has the statistics of the first member that has any, and says whether a member's
// meta-step was skipped.
func together(first, s *record.MetaStats) *record.MetaStats {
	if first == nil || s == nil {
		return cmp.Or(first, s)
	}
	first.Skipped = first.Skipped || s.Skipped
	return first
}

func (l *joinedLearner) Memory() (most int) {
	for _, m := range l.members {
		most = max(most, m.learner.Memory())
	}
	return most
}

func (l *joinedLearner) Growth() (most float64) {
	for _, m := range l.members {
		most = max(most, m.learner.Growth())
	}
	return most
}

func (l *joinedLearner) Invalidate() {
	for _, m := range l.members {
		m.learner.Invalidate()
	}
}

// MetaGradient is nil where a member has none.
func (l *joinedLearner) MetaGradient() (all []*tensor.Dense) {
	for _, m := range l.members {
		g := m.learner.MetaGradient()
		if g == nil {
			return nil
		}
		all = append(all, g...)
	}
	return all
}

func (l *joinedLearner) State() (all []checkpoint.NamedTensor) {
	for _, m := range l.members {
		all = append(all, prefixed(m.name, m.learner.State())...)
	}
	return all
}

func (l *joinedLearner) Describe() (name string, settings any) {
	type described struct {
		Group    string `json:"group"`
		Learner  string `json:"learner"`
		K        int    `json:"k"`
		Settings any    `json:"settings"`
	}
	var all []described
	for _, m := range l.members {
		name, own := m.learner.Describe()
		all = append(all, described{m.name, name, m.settings.K, own})
	}
	return "groups", all
}

func (l *joinedLearner) Prepare(batch graph.Batch, tilde []*tensor.Dense) error {
	for _, m := range l.members {
		if err := m.learner.Prepare(batch, tilde); err != nil {
			return err
		}
	}
	return nil
}

// Waits implements learn.Waiting.
func (l *joinedLearner) Waits() bool {
	return l.any(func(m learn.Learner) bool { return learn.WaitingOf(m) != nil })
}

// Finish implements learn.Waiting, with the statistics of the first member that waits.
func (l *joinedLearner) Finish(loss float64, g []*tensor.Dense) (first *record.MetaStats, err error) {
	for _, m := range l.members {
		w := learn.WaitingOf(m.learner)
		if w == nil {
			continue
		}
		var own []*tensor.Dense
		for _, i := range m.index {
			own = append(own, g[i])
		}
		s, err := w.Finish(loss, own)
		if err != nil {
			return nil, err
		}
		first = together(first, s)
	}
	return first, nil
}

// Drop implements learn.Waiting.
func (l *joinedLearner) Drop() {
	for _, m := range l.members {
		if w := learn.WaitingOf(m.learner); w != nil {
			w.Drop()
		}
	}
}
