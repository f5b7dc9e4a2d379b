package methods

import "github.com/apo-gorgonia/apo/trainers"

// calibrated is Base-APO with trainers.Calibrated: it calibrates the rate before the
// first step, then tracks it with forward passes only and decays it towards the
// horizon.
var calibrated = func() (ms []*Method) {
	for _, b := range baseRules {
		ms = append(ms, &Method{
			Name: b.name + "-apo-calibrated", Label: b.label + "-APO (calibrated)", Family: b.name, Base: b.name,
			Space: "calibrated", Needs: b.name, NoL2: b.noL2,
			Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
				opts := []trainers.Option{
					trainers.EveryK(int(v["k"])),
					trainers.Calibrated(trainers.CalibratedConfig{Horizon: run.Steps, Lambda0: v["lambda0"], LambdaWSD: v["lambda_wsd"]}),
				}
				if run.Calibration != nil {
					opts = append(opts, trainers.CalibrateFrom(run.Calibration))
				}
				return b.rule(run.Rate, run.L2, v), opts, nil
			},
		})
	}
	return ms
}()
