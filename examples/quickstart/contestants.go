package main

import "github.com/apo-gorgonia/apo/trainers"

// contestant is an optimizer with its settings. All start from the same weights
// and see the same batches.
type contestant struct {
	name      string
	optimizer trainers.Optimizer
	options   []trainers.Option
}

// contestants are the five, SGDm's rate being the given one. APO has the
// library's settings but for these, chosen from a few that were tried:
//
//   - meta-steps every 5 steps instead of 10;
//   - SGDm at twice the library's meta-rate: with 10 and 0.05 its rate is still
//     far too low at the end;
//   - the preconditioner at three times the library's meta-rate.
//
// λ_FSD is the library's 1. A fixed rate that is known to be good is hard to
// beat here; what APO saves is the search for it.
func contestants(rate float64) []contestant {
	plain := trainers.EveryK(0) // no meta-steps: the optimizer as it is
	return []contestant{
		{"SGDm", trainers.SGDm(rate), []trainers.Option{plain}},
		{"SGDm-APO", trainers.SGDm(rate), []trainers.Option{
			trainers.EveryK(5), trainers.FSD(1), trainers.Meta(trainers.MetaAdam(0.1))}},
		{"Adam", trainers.Adam(1e-3), []trainers.Option{plain}},
		{"Adam-APO", trainers.Adam(1e-3), []trainers.Option{
			trainers.EveryK(5), trainers.FSD(1)}},
		{"APO-Precond", trainers.Precond(0.1), []trainers.Option{
			trainers.EveryK(5), trainers.FSD(1), trainers.Meta(precondMeta())}},
	}
}

// precondMeta learns A, B and S: Adam with a shorter memory than usual.
func precondMeta() trainers.Optimizer {
	adam := trainers.Adam(0.01)
	adam.Beta2 = 0.99
	return adam
}
