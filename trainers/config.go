package trainers

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// config collects the options.
type config struct {
	given      map[string]bool // options by name
	k          int
	fsd, wsd   Weight
	noFSD      bool
	noWSD      bool
	varies     struct{ fsd, wsd bool } // functions of the step, not numbers
	divergence graph.Divergence
	meta       Optimizer
	metaClip   float64
	minRate    float64
	maxRate    float64
	linear     bool
	perParam   bool
	groups     map[string]int
	schedule   Schedule
	seed       uint64
	dtype      tensor.Dtype
	recorder   Recorder
	tilde      func(step int) ([]*tensor.Dense, error)
	targets    func(step int) []*tensor.Dense
	blocks     func(params []*graph.Param) ([]graph.Block, error)
	learner    func(e *engine) (learner, error)
	// calibration is CalibrateFrom's source
	calibration func(i int) (graph.Batch, error)
}

// newConfig applies the options to the defaults of an optimizer.
func newConfig(o Optimizer, opts []Option) (*config, error) {
	if graph.IsNil(o) {
		return nil, errors.New("trainers: no optimizer")
	}
	if _, err := apoops.UseLibraries(); err != nil {
		return nil, errors.WithMessage(err, "trainers")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c := defaults(o)
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("trainers: an option is nil")
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	if c.minRate > c.maxRate {
		return nil, errors.Errorf("trainers: learning rate bounds %v and %v are in the wrong order", c.minRate, c.maxRate)
	}
	return c, c.checkConflicts(o)
}

// defaults are the settings found to work for the optimizer on several tasks;
// every one can be changed by an option.
func defaults(o Optimizer) *config {
	c := &config{
		k: 10, fsd: Const(1), wsd: Const(0), noWSD: true, meta: MetaAdam(0.05),
		minRate: 1e-8, maxRate: 1e3, seed: 1, dtype: tensor.Float32, learner: newGradientLearner,
	}
	if a, ok := o.(adjuster); ok {
		a.adjust(c)
	}
	return c
}
