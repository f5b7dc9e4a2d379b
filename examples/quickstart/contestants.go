package main

import "github.com/apo-gorgonia/apo/trainers"

// contestant is an optimizer with its settings. All start from the same weights
// and see the same batches.
type contestant struct {
	name      string
	optimizer trainers.Optimizer
	options   []trainers.Option
}

// contestants are the five, SGDm's rate being the given one.
func contestants(rate float64) []contestant {
	plain := []trainers.Option{trainers.EveryK(0)} // no meta-steps: the optimizer as it is
	return []contestant{
		{"SGDm", trainers.SGDm(rate), plain},
		{"SGDm-APO", trainers.SGDm(rate), sgdmOptions()},
		{"Adam", trainers.Adam(1e-3), plain},
		{"Adam-APO", trainers.Adam(1e-3), adamOptions()},
		{"APO-Precond", trainers.Precond(0.1), precondOptions()},
	}
}

func sgdmOptions() []trainers.Option {
	return []trainers.Option{trainers.EveryK(5), trainers.FSD(3), trainers.Meta(trainers.MetaAdam(0.1))}
}

func adamOptions() []trainers.Option {
	return []trainers.Option{trainers.EveryK(5), trainers.FSD(3)}
}

func precondOptions() []trainers.Option {
	adam := trainers.Adam(3e-3)
	adam.Beta2 = 0.99
	return []trainers.Option{trainers.EveryK(2), trainers.FSD(3), trainers.WSD(0.03), trainers.Meta(adam)}
}
