package main

import (
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// The sizes of MNIST and Fashion-MNIST.
const pixels, classes, trainingImages = 28 * 28, 10, 60000

func (s settings) model() (*layers.Model, error) {
	act, err := apoops.ParseActivation(s.Activation)
	if err != nil {
		return nil, errors.WithMessage(err, "-activation")
	}
	return layers.MLPWith(act, s.widths()...), nil
}

// widths are those of all layers.
func (s settings) widths() []int { return slices.Concat([]int{pixels}, s.Hidden, []int{classes}) }

// precond reports whether a preconditioner is learned in place of a rate.
func (s settings) precond() bool { return strings.HasPrefix(s.Optimizer, "precond") }

// ownRates are the initial rates that were found better here than the library's,
// with 2×1000 hidden units and 3 epochs.
var ownRates = map[string]float64{"precond": 0.5}

func (s settings) optimizer() (trainers.Optimizer, error) {
	lr, err := cli.InitialRate(s.Optimizer, ownRates)
	if err != nil {
		return nil, errors.WithMessage(err, "-optimizer")
	}
	if s.LR != nil {
		lr = *s.LR
	}
	o, err := trainers.NewOptimizer(s.Optimizer, lr, s.Settings)
	return o, errors.WithMessage(err, cli.OptimizerFlags("optimizer", s.LR != nil, len(s.Settings) > 0))
}

// tune fills in what no flag set where the library's defaults are not the best
// here, found with 2×1000 hidden units and 3 epochs. SGDm's momentum goes on
// where the lookahead of one step ends, so the rate is judged too well: with the
// library's settings it still rises when the loss no longer falls. The
// weight-space term bounds it, here by about 0.1.
func (s *settings) tune() {
	if s.Optimizer != "sgdm" {
		return
	}
	fill(&s.K, 5)
	fill(&s.FSD, 0.3)
	fill(&s.WSD, 2)
	if s.Meta == "" || s.Meta == "adam" {
		fill(&s.MetaLR, 0.1)
	}
}

func fill[T any](setting **T, value T) {
	if *setting == nil {
		*setting = &value
	}
}

// metaOptimizer is nil for the library's own.
func (s settings) metaOptimizer() (trainers.Optimizer, error) {
	if s.Meta == "" && s.MetaLR == nil {
		return nil, nil
	}
	lr := 0.05
	if s.precond() {
		lr = 0.003
	}
	if s.MetaLR != nil {
		lr = *s.MetaLR
	}
	var o trainers.Optimizer
	switch s.Meta {
	case "", "adam":
		adam := trainers.Adam(lr)
		if s.precond() {
			adam.Beta2 = 0.99
		}
		o = adam
	case "rmsprop":
		o = trainers.MetaRMSprop(lr)
	case "sgd":
		o = trainers.MetaSGD(lr)
	default:
		return nil, errors.Errorf("-meta %q: it must be adam, rmsprop or sgd", s.Meta)
	}
	return o, errors.WithMessage(o.Validate(), "-meta-lr")
}

// schedule is the factor on the rate for a run of so many steps.
func (s settings) schedule(steps int) (trainers.Schedule, error) {
	var main trainers.Schedule
	switch s.Schedule {
	case "constant":
		main = trainers.Constant()
	case "cosine":
		main = trainers.Cosine(steps, 0)
	case "step":
		main = trainers.StepDecay(0.1, steps/2, steps*3/4)
	case "inverse-sqrt":
		return trainers.InverseSqrt(max(s.WarmUp, 1)), nil
	default:
		return main, errors.Errorf("-schedule %q: it must be constant, cosine, step or inverse-sqrt", s.Schedule)
	}
	if s.WarmUp > 0 {
		main = trainers.WarmUp(s.WarmUp, main)
	}
	return main, nil
}

// options are those of the trainer; what is not set stays the library's.
func (s settings) options(steps int) ([]trainers.Option, error) {
	dtype, err := cli.Dtype(s.Dtype)
	if err != nil {
		return nil, err
	}
	schedule, err := s.schedule(steps)
	if err != nil {
		return nil, err
	}
	meta, err := s.metaOptimizer()
	if err != nil {
		return nil, err
	}
	opts := []trainers.Option{trainers.Seed(s.Seed), trainers.Dtype(dtype), trainers.WithSchedule(schedule)}
	if s.K != nil {
		opts = append(opts, trainers.EveryK(*s.K))
	}
	if s.FSD != nil {
		opts = append(opts, trainers.FSD(*s.FSD))
	}
	if s.WSD != nil {
		opts = append(opts, trainers.WSD(*s.WSD))
	}
	if meta != nil {
		opts = append(opts, trainers.Meta(meta))
	}
	if s.PerLayer {
		opts = append(opts, trainers.RatePerParam())
	}
	return opts, nil
}
