package methods

import "github.com/apo-gorgonia/apo/trainers"

// stepDecay divides the rate by 10 at 3/8 and 5/8 of the run, as the paper's
// manual schedule of ResNet-32 does (epochs 150 and 250 of 400).
func stepDecay(steps int) trainers.Schedule {
	return trainers.StepDecay(0.1, steps*3/8, steps*5/8)
}

func cosine(steps int) trainers.Schedule { return trainers.Cosine(steps, 0) }

// scheduled are the first-order optimizers with a schedule, the initial rate
// being tuned for it.
var scheduled = func() (ms []*Method) {
	for _, s := range []struct {
		name, label string
		schedule    func(steps int) trainers.Schedule
	}{{"decay", "step decay", stepDecay}, {"cosine", "cosine", cosine}} {
		for _, b := range baseRules {
			ms = append(ms, &Method{
				Name: b.name + "-" + s.name, Family: b.name, Label: b.label + ", " + s.label,
				Space: b.name, Cost: b.cost, Needs: b.name, NoL2: b.name == "adamw",
				Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
					return b.rule(v["lr"], run.L2), []trainers.Option{
						trainers.EveryK(0), trainers.WithSchedule(s.schedule(run.Steps)),
					}, nil
				},
			})
		}
	}
	return ms
}()
