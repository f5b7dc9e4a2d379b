package precond

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// relativeUpdate takes the place of an update whose probes cannot be drawn: that of
// Relative, with Eq. 9's dense form.
func (c *Config) relativeUpdate(t *rule.Task, s *learn.Settings) (learn.Update, error) {
	if c.LR == 0 {
		return nil, errors.Errorf("trainers: %s: lr is 0: the rate is found with a P that probes show, and neither has the divergence a Probe nor the loss or problem a Sample: give a rate", c.Name())
	}
	relative := Relative(0)
	relative.Momentum, relative.Dampening, relative.WeightDecay = c.Momentum, 1-c.Momentum, c.WeightDecay
	u, err := relative.Update(t, s)
	if err != nil {
		return nil, err
	}
	if p, ok := u.(interface{ shared() *plainCore }); ok {
		p.shared().note = c.Name() + ": the dense form with relative steps (precond.Relative) for all parameters: neither has the divergence a Probe nor the loss or problem a Sample"
	}
	return u, nil
}

// withoutRows gives the blocks of a user's graph that have no rows the form that Eq. 9
// falls back to. Of a model it is known when its graph is built, see multiple.
func (c *Config) withoutRows(t *rule.Task, blocks, narrow []graph.Block) (lost []bool, err error) {
	lost = make([]bool, len(blocks))
	user, ok := t.Source.(rule.UsersGraph)
	if !ok {
		return lost, nil
	}
	p := graph.ProbeConfig{Source: t.Source, Params: t.Model, Blocks: narrow, Batch: user.Example(), Random: t.Random, Noise: apoops.NewRandom(t.Seed)}
	rows, err := graph.ProbeRows(p)
	if err != nil {
		return nil, errors.WithMessagef(err, "trainers: %s", c.Name())
	}
	for i, b := range blocks {
		if narrow[i].Form.Probed().Rows() && !rows[i] && b.Form.Fallback() != nil && b.Form.Fallback().Probed() != nil {
			narrow[i].Form, lost[i] = b.Form.Fallback(), true
		}
	}
	return lost, nil
}
