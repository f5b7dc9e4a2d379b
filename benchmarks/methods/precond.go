package methods

import "github.com/apo-gorgonia/apo/trainers"

// lowRankPrecond is the recommended form of APO-Precond. The clip is a multiple of the
// damping: the two belong together.
var lowRankPrecond = &Method{
	Name: "precond", Label: "APO-Precond", Space: "precond", Needs: "precond",
	Brief:    Values{"k": 3, "frequent": 1, "warm_up": 1},
	Learning: precondLearning,
	Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
		settings := map[string]any{"clip": v["damping"] * v["clip_to_damping"], "weight_decay": run.L2}
		for name, x := range v {
			if name != "k" && name != "lr" && name != "clip_to_damping" {
				settings[name] = decoded(name, x)
			}
		}
		o, err := newOptimizer("precond", v["lr"], settings)
		return o, []trainers.Option{trainers.EveryK(int(v["k"]))}, err
	},
}

// defaultPrecond is the recommended form as it comes: nothing of it is searched for.
var defaultPrecond = &Method{
	Name: "precond-default", Label: "APO-Precond, defaults", Space: "precond-default", Needs: "precond",
	Brief: lowRankPrecond.Brief, Learning: precondLearning, Build: lowRankPrecond.Build,
}

// foundPrecond is the recommended form at a rate that it finds before the first step.
var foundPrecond = &Method{
	Name: "precond-found", Label: "APO-Precond (rate found)", Space: "precond-found", Needs: "precond",
	Brief: lowRankPrecond.Brief, Learning: precondLearning, Build: lowRankPrecond.Build,
}

// precondLearning is the number of meta-steps in a run of so many steps: those before
// the first step, one at each of the first steps, and later one at the multiples of a
// distance that grows by one in as many steps, up to k.
func precondLearning(v Values, steps int) int {
	frequent, n := int(v["frequent"]), int(v["warm_up"])
	for t := range steps {
		if t < frequent || t%max(1, min(int(v["k"]), t/frequent)) == 0 {
			n++
		}
	}
	return n
}
