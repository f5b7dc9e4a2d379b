package methods

import "github.com/apo-gorgonia/apo/trainers"

// Decay multiplies the learning rate by Factor at each point of At, a fraction of
// the run from 0 to 1, or takes it along half a cosine to 0 at the run's end. Before
// that the rate rises for WarmUp steps.
type Decay struct {
	Factor float64   `json:"factor"`
	At     []float64 `json:"at"`
	Cosine bool      `json:"cosine,omitempty"`
	WarmUp int       `json:"warm_up,omitempty"`
}

// Schedule is the decay for a run of the given number of steps. The zero value
// keeps the rate constant.
func (d Decay) Schedule(steps int) trainers.Schedule {
	if d.WarmUp > 0 {
		later := d
		later.WarmUp = 0
		return trainers.WarmUp(d.WarmUp, later.Schedule(steps))
	}
	if d.Cosine {
		return trainers.Cosine(steps, 0)
	}
	if len(d.At) == 0 {
		return trainers.Constant()
	}
	at := make([]int, len(d.At))
	for i, part := range d.At {
		at[i] = int(part * float64(steps))
	}
	return trainers.StepDecay(d.Factor, at...)
}

func stepDecay(run Run) trainers.Schedule {
	d := run.Decay
	if len(d.At) == 0 {
		d.Factor, d.At = 0.1, []float64{3. / 8, 5. / 8}
	}
	return d.Schedule(run.Steps)
}

func cosine(run Run) trainers.Schedule {
	return Decay{Cosine: true, WarmUp: run.Decay.WarmUp}.Schedule(run.Steps)
}

// inverseSqrt falls like the inverse square root behind the warm-up, the schedule of
// Vaswani et al. (2017).
func inverseSqrt(run Run) trainers.Schedule { return trainers.InverseSqrt(max(1, run.Decay.WarmUp)) }

// scheduled are the first-order optimizers with a schedule. Their initial rates are
// tuned for it.
var scheduled = func() (ms []*Method) {
	for _, s := range []struct {
		name, label string
		schedule    func(Run) trainers.Schedule
	}{{"decay", "step decay", stepDecay}, {"cosine", "cosine", cosine}, {"isqrt", "inverse square root", inverseSqrt}} {
		for _, b := range baseRules {
			ms = append(ms, &Method{
				Name: b.name + "-" + s.name, Family: b.name, Label: b.label + ", " + s.label,
				Space: b.name, Needs: b.name, NoL2: b.noL2,
				Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
					return b.rule(v["lr"], run.L2, v), []trainers.Option{
						trainers.EveryK(0), trainers.WithSchedule(s.schedule(run)),
					}, nil
				},
			})
		}
	}
	return ms
}()
