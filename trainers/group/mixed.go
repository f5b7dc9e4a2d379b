package group

import (
	"cmp"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// mixed is a Config with groups of APO-Precond, whose φ is no learning rate.
type mixed struct{ *Config }

// Updater implements learn.MayUpdate.
func (c *Config) Updater() learn.Updater {
	if slices.ContainsFunc(c.optimizers(), learnsP) {
		return mixed{c}
	}
	return nil
}

func learnsP(o rule.Optimizer) bool {
	_, ok := o.(learn.Updater)
	return ok
}

// member is an update of its own: that of an APO-Precond group or, with the rates, that of
// all other groups.
type member struct {
	*part
	task     *rule.Task
	settings *learn.Settings
	update   learn.Update
	learner  learn.Learner   // nil where K = 0
	inputs   []*tensor.Dense // of the lookahead that Advance has begun
}

// besideP is the optimizer of the groups that have rates.
type besideP struct{ rule.Grouped }

// Start reports a group that cannot stand beside one of APO-Precond.
func (c besideP) Start(t *rule.Task) (rule.Rule, error) {
	r, err := c.Grouped.Start(t)
	if all, ok := r.(*groups); ok && err == nil {
		for _, p := range all.parts {
			if p.rule.Iterates() != nil {
				return nil, errors.Errorf("trainers: groups: %s: %s, which has evaluation weights of its own, cannot stand beside APO-Precond", p.title(), p.optimizer.Name())
			}
		}
	}
	return r, err
}

// Update implements learn.Updater.
func (c mixed) Update(t *rule.Task, s *learn.Settings) (learn.Update, error) {
	parts, err := c.partsOf(t.Params)
	if err != nil {
		return nil, err
	}
	rates := &part{name: "rates", optimizer: besideP{c.Config}}
	for i, p := range t.Params {
		for _, q := range parts {
			if !learnsP(q.optimizer) && q.has(p) {
				rates.index, rates.params = append(rates.index, i), append(rates.params, p)
			}
		}
	}
	u := &joined{}
	if rates.index != nil {
		u.members = append(u.members, &member{part: rates, settings: s})
	}
	for _, p := range parts {
		if learnsP(p.optimizer) {
			u.members = append(u.members, &member{part: p, settings: settingsOf(p.optimizer, s)})
		}
	}
	roles := rolesOf(t)
	for _, m := range u.members {
		m.task, m.iteration = m.part.task(t), t.Iteration
		if m.update, err = learn.NewUpdate(m.optimizer, m.task, m.settings); err != nil {
			return nil, err
		}
		if !c.DecayAll && learnsP(m.optimizer) {
			if err := roles.leaveOut(m.part, m.update); err != nil {
				return nil, err
			}
		}
	}
	return u, nil
}

// has reports whether a parameter is of the group.
func (p *part) has(q *graph.Param) bool {
	for _, own := range p.params {
		if own == q {
			return true
		}
	}
	return false
}

// settingsOf are those of an APO-Precond group: its defaults, and no meta-steps where the
// training has none.
func settingsOf(o rule.Optimizer, s *learn.Settings) *learn.Settings {
	d := o.Defaults()
	own := &learn.Settings{
		K: cmp.Or(d.K, 10), FSD: learn.Const(d.FSD), WSD: learn.Const(d.WSD), NoFSD: d.FSD == 0, NoWSD: d.WSD == 0, Meta: d.Meta,
		MinRate: s.MinRate, MaxRate: s.MaxRate,
	}
	if s.K == 0 {
		own.K = 0
	}
	return own
}

// Learner implements learn.Updater.
func (c mixed) Learner() learn.NewLearner {
	return func(x *learn.Context) (learn.Learner, error) {
		u, ok := x.Update.(*joined)
		if !ok {
			return nil, errors.Errorf("trainers: %s learns by the learners of its groups", c.Name())
		}
		for _, m := range u.members {
			start := learn.NewLearner(learn.NewGradient)
			if own, ok := m.optimizer.(learn.Updater); ok && own.Learner() != nil {
				start = own.Learner()
			}
			var err error
			if m.learner, err = start(&learn.Context{Settings: m.settings, Optimizer: m.optimizer, Task: m.task, Update: m.update}); err != nil {
				return nil, err
			}
		}
		return &joinedLearner{u.members}, nil
	}
}
