package methods

import "github.com/apo-gorgonia/apo/trainers"

// rateAPO is the plain form of Base-APO: Adam on log η, Q's loss on the mini-batch of the
// step.
var rateAPO = learnedRates("-apo", "-APO (plain)", nil, trainers.SameBatch())

// nextAPO has Q's loss on the next mini-batch, as the library does by default.
var nextAPO = learnedRates("-apo-next", "-APO (next batch)", Values{"meta_rate": 0.1})

func learnedRates(suffix, words string, defaults Values, also ...trainers.Option) (ms []*Method) {
	for _, b := range baseRules {
		ms = append(ms, &Method{
			Name: b.name + suffix, Family: b.name, Label: b.label + words, Base: b.name, Space: "rate-apo", Defaults: defaults, Needs: b.name, NoL2: b.noL2,
			Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
				return b.rule(run.Rate, run.L2, v), append([]trainers.Option{
					trainers.EveryK(int(v["k"])), trainers.FSD(v["fsd"]), trainers.WSD(v["wsd"]),
					trainers.Meta(trainers.MetaAdam(v["meta_rate"])),
				}, also...), nil
			},
		})
	}
	return ms
}
