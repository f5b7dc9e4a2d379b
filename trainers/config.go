package trainers

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/average"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// config collects the options.
type config struct {
	learn.Settings
	options    []Option
	given      map[string]bool         // options by name
	varies     struct{ fsd, wsd bool } // functions of the step, not numbers
	usualMeta  bool                    // the optimizer has no default of its own for Meta
	divergence graph.Divergence
	perParam   bool
	groups     map[string]int
	optimizer  Optimizer
	schedule   Schedule
	seed       uint64
	dtype      tensor.Dtype
	recorder   Recorder
	tilde      func(step int) ([]*tensor.Dense, error)
	share      share // of the rows of B'
	targets    func(step int) []*tensor.Dense
	learner    learn.NewLearner
	graphs     int // of each kind
	precision  *lowPrecision
	jointNorm  bool
	comm       Communicator // nil without Parallel
	parts      int          // of Accumulate; 0 and 1 for a mini-batch at once
	clip       clipping
	mostSkips  int             // of SkipNonFinite; 0 without
	average    average.Average // of Averaged
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
	c, err := applied(o, o.Defaults(), opts)
	if err != nil {
		return nil, err
	}
	if c.MinRate > c.MaxRate {
		return nil, errors.Errorf("trainers: learning rate bounds %v and %v are in the wrong order", c.MinRate, c.MaxRate)
	}
	if c.parts > 1 && c.jointNorm {
		return nil, errors.New("trainers: Accumulate: JointBatchNorm takes the statistics of the whole mini-batch, which is never there at once")
	}
	return c, c.checkConflicts(o)
}

// applied has the options on top of the defaults.
func applied(o Optimizer, d rule.Defaults, opts []Option) (*config, error) {
	c := defaults(o, d)
	c.options = opts
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("trainers: an option is nil")
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// fit settles what depends on the parameters: groups without some have no part in it.
func (c *config) fit(o Optimizer, params []*graph.Param) error {
	own, err := rule.GroupsOf(o, params)
	if err != nil {
		return err
	}
	again, err := applied(o, own.Defaults, c.options)
	if err != nil {
		return err
	}
	c.K, c.FSD, c.WSD, c.NoFSD, c.NoWSD, c.Meta = again.K, again.FSD, again.WSD, again.NoFSD, again.NoWSD, again.Meta
	c.usualMeta = again.usualMeta
	c.settleShare(o, len(own.Rates) > 1)
	return c.checkInitialRates(o, own, params)
}

// defaults are the settings found to work for the optimizer on several tasks;
// every one can be changed by an option.
func defaults(o Optimizer, d rule.Defaults) *config {
	c := &config{optimizer: o, seed: 1, dtype: tensor.Float32, learner: learn.NewGradient, graphs: graph.DefaultGraphs}
	c.Settings = learn.Settings{
		K: max(0, cmp.Or(d.K, 10)), FSD: Const(d.FSD), WSD: Const(d.WSD), NoFSD: d.FSD == 0, NoWSD: d.WSD == 0, Meta: d.Meta,
		MinRate: 1e-8, MaxRate: 1e3, Group: c.group, NextBatch: true, WatchLoss: true,
	}
	c.usualMeta = reflect.DeepEqual(d.Meta, usualMeta())
	if own, ok := learn.UpdaterOf(o); ok && own.Learner() != nil {
		c.learner = own.Learner()
	}
	return c
}

// usualMeta is the meta-optimizer of rules without a default of their own.
func usualMeta() rule.Optimizer { return rule.OptimizerBase{}.Defaults().Meta }

// group numbers the group of each parameter: one of all, or those of the optimizer.
func (c *config) group(params []*graph.Param) ([]int, error) {
	if !c.perParam && c.groups == nil {
		own, err := rule.GroupsOf(c.optimizer, params)
		if err != nil {
			return nil, err
		}
		return own.Of, nil
	}
	group := make([]int, len(params))
	for i, p := range params {
		if c.perParam {
			group[i] = i
		}
		if c.groups != nil {
			k, ok := c.groups[p.Name]
			if !ok {
				return nil, errors.Errorf("trainers: RateGroups: parameter %q has no group", p.Name)
			}
			group[i] = k
		}
	}
	for name := range c.groups {
		if !slices.ContainsFunc(params, func(p *graph.Param) bool { return p.Name == name }) {
			return nil, errors.Errorf("trainers: RateGroups: there is no parameter %q", name)
		}
	}
	return group, nil
}
