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
// library's settings but for these, the best of a few tried with seeds 1 to 3:
//
//   - meta-steps every 5 steps and at twice the library's meta-rate for SGDm:
//     with 10 and 0.05 its rate is still on the way up from 1e-4 at the end;
//   - for the preconditioner every second step, a weaker weight-space term and
//     three times the library's meta-rate.
//
// λ_FSD is the library's 1. With 3, SGDm and Adam end at rates of a half; with
// 0.3, SGDm's rate shoots up to 0.17 on its way and the loss with it, but it
// ends lower.
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
			trainers.EveryK(2), trainers.FSD(1), trainers.WSD(0.03), trainers.Meta(precondMeta())}},
	}
}

// precondMeta learns A, B and S: Adam with a shorter memory than usual.
func precondMeta() trainers.Optimizer {
	adam := trainers.Adam(0.01)
	adam.Beta2 = 0.99
	return adam
}
