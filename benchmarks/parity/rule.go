package parity

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/precond"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// readRule makes the update rule, or nil after an error.
func readRule(o object) trainers.Optimizer {
	var rule trainers.Optimizer
	switch kind := o.text("kind"); kind {
	case "sgd":
		rule = trainers.SGD(o.number("lr"))
	case "sgdm":
		c := trainers.SGDm(o.number("lr"))
		c.Momentum = o.number("momentum")
		rule = c
	case "rmsprop":
		c := trainers.RMSprop(o.number("lr"))
		c.Decay, c.Eps = o.number("rms_decay"), o.number("eps")
		rule = c
	case "adam":
		rule = readAdam(o)
	case "adamw":
		c := readAdam(o)
		c.WeightDecay, c.Decoupled = o.number("weight_decay"), true
		rule = c
	case "precond":
		rule = readPrecond(o)
	case "kfac":
		c := trainers.KFAC(o.number("lr"))
		c.Momentum, c.Damping, c.CovDecay, c.KLClip = o.number("momentum"), o.number("damping"), o.number("ema"), 0
		c.FactorEvery, c.InverseEvery = o.whole("factor_every"), o.whole("inverse_every")
		rule = c
	case "ekfac":
		c := trainers.EKFAC(o.number("lr"))
		c.Momentum, c.Damping, c.CovDecay, c.KLClip = o.number("momentum"), o.number("damping"), o.number("ema"), 0
		c.FactorEvery, c.BasisEvery = o.whole("factor_every"), o.whole("inverse_every")
		rule = c
	case "shampoo":
		c := trainers.Shampoo(o.number("lr"))
		c.Momentum, c.Eps, c.Beta2 = o.number("momentum"), o.number("epsilon"), o.number("beta2")
		c.RootEvery = o.whole("root_every")
		rule = c
	default:
		o.fail("kind", "is %q: it must be sgd, sgdm, rmsprop, adam, adamw, precond, kfac, ekfac or shampoo", kind)
	}
	return valid(o, rule)
}

// readMetaOptimizer makes the meta-optimizer, or nil after an error.
func readMetaOptimizer(o object) trainers.Optimizer {
	var rule trainers.Optimizer
	switch kind := o.text("kind"); kind {
	case "sgd":
		rule = trainers.MetaSGD(o.number("lr"))
	case "rmsprop":
		c := trainers.RMSprop(o.number("lr"))
		c.Decay, c.Eps = o.number("beta"), o.number("eps")
		rule = c
	case "adam":
		rule = readAdam(o)
	default:
		o.fail("kind", "is %q: it must be sgd, rmsprop or adam", kind)
	}
	return valid(o, rule)
}

func readAdam(o object) *rule.AdamConfig {
	c := trainers.Adam(o.number("lr"))
	c.Beta1, c.Beta2, c.Eps = o.number("b1"), o.number("b2"), o.number("eps")
	return c
}

// readPrecond reads the preconditioner's hyperparameters. Dampening is 1 - momentum by
// default.
func readPrecond(o object) *precond.PlainConfig {
	c := trainers.PrecondPlain(o.number("lr"))
	c.MomentumMode = precond.MomentumMode(o.text("momentum_mode"))
	if c.MomentumMode == precond.MomentumNone {
		return c
	}
	c.Momentum = o.number("momentum")
	c.Dampening = 1 - c.Momentum
	if o.has("dampening") {
		c.Dampening = o.number("dampening")
	}
	return c
}

// valid returns the rule, or nil if it is invalid.
func valid(o object, rule trainers.Optimizer) trainers.Optimizer {
	if o.err() != nil {
		return nil
	}
	if err := rule.Validate(); err != nil {
		o.keep(errors.WithMessage(err, o.path))
		return nil
	}
	return rule
}

// phiOf lists the arrays of φ in the order of Trainer.Phi.
func phiOf(rule trainers.Optimizer, theta []entry) []entry {
	if _, ok := rule.(*precond.PlainConfig); !ok {
		return []entry{{name: "lr"}}
	}
	var all []entry
	for _, w := range theta {
		rows, cols := w.dims[0], w.dims[1]
		all = append(all,
			entry{w.name + "/A", []int{cols, cols}},
			entry{w.name + "/B", []int{rows, rows}},
			entry{w.name + "/S", []int{rows, cols}})
	}
	return all
}

// samplesTargets reports whether the rule samples targets for the Fisher matrix. The
// fixture then has them.
func samplesTargets(rule trainers.Optimizer) bool {
	switch rule.(type) {
	case *curvature.KFACConfig, *curvature.EKFACConfig:
		return true
	}
	return false
}
