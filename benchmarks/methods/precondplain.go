package methods

import "github.com/apo-gorgonia/apo/trainers"

// precondPlain is the plain form of APO-Precond: Adam on A, B and S.
var precondPlain = &Method{
	Name: "precond-plain", Label: "APO-Precond (plain)", Space: "precond-plain", Needs: "precond-plain",
	Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
		meta := trainers.Adam(v["meta_rate"])
		meta.Beta2, meta.Eps = v["meta_beta2"], v["meta_eps"]
		o := trainers.PrecondPlain(v["lr"])
		o.WeightDecay = run.L2
		return o, []trainers.Option{
			trainers.EveryK(int(v["k"])), trainers.FSD(v["fsd"]), trainers.WSD(v["wsd"]), trainers.Meta(meta),
		}, nil
	},
}
