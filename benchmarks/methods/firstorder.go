package methods

import "github.com/apo-gorgonia/apo/trainers"

// ruleOf makes a first-order optimizer with a learning rate and an L2 penalty. v has
// hyperparameters of the rule besides the rate, where a space has such.
type ruleOf func(lr, l2 float64, v Values) trainers.Optimizer

func sgd(lr, l2 float64, _ Values) trainers.Optimizer {
	o := trainers.SGD(lr)
	o.WeightDecay = l2
	return o
}

func sgdm(lr, l2 float64, _ Values) trainers.Optimizer {
	o := trainers.SGDm(lr)
	o.WeightDecay = l2
	return o
}

func rmsprop(lr, l2 float64, _ Values) trainers.Optimizer {
	o := trainers.RMSprop(lr)
	o.WeightDecay = l2
	return o
}

func adam(lr, l2 float64, _ Values) trainers.Optimizer {
	o := trainers.Adam(lr)
	o.WeightDecay = l2
	return o
}

// adamw has decoupled weight decay instead of the L2 penalty. Spaces may have beta2 and
// weight_decay.
func adamw(lr, _ float64, v Values) trainers.Optimizer {
	o := trainers.AdamW(lr)
	if beta2, ok := v["beta2"]; ok {
		o.Beta2 = beta2
	}
	if decay, ok := v["weight_decay"]; ok {
		o.WeightDecay = decay
	}
	return o
}

// nadamw has decoupled weight decay, as adamw.
func nadamw(lr, _ float64, v Values) trainers.Optimizer {
	o := trainers.NAdamW(lr)
	if beta2, ok := v["beta2"]; ok {
		o.Beta2 = beta2
	}
	if decay, ok := v["weight_decay"]; ok {
		o.WeightDecay = decay
	}
	return o
}

// baseRule is a first-order optimizer of the tables.
type baseRule struct {
	name, label string
	rule        ruleOf
	noL2        bool
}

var baseRules = []baseRule{
	{"sgd", "SGD", sgd, false},
	{"sgdm", "SGDm", sgdm, false},
	{"rmsprop", "RMSprop", rmsprop, false},
	{"adam", "Adam", adam, false},
	{"adamw", "AdamW", adamw, true},
	{"nadamw", "NAdamW", nadamw, true},
}

// firstOrder are the first-order optimizers at a fixed rate.
var firstOrder = func() (ms []*Method) {
	for _, b := range baseRules {
		ms = append(ms, &Method{
			Name: b.name, Family: b.name, Label: b.label, Space: b.name, Needs: b.name, NoL2: b.noL2,
			Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
				return b.rule(v["lr"], run.L2, v), []trainers.Option{trainers.EveryK(0)}, nil
			},
		})
	}
	return ms
}()
