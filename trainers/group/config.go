package group

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/rule"
	"github.com/apo-gorgonia/apo/trainers/schedule"
)

// Group chooses parameters and says how they are trained.
type Group struct {
	// Params are patterns of parameter names, as path.Match has them but for the *, which
	// stands for a / too: "dense0", "decoder/*", "*/scale".
	Params []string
	// Kinds are kinds of layers (graph.Param.Kind): of package layers "dense", "conv", "bn",
	// "norm", "attention", "embedding" and "positions". A user's graph has none.
	Kinds []string
	// Optimizer has the rule with its rate, weight decay and all else; nil for the rest's.
	Optimizer rule.Optimizer
	// Schedule is a factor on the rate beside that of the training, which counts the same
	// steps; none by default.
	Schedule schedule.Schedule
	// Frozen keeps the parameters as they are: no gradient is computed for them, and
	// Optimizer and Schedule have no place. The running statistics of a frozen batch
	// norm still follow the mini-batches.
	Frozen bool
}

// Config is an optimizer of several groups. Make it with New.
//
// Weight decay leaves out biases and normalisation, unless DecayAll is set: the last row of a
// matrix with a bias (graph.Param.Bias), the bias of a graph.Pair, a 1×n parameter of a
// user's graph, and every parameter that is no matrix and has no more than one axis longer
// than 1, as scale and shift of a norm have. Moments see no decay there either. Rules that
// sum over parameters cannot leave elements out: with a weight decay they need DecayAll.
//
// APO-Precond learns P of its groups by meta-steps of its own, with the K, λ_FSD and λ_WSD of
// its Defaults: options on meta-steps are for the rates of the other groups. Only EveryK(0) is
// for both. So rules that have no meta-steps by default, such as DoG, learn a factor beside
// APO-Precond. Q has each of the two sides look ahead alone, with the other's weights at θ.
//
// With one group for all parameters that learn it is that rule, bit for bit, but for the
// decay.
type Config struct {
	// Rest trains the parameters in no group. Its Defaults are those of the meta-steps for
	// all rates; where it has no parameters, the first group's are.
	Rest   rule.Optimizer
	Groups []Group
	// DecayAll has weight decay on biases and normalisation too.
	DecayAll bool
}

var _ rule.Grouped = (*Config)(nil)

// New has the given groups, and rest for the other parameters, of which there may be none.
func New(rest rule.Optimizer, groups ...Group) *Config {
	return &Config{Rest: rest, Groups: groups}
}

// Name implements rule.Optimizer.
func (c *Config) Name() string { return "groups" }

// LearningRate implements rule.Optimizer: that of the rest.
func (c *Config) LearningRate() float64 { return c.Rest.LearningRate() }

// optimizers are those of the rest and of the groups that learn.
func (c *Config) optimizers() []rule.Optimizer {
	all := []rule.Optimizer{c.Rest}
	for _, g := range c.Groups {
		if !g.Frozen {
			all = append(all, c.optimizer(g))
		}
	}
	return all
}

// Defaults implements rule.Optimizer: those of the first rule with a learning rate, the
// rest's before the groups'. Beside APO-Precond K is 10 where such a rule has none.
func (c *Config) Defaults() rule.Defaults { return defaults(c.optimizers()) }

func defaults(all []rule.Optimizer) rule.Defaults {
	first := max(0, slices.IndexFunc(all, func(o rule.Optimizer) bool { return !learnsP(o) }))
	d := all[first].Defaults()
	if slices.ContainsFunc(all, learnsP) {
		d.K = max(d.K, 0) // else nothing would learn P
	}
	return d
}

// DrawsTargets implements rule.Optimizer.
func (c *Config) DrawsTargets() bool {
	return slices.ContainsFunc(c.optimizers(), rule.Optimizer.DrawsTargets)
}

// optimizer is that of a group.
func (c *Config) optimizer(g Group) rule.Optimizer {
	if g.Optimizer == nil {
		return c.Rest
	}
	return g.Optimizer
}

// Validate implements rule.Optimizer.
func (c *Config) Validate() error {
	if err := check(c.Rest); err != nil {
		return errors.WithMessage(err, "trainers: groups: the rest")
	}
	for k, g := range c.Groups {
		if err := c.checkGroup(g); err != nil {
			return errors.WithMessagef(err, "trainers: groups: group %d", k)
		}
	}
	return nil
}

func (c *Config) checkGroup(g Group) error {
	if len(g.Params) == 0 && len(g.Kinds) == 0 {
		return errors.New("it has neither Params nor Kinds, so no parameters")
	}
	for _, pattern := range g.Params {
		if _, err := matches(pattern, ""); err != nil {
			return errors.Errorf("the pattern %q is malformed", pattern)
		}
	}
	if g.Frozen && (g.Optimizer != nil || g.Schedule.String() != schedule.Constant().String()) {
		return errors.New("it is Frozen: its Optimizer or Schedule has no effect")
	}
	if err := g.Schedule.Err(); err != nil {
		return err
	}
	return check(c.optimizer(g))
}

// check reports an optimizer that cannot train a group.
func check(o rule.Optimizer) error {
	if graph.IsNil(o) {
		return errors.New("no optimizer")
	}
	if _, ok := o.(rule.Grouped); ok {
		return errors.Errorf("%s within groups", o.Name())
	}
	return o.Validate()
}

// named is an optimizer in a checkpoint.
type named struct {
	Optimizer string         `json:"optimizer"`
	Settings  rule.Optimizer `json:"settings"`
}

func nameOf(o rule.Optimizer) *named {
	if graph.IsNil(o) {
		return nil
	}
	return &named{o.Name(), o}
}

// MarshalJSON is what a checkpoint keeps of it.
func (c *Config) MarshalJSON() ([]byte, error) {
	type stored struct {
		Params   []string `json:"params,omitempty"`
		Kinds    []string `json:"kinds,omitempty"`
		Rule     *named   `json:"rule,omitempty"`
		Schedule string   `json:"schedule"`
		Frozen   bool     `json:"frozen"`
	}
	all := make([]stored, len(c.Groups))
	for k, g := range c.Groups {
		all[k] = stored{g.Params, g.Kinds, nameOf(g.Optimizer), fmt.Sprint(g.Schedule), g.Frozen}
	}
	return json.Marshal(struct {
		Rest     *named   `json:"rest"`
		Groups   []stored `json:"groups"`
		DecayAll bool     `json:"decay_all"`
	}{nameOf(c.Rest), all, c.DecayAll})
}
