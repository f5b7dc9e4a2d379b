package trainers

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/precond"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// give notes that an option was given.
func (c *config) give(option string) {
	if c.given == nil {
		c.given = make(map[string]bool)
	}
	c.given[option] = true
}

// conflict is an option that has no effect with another, or with an optimizer.
type conflict struct {
	option, with string
	found        bool
	// learning is set where it is about learning φ alone: with K = 0 such options
	// have no effect anyway, so that K can be set to 0 and the others left as they are.
	learning bool
}

// checkConflicts reports options without effect. What a number switches off, as
// EveryK(0), FSD(0), WSD(0) and ClipMeta(0) do, may be switched off.
func (c *config) checkConflicts(o Optimizer) error {
	if _, grouped := o.(rule.Grouped); !grouped && o.Defaults().K < 0 && !c.given["EveryK"] {
		for _, option := range learningOptions {
			if c.given[option] {
				return errors.Errorf("trainers: %s has no effect with %s, which takes no meta-steps unless EveryK says so", option, o.Name())
			}
		}
	}
	for _, x := range c.conflicts(o) {
		if x.found && c.given[x.option] && !(x.learning && c.K == 0) {
			return errors.Errorf("trainers: %s has no effect with %s: leave one of them out", x.option, x.with)
		}
	}
	return nil
}

// learningOptions ask for a φ that is learned.
var learningOptions = append([]string{
	"Calibrated", "Meta", "ClipMeta", "RateGroups", "RatePerParam", "LinearRate", "FSD", "FSDSchedule", "WSD", "WSDSchedule", "FSDFraction", "SameBatch",
}, hyperparameterOptions...)

func (c *config) conflicts(o Optimizer) []conflict {
	name := o.Name()
	_, grouped := o.(rule.Grouped)
	own, learnsP := learn.UpdaterOf(o)
	mixed := learnsP && grouped // P of some parameters, rates of the others
	learnsP = learnsP && !mixed
	relative := learnsP && own.Learner() != nil
	calibrated := c.given["Calibrated"]
	var all []conflict
	add := func(found, learning bool, with string, options ...string) {
		for _, option := range options {
			all = append(all, conflict{option, with, found, learning})
		}
	}
	add(learnsP, true, name+", which has no learning rates", "RateGroups", "RatePerParam", "LinearRate", "RateBounds")
	add(learnsP, true, name+", which takes the mini-batch of the step", "SameBatch")
	add(calibrated, true, "Calibrated, which takes the mini-batch of the step", "SameBatch")
	add(len(c.Hyperparameters) > 0, true, "hyperparameters to learn, for which it is the rule", "SameBatch")
	add(learnsP, true, name+", whose P is learned as a whole", hyperparameterOptions...)
	add(calibrated, true, "Calibrated", hyperparameterOptions...)
	add(relative, true, "the relative steps of "+name, "Meta", "ClipMeta")
	_, probes := o.(*precond.Config)
	add(probes, true, name+", whose Rows say how much of B it takes", "FSDFraction")
	add(c.NoFSD, true, "FSD(0), which leaves the function-space term out", "FSDFraction")
	add(c.given["RateGroups"], true, "RateGroups", "RatePerParam")
	add(mixed, true, name+", in which P is learned beside the rates", append([]string{"Calibrated"}, hyperparameterOptions...)...)
	add(grouped, true, name+", each of which has a learning rate", "RateGroups")
	add(calibrated, true, "Calibrated", "Meta", "ClipMeta", "WSD", "WSDSchedule", "FSDSchedule", "LinearRate")
	add(calibrated, true, "Calibrated, which finds λ_FSD itself (FSD(1, divergence) gives the divergence alone)", "FSD")
	add(!learnsP, false, name, "Blocks")
	add(!calibrated, false, name+" without Calibrated", "CalibrateFrom")
	add(!o.DrawsTargets(), false, name+", which draws no targets", "SampledTargets")
	return all
}

// checkInitialRates reports a rate that the first meta-step would move into the
// bounds, with the first parameter of its group.
func (c *config) checkInitialRates(o Optimizer, own *rule.Groups, params []*graph.Param) error {
	_, learnsP := learn.UpdaterOf(o)
	_, grouped := o.(rule.Grouped)
	if c.K == 0 || learnsP && !grouped {
		return nil
	}
	for k, rate := range own.Rates {
		if rate >= c.MinRate && rate <= c.MaxRate {
			continue
		}
		of := o.Name()
		if grouped {
			of = fmt.Sprintf("the group of %q", params[slices.Index(own.Of, k)].Name)
		}
		return errors.Errorf("trainers: the learning rate %v of %s is outside RateBounds(%v, %v)", rate, of, c.MinRate, c.MaxRate)
	}
	return nil
}

// checkDtype reports a Dtype other than that of the weights of a graph that is
// there.
func (c *config) checkDtype(params []*graph.Param) error {
	if dt := params[0].Value.Dtype(); c.given["Dtype"] && dt != c.dtype {
		return ErrDtype.Errorf("trainers: Dtype(%v) for a graph with weights of %v: the weights are the graph's", c.dtype, dt)
	}
	return nil
}

// checkDivergence reports a graph of the user's whose loss brings no divergence.
func (c *config) checkDivergence(p graph.Problem) error {
	if c.K > 0 && !c.NoFSD && p.Divergence.Build == nil {
		return errors.New("the function-space term needs a divergence for the output: FSD(λ, graph.CategoricalKL), for example, or FSD(0)")
	}
	return nil
}
