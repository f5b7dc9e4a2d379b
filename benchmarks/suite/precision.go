package suite

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// precisionOptions are the options of a run in 16 bits, with the defaults of
// trainers.Precision but for the rounding of weights; none for one in full precision.
func precisionOptions(c experiments.Config) ([]trainers.Option, error) {
	if c.Precision == "" {
		return nil, nil
	}
	f, err := apoops.ParseFormat(c.Precision)
	if err != nil {
		return nil, errors.WithMessage(err, "precision")
	}
	return []trainers.Option{trainers.Precision(f, rounding(c)...)}, nil
}

// rounding is how weights of 16 bits are rounded, whatever the default of a format is.
func rounding(c experiments.Config) []precision.Setting {
	if c.Stochastic {
		return []precision.Setting{precision.Stochastic()}
	}
	return []precision.Setting{precision.Nearest()}
}

// precisionSettings says what a run in 16 bits keeps how; nil for one in full precision.
func precisionSettings(c experiments.Config) (map[string]any, error) {
	if c.Precision == "" {
		return nil, nil
	}
	f, err := apoops.ParseFormat(c.Precision)
	if err != nil {
		return nil, errors.WithMessage(err, "precision")
	}
	p, err := precision.New(f, 0, rounding(c)...)
	if err != nil {
		return nil, err
	}
	return p.Describe(), nil
}
