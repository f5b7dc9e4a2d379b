package methods

import (
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// precondAbove is APO-Precond learned by relative gradients. P starts too large; the
// steps are limited by the clip or the trust region. The name is that of the first
// recorded results. The recommended form has taken its place: no experiment has it in its
// own list.
var precondAbove = &Method{
	Name: "precond-above", Label: "APO-Precond (relative)", Space: "precond-above", Needs: precond.PlainName,
	Brief: Values{"warm_up": 1},
	Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
		o := precond.Relative(v["lr"])
		o.Clip, o.Relative.Trust, o.WeightDecay = v["clip"], v["trust"], run.L2
		if visits, ok := v["warm_up"]; ok {
			o.Relative.WarmUp = int(visits)
		}
		if step, ok := v["step"]; ok {
			o.Relative.Step = step
		}
		if decay, ok := v["decay"]; ok {
			o.Relative.Decay = decay
		}
		return o, []trainers.Option{
			trainers.EveryK(int(v["k"])), trainers.FSD(v["fsd"]), trainers.WSD(v["wsd"]),
		}, nil
	},
}
