package app

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/learn"
)

// Optimizer makes the optimizer that the settings describe, with their groups. Without -lr it
// starts at the library's rate.
func (a *App) Optimizer(p Program) (trainers.Optimizer, error) {
	s := p.Common()
	lr, err := trainers.DefaultRate(s.Optimizer)
	if err != nil {
		return nil, errors.WithMessage(err, "-"+a.OptimizerFlag)
	}
	if s.LR != nil {
		lr = *s.LR
	}
	settings, err := p.OptimizerSettings()
	if err != nil {
		return nil, err
	}
	o, err := trainers.NewOptimizer(s.Optimizer, lr, settings)
	if err != nil {
		return nil, errors.WithMessage(err, cli.OptimizerFlags(a.OptimizerFlag, s.LR != nil, len(s.Extra) > 0))
	}
	return s.grouped(o, settings)
}

// Precond is the description of the preconditioner that is learned in place of a
// rate, nil where a rate is learned.
func (s *Settings) Precond() learn.Updater {
	lr, err := trainers.DefaultRate(s.Optimizer)
	if err != nil {
		return nil
	}
	o, err := trainers.NewOptimizer(s.Optimizer, lr, nil)
	if err != nil {
		return nil
	}
	p, _ := o.(learn.Updater)
	return p
}

// schedule is the factor on the rate, for perEpoch steps in an epoch.
func schedule(p Program, perEpoch int) (trainers.Schedule, error) {
	s := p.Common()
	var main trainers.Schedule
	switch s.Schedule {
	case "constant":
		main = trainers.Constant()
	case "cosine":
		main = trainers.Cosine(s.Epochs*perEpoch, 0)
	case "step":
		main = stepDecay(p, perEpoch)
	case "inverse-sqrt":
		return trainers.InverseSqrt(max(s.WarmUp, 1)), nil
	default:
		return main, errors.Errorf("-schedule %q: it must be constant, cosine, step or inverse-sqrt", s.Schedule)
	}
	if s.WarmUp > 0 {
		main = trainers.WarmUp(s.WarmUp, main)
	}
	return main, main.Err()
}

func stepDecay(p Program, perEpoch int) trainers.Schedule {
	factor, epochs := p.Decay()
	if len(epochs) == 0 {
		all := p.Common().Epochs * perEpoch
		return trainers.StepDecay(factor, all/2, all*3/4)
	}
	steps := make([]int, len(epochs))
	for i, epoch := range epochs {
		steps[i] = epoch * perEpoch
	}
	return trainers.StepDecay(factor, steps...)
}

// options are the trainer's options, for perEpoch steps in an epoch. Options that are
// missing have the library's defaults.
func options(p Program, perEpoch int, train trainers.Dataset) ([]trainers.Option, error) {
	s := p.Common()
	dtype, err := cli.Dtype(s.Dtype)
	if err != nil {
		return nil, err
	}
	schedule, err := schedule(p, perEpoch)
	if err != nil {
		return nil, err
	}
	low, err := cli.PrecisionOptions(s.Precision)
	if err != nil {
		return nil, err
	}
	opts, err := p.Options(perEpoch, train)
	return slices.Concat([]trainers.Option{trainers.Seed(s.Seed), trainers.Dtype(dtype), trainers.WithSchedule(schedule)}, low, opts), err
}

// MetaOptions are the options for -k, -fsd and -wsd, as far as they were given.
func (s *Settings) MetaOptions() []trainers.Option {
	var opts []trainers.Option
	if s.K != nil {
		opts = append(opts, trainers.EveryK(*s.K))
	}
	if s.FSD != nil {
		opts = append(opts, trainers.FSD(*s.FSD))
	}
	if s.WSD != nil {
		opts = append(opts, trainers.WSD(*s.WSD))
	}
	return opts
}
