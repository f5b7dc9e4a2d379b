package main

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/app"
	"github.com/apo-gorgonia/apo/trainers"
)

// The ways in which APO adapts rates.
const (
	apoNone       = "none"
	apoPlain      = "plain"
	apoCalibrated = "calibrated"
)

// firstOrder are the rules whose rates are calibrated unless -apo says otherwise.
var firstOrder = []string{"sgd", "sgdm", "rmsprop", "adam", "adamw"}

// rates is how APO adapts the rate; empty where a preconditioner is learned.
func (s *settings) rates() (string, error) {
	switch precond := s.Precond() != nil; {
	case precond && s.APO != "":
		return "", errors.Errorf("-apo %s: %s has no learning rate to adapt, it learns its preconditioner", s.APO, s.Optimizer)
	case precond:
		return "", nil
	case s.APO == "" && s.calibrates():
		return apoCalibrated, nil
	case s.APO == "" && len(s.Groups) > 0:
		return apoPlain, nil
	case s.APO == "":
		return apoNone, nil
	case s.APO == apoNone || s.APO == apoPlain || s.APO == apoCalibrated:
		return s.APO, nil
	}
	return "", errors.Errorf("-apo %q: it must be none, plain or calibrated", s.APO)
}

// calibrates reports whether the rules of all groups are of first order.
func (s *settings) calibrates() bool {
	return slices.Contains(firstOrder, s.Optimizer) && !slices.ContainsFunc(s.Groups, func(g app.Group) bool {
		return g.Rule != "" && !slices.Contains(firstOrder, g.Rule)
	})
}

// CheckExtension implements app.Program.
func (s *settings) CheckExtension() error {
	rates, err := s.rates()
	if rates == apoCalibrated {
		return errors.New("the calibrated rate falls over the epochs that the run was started with")
	}
	return err
}

// Options implements app.Program.
func (s *settings) Options(perEpoch int, train trainers.Dataset) ([]trainers.Option, error) {
	rates, err := s.rates()
	if err != nil {
		return nil, err
	}
	switch rates {
	case apoNone:
		return []trainers.Option{trainers.EveryK(0)}, nil
	case apoCalibrated:
		return s.calibrated(perEpoch, train)
	}
	return s.MetaOptions(), nil
}

// calibrationSeed makes the calibration's batches others than those trained on.
const calibrationSeed = 0xca11

// calibrated are the options of a calibrated rate, which falls until the end.
func (s *settings) calibrated(perEpoch int, train trainers.Dataset) ([]trainers.Option, error) {
	batches, err := trainers.NewBatches(train, s.Batch, s.Seed^calibrationSeed)
	if err != nil {
		return nil, err
	}
	c := trainers.CalibratedConfig{Horizon: s.Epochs * perEpoch}
	if s.FSD != nil {
		c.Lambda0 = *s.FSD
	}
	if s.WSD != nil {
		c.LambdaWSD = *s.WSD
	}
	opts := []trainers.Option{
		trainers.Calibrated(c),
		trainers.CalibrateFrom(batches.BatchAt),
	}
	if s.K != nil {
		opts = append(opts, trainers.EveryK(*s.K))
	}
	return opts, nil
}
