package methods

import "github.com/apo-gorgonia/apo/trainers"

// rateAPO is the plain form of Base-APO: Adam on log η.
var rateAPO = func() (ms []*Method) {
	for _, b := range baseRules {
		ms = append(ms, &Method{
			Name: b.name + "-apo", Family: b.name, Label: b.label + "-APO (plain)", Base: b.name, Space: "rate-apo", Needs: b.name, NoL2: b.noL2,
			Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
				return b.rule(run.Rate, run.L2, v), []trainers.Option{
					trainers.EveryK(int(v["k"])), trainers.FSD(v["fsd"]), trainers.WSD(v["wsd"]),
					trainers.Meta(trainers.MetaAdam(v["meta_rate"])),
				}, nil
			},
		})
	}
	return ms
}()
