package main

import "github.com/apo-gorgonia/apo/trainers"

// method is an optimizer with its settings. All methods start from the same weights
// and train on the same batches.
type method struct {
	name      string
	optimizer trainers.Optimizer
	options   []trainers.Option
}

// methods are the baselines SGDm and Adam, both with APO, and APO-Precond. rate is the
// initial learning rate of SGDm. APO has the library's settings, except for three that
// were chosen from a few:
//
//   - a meta-step every 5 steps instead of 10;
//   - for SGDm twice the library's meta-learning rate: with 10 and 0.05 the learning
//     rate is still far too low at the end;
//   - for APO-Precond three times the library's meta-learning rate.
//
// λ_FSD is the library's 1. A fixed rate that is known to be good is hard to beat
// here. APO saves the search for it.
func methods(rate float64) []method {
	plain := trainers.EveryK(0) // no meta-steps: the optimizer alone
	return []method{
		{"SGDm", trainers.SGDm(rate), []trainers.Option{plain}},
		{"SGDm-APO", trainers.SGDm(rate), []trainers.Option{
			trainers.EveryK(5), trainers.FSD(1), trainers.Meta(trainers.MetaAdam(0.1))}},
		{"Adam", trainers.Adam(1e-3), []trainers.Option{plain}},
		{"Adam-APO", trainers.Adam(1e-3), []trainers.Option{
			trainers.EveryK(5), trainers.FSD(1)}},
		{"APO-Precond", trainers.PrecondPlain(0.1), []trainers.Option{
			trainers.EveryK(5), trainers.FSD(1), trainers.Meta(precondMeta())}},
	}
}

// precondMeta is the meta-optimizer of A, B and S: Adam with a shorter memory than
// usual.
func precondMeta() trainers.Optimizer {
	adam := trainers.Adam(0.01)
	adam.Beta2 = 0.99
	return adam
}
