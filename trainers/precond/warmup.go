package precond

import "github.com/apo-gorgonia/apo/trainers/rule"

// begin is what comes before the first step.
func (l *learner) begin(in rule.Input, scale float64) error {
	if l.u.c.WarmUp > 0 && l.u.probes[0] == 0 {
		if err := l.warmUp(in, scale); err != nil {
			return err
		}
	}
	if l.u.found[0] == 0 {
		return l.findRate(in)
	}
	return nil
}

// warmUp starts P from what the first mini-batch shows.
func (l *learner) warmUp(in rule.Input, scale float64) error {
	_, damping, err := l.u.strengths(in.T-1, scale)
	if err != nil {
		return err
	}
	rates := make([]float64, len(l.blocks))
	for i := range l.u.c.WarmUp {
		if err := l.draw(in.Batch.X); err != nil {
			return err
		}
		if err := l.step(damping); err != nil {
			return err
		}
		if i == 0 {
			if damping, err = l.see(in.T-1, scale); err != nil {
				return err
			}
			for k := range l.blocks {
				rates[k] = 1 / (damping + l.probe.Energy(k))
			}
			l.restart(rates)
			if err := l.step(damping); err != nil {
				return err
			}
		}
		if _, err := l.move(); err != nil {
			return err
		}
	}
	for k, b := range l.u.blocks {
		if b.bound() <= b.warmReach(damping) {
			rates[k] = 0
		}
	}
	l.restart(rates)
	return nil
}

// see takes the curvature of the outputs from the first probe and returns the damping
// with it.
func (l *learner) see(step int, scale float64) (damping float64, err error) {
	l.u.damping.see(l.probe.OutputCurvature())
	_, damping, err = l.u.strengths(step, scale)
	return damping, err
}

// restart makes P = rate·I where the rate is above 0.
func (l *learner) restart(rates []float64) {
	for k, rate := range rates {
		if rate > 0 {
			l.blocks[k].Restart(rate)
		}
	}
	l.u.Bound()
}
