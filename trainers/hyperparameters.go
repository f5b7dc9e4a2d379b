package trainers

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// hyperparameterOptions are the options that learn a hyperparameter.
var hyperparameterOptions = []string{"LearnWeightDecay", "LearnDamping", "LearnEpsilon"}

// LearnWeightDecay has APO learn the weight decay λ of the update rule beside its learning
// rate, one for all parameters: φ gets log λ, from the optimizer's own value, which must not
// be 0. SGD, RMSprop, Adam, AdamW, NAdamW, KFAC, EKFAC and Shampoo have one; Adam's and
// RMSprop's is part of their gradient, and of the moments of the step that looks ahead.
// bounds are the least λ and the largest, by default 1e-8 and 1.
//
// Q has the loss of the mini-batch without a penalty: λ becomes what trains fastest, which
// need not be what generalises best.
func LearnWeightDecay(bounds ...float64) Option {
	return learnHyperparameter("LearnWeightDecay", rule.WeightDecay, 1e-8, 1, bounds)
}

// LearnDamping has APO learn the damping λ of KFAC or EKFAC beside the learning rate, one
// for all layers: φ gets log λ, from the optimizer's own value. bounds are the least λ and the
// largest, by default 1e-8 and 1e3.
//
// KFAC's inverses are computed anew after each meta-step, of the factors as they are then.
// A KL clip takes back most of what λ and the rate change in the length of a step: set
// KLClip to 0 where both are learned.
//
// The lookahead is one step, in which a gradient counts once; with momentum μ the run goes
// on to take 1/(1-μ) times as much of it. With momentum 0.9 λ_FSD (option FSD) has a tenth
// of its effect on λ or less, and the default of 1 can let λ fall until the run diverges:
// begin with 3 to 10. benchmarks/NOTES.md has the figures.
func LearnDamping(bounds ...float64) Option {
	return learnHyperparameter("LearnDamping", rule.Damping, 1e-8, 1e3, bounds)
}

// LearnEpsilon has APO learn ε of RMSprop, Adam, AdamW, NAdamW or Shampoo beside the learning
// rate: φ gets log ε, from the optimizer's own value. bounds are the least ε and the largest,
// by default 1e-12 and 1e3. Far below √v̂, as at 1e-8, ε hardly changes Q: begin with more.
//
// Shampoo has (L + ε·I)^(-1/4) as though ε had been that of its start, with the L of its last
// roots: a new ε changes the eigenvalues of that L alone, so that each meta-step is followed
// by new roots without a new decomposition. The derivative takes L as fixed, and eigenvalues
// that are raised to the rounding of the largest. Averages (Beta2 < 1) forget ε: there the
// option is an error. The sums grow and ε matters ever less.
func LearnEpsilon(bounds ...float64) Option {
	return learnHyperparameter("LearnEpsilon", rule.Epsilon, 1e-12, 1e3, bounds)
}

// learnHyperparameter is the option of that name.
func learnHyperparameter(option, name string, lo, hi float64, bounds []float64) Option {
	return func(c *config) error {
		c.give(option)
		lo, hi := lo, hi // an option may be used by several trainers at once
		switch {
		case len(bounds) == 2:
			lo, hi = bounds[0], bounds[1]
		case len(bounds) != 0:
			return errors.Errorf("trainers: %s%v: bounds are two numbers", option, bounds)
		}
		if !(lo > 0) || !(hi >= lo) || math.IsInf(hi, 0) {
			return errors.Errorf("trainers: %s(%v, %v): 0 < lo ≤ hi < ∞ is needed", option, lo, hi)
		}
		all := slices.DeleteFunc(c.Hyperparameters, func(h learn.Hyperparameter) bool { return h.Name == name })
		all = append(all, learn.Hyperparameter{Name: name, Lo: lo, Hi: hi})
		slices.SortFunc(all, func(a, b learn.Hyperparameter) int { return cmp.Compare(a.Name, b.Name) })
		c.Hyperparameters = all
		return nil
	}
}

// describeHyperparameters is what a checkpoint says of those that are learned.
func describeHyperparameters(learned []learn.Hyperparameter) []string {
	all := make([]string, len(learned))
	for i, h := range learned {
		all[i] = fmt.Sprintf("%s in [%v, %v]", h.Name, h.Lo, h.Hi)
	}
	return all
}

// Hyperparameters are the values of those that are learned beside the rates
// (LearnWeightDecay, LearnDamping, LearnEpsilon), by name; nil for none.
func (t *Trainer) Hyperparameters() map[string]float64 { return t.engine.orEmpty().hyperparameters() }

// Hyperparameters is Trainer.Hyperparameters.
func (s *Solver) Hyperparameters() map[string]float64 { return s.engine.orEmpty().hyperparameters() }

func (e *engine) hyperparameters() map[string]float64 {
	if e.Update == nil {
		return nil
	}
	return e.Update.Hyperparameters()
}
