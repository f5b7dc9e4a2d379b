package methods

import "github.com/apo-gorgonia/apo/trainers"

// precondAbove is APO-Precond learned by relative steps from a P that is too
// large.
var precondAbove = &Method{
	Name: "precond-above", Label: "APO-Precond (from above)", Space: "precond-above", Cost: 4, Needs: "precond-above", NoL2: true,
	Brief: Values{"warm_up": 1},
	Build: func(v Values, _ Run) (trainers.Optimizer, []trainers.Option, error) {
		o := trainers.PrecondFromAbove(v["lr"])
		o.Clip, o.Relative.Trust = v["clip"], v["trust"] // one of them
		if visits, ok := v["warm_up"]; ok {
			o.Relative.WarmUp = int(visits)
		}
		return o, []trainers.Option{
			trainers.EveryK(int(v["k"])), trainers.FSD(v["fsd"]), trainers.WSD(v["wsd"]),
		}, nil
	},
}
