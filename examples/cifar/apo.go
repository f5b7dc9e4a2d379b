package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// The ways in which APO adapts rates.
const (
	apoNone       = "none"
	apoPlain      = "plain"
	apoCalibrated = "calibrated"
)

// precond reports whether a preconditioner is learned in place of a rate.
func (s settings) precond() bool { return strings.HasPrefix(s.Optimizer, "precond") }

// firstOrder are the rules whose rate is calibrated unless -apo says otherwise.
var firstOrder = []string{"sgd", "sgdm", "rmsprop", "adam", "adamw"}

// rates is how APO adapts the rate; empty where a preconditioner is learned.
func (s settings) rates() (string, error) {
	switch {
	case s.precond() && s.APO != "":
		return "", errors.Errorf("-apo %s: %s has no learning rate to adapt, it learns its preconditioner", s.APO, s.Optimizer)
	case s.precond():
		return "", nil
	case s.APO == "" && slices.Contains(firstOrder, s.Optimizer):
		return apoCalibrated, nil
	case s.APO == "":
		return apoNone, nil
	case s.APO == apoNone || s.APO == apoPlain || s.APO == apoCalibrated:
		return s.APO, nil
	}
	return "", errors.Errorf("-apo %q: it must be none, plain or calibrated", s.APO)
}

// ownRates are the initial rates that were found better here than the library's.
var ownRates = map[string]float64{"sgd": 0.05}

func (s settings) optimizer() (trainers.Optimizer, error) {
	lr, err := cli.InitialRate(s.Optimizer, ownRates)
	if err != nil {
		return nil, errors.WithMessage(err, "-opt")
	}
	if s.LR != nil {
		lr = *s.LR
	}
	settings := make(map[string]json.RawMessage)
	if len(s.Settings) > 0 {
		err := json.Unmarshal(s.Settings, &settings)
		if err == nil && settings == nil {
			err = errors.New("null is no JSON object")
		}
		if err != nil {
			return nil, errors.Wrap(err, "-settings")
		}
	}
	if s.WeightDecay != nil {
		if s.precond() {
			return nil, errors.Errorf("-weight-decay: %s has none", s.Optimizer)
		}
		text, err := json.Marshal(*s.WeightDecay)
		if err != nil {
			return nil, errors.Wrap(err, "-weight-decay")
		}
		settings["weight_decay"] = text
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	o, err := trainers.NewOptimizer(s.Optimizer, lr, text)
	return o, errors.WithMessage(err, cli.OptimizerFlags("opt", s.LR != nil, len(s.Settings) > 0))
}

// schedule is the factor on the rate for epochs of so many steps.
func (s settings) schedule(perEpoch int) (trainers.Schedule, error) {
	var main trainers.Schedule
	switch s.Schedule {
	case "constant":
		main = trainers.Constant()
	case "cosine":
		main = trainers.Cosine(s.Epochs*perEpoch, 0)
	case "step":
		main = trainers.StepDecay(s.DecayBy, s.milestones(perEpoch)...)
	default:
		return main, errors.Errorf("-schedule %q: it must be constant, step or cosine", s.Schedule)
	}
	if s.WarmUp > 0 {
		main = trainers.WarmUp(s.WarmUp, main)
	}
	return main, main.Err()
}

// milestones are the steps at which the step schedule lowers the rate.
func (s settings) milestones(perEpoch int) []int {
	if len(s.DecayAt) == 0 {
		return []int{s.Epochs * perEpoch / 2, s.Epochs * perEpoch * 3 / 4}
	}
	steps := make([]int, len(s.DecayAt))
	for i, epoch := range s.DecayAt {
		steps[i] = epoch * perEpoch
	}
	return steps
}

// options are those of the trainer for epochs of so many steps; what is not set
// stays the library's. calibration gives the batches that Calibrated looks at
// first.
func (s settings) options(perEpoch int, calibration func(i int) (graph.Batch, error)) ([]trainers.Option, error) {
	dtype, err := cli.Dtype(s.Dtype)
	if err != nil {
		return nil, err
	}
	schedule, err := s.schedule(perEpoch)
	if err != nil {
		return nil, err
	}
	rates, err := s.rates()
	if err != nil {
		return nil, err
	}
	opts := []trainers.Option{trainers.Seed(s.Seed), trainers.Dtype(dtype), trainers.WithSchedule(schedule)}
	switch rates {
	case apoNone:
		return append(opts, trainers.EveryK(0)), nil
	case apoCalibrated:
		c := trainers.CalibratedConfig{Horizon: s.Epochs * perEpoch}
		if s.FSD != nil {
			c.Lambda0 = *s.FSD
		}
		if s.WSD != nil {
			c.LambdaWSD = *s.WSD
		}
		opts = append(opts, trainers.Calibrated(c), trainers.CalibrateFrom(calibration))
	default:
		if s.FSD != nil {
			opts = append(opts, trainers.FSD(*s.FSD))
		}
		if s.WSD != nil {
			opts = append(opts, trainers.WSD(*s.WSD))
		}
	}
	if s.K != nil {
		opts = append(opts, trainers.EveryK(*s.K))
	}
	return opts, nil
}
