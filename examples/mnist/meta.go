package main

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/rule"
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

// metaOptimizer is nil for the library's own. Without -meta-lr it takes the
// learning rate of that, and adam its β2.
func (s *settings) metaOptimizer() (trainers.Optimizer, error) {
	if s.Meta == "" && s.MetaLR == nil {
		return nil, nil
	}
	optimizer, err := mnist.Optimizer(s)
	if err != nil {
		return nil, err
	}
	own := optimizer.Defaults().Meta
	lr := own.LearningRate()
	if s.MetaLR != nil {
		lr = *s.MetaLR
	}
	var o trainers.Optimizer
	switch s.Meta {
	case "", "adam":
		adam := trainers.Adam(lr)
		if a, ok := own.(*rule.AdamConfig); ok {
			adam.Beta2 = a.Beta2
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
