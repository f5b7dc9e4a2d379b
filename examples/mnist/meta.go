package main

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
)

// Options implements app.Program.
func (s *settings) Options(int, trainers.Dataset) ([]trainers.Option, error) {
	opts := s.MetaOptions()
	meta, err := s.metaOptimizer()
	if err != nil {
		return nil, err
	}
	if meta != nil {
		opts = append(opts, trainers.Meta(meta))
	}
	if s.PerLayer {
		opts = append(opts, trainers.RatePerParam())
	}
	return opts, nil
}

// metaOptimizer is nil for the library's own.
func (s *settings) metaOptimizer() (trainers.Optimizer, error) {
	if s.Meta == "" && s.MetaLR == nil {
		return nil, nil
	}
	precond := s.Precond() != nil
	lr := 0.05
	if precond {
		lr = 0.003
	}
	if s.MetaLR != nil {
		lr = *s.MetaLR
	}
	var o trainers.Optimizer
	switch s.Meta {
	case "", "adam":
		adam := trainers.Adam(lr)
		if precond {
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
