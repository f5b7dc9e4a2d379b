package methods

import "github.com/apo-gorgonia/apo/trainers"

// Decay lowers the learning rate at parts of the run, 0 to 1, by a factor each
// time.
type Decay struct {
	Factor float64   `json:"factor"`
	At     []float64 `json:"at"`
}

// Schedule is the decay over so many steps. The zero value leaves the rate as it
// is.
func (d Decay) Schedule(steps int) trainers.Schedule {
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
		d = Decay{0.1, []float64{3. / 8, 5. / 8}}
	}
	return d.Schedule(run.Steps)
}

func cosine(run Run) trainers.Schedule { return trainers.Cosine(run.Steps, 0) }

// scheduled are the first-order optimizers with a schedule, the initial rate
// being tuned for it.
var scheduled = func() (ms []*Method) {
	for _, s := range []struct {
		name, label string
		schedule    func(Run) trainers.Schedule
	}{{"decay", "step decay", stepDecay}, {"cosine", "cosine", cosine}} {
		for _, b := range baseRules {
			ms = append(ms, &Method{
				Name: b.name + "-" + s.name, Family: b.name, Label: b.label + ", " + s.label,
				Space: b.name, Cost: b.cost, Needs: b.name, NoL2: b.name == "adamw",
				Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
					return b.rule(v["lr"], run.L2), []trainers.Option{
						trainers.EveryK(0), trainers.WithSchedule(s.schedule(run)),
					}, nil
				},
			})
		}
	}
	return ms
}()
