package methods

import (
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/average"
)

// scheduleFree is Schedule-Free SGD or, where the space has beta2, AdamW. The space's
// warm_up is a fraction of the run.
func scheduleFree(v Values, run Run) (trainers.Optimizer, error) {
	o := trainers.ScheduleFreeSGD(v["lr"])
	o.WeightDecay = run.L2
	if beta2, ok := v["beta2"]; ok {
		o = trainers.ScheduleFreeAdamW(v["lr"])
		o.Beta2, o.WeightDecay = beta2, v["weight_decay"]
	}
	o.Beta, o.WarmUp = v["beta"], int(v["warm_up"]*float64(run.Steps))
	return o, nil
}

// mechanic is Mechanic around a rule.
func mechanic(base ruleOf) func(v Values, run Run) (trainers.Optimizer, error) {
	return func(v Values, run Run) (trainers.Optimizer, error) {
		o := trainers.Mechanic(base(v["lr"], run.L2, v))
		o.SInit, o.Lambda = v["s_init"], v["lambda"]
		return o, nil
	}
}

// averagedDoG is the average of the weights that the authors of DoG evaluate.
var averagedDoG = []trainers.Option{trainers.Averaged(average.PolynomialDecay(8))}
