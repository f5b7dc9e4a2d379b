package rule

import "math"

// Optimizer describes an update rule by its hyperparameters. It holds no state:
// one description may start many trainings. Its constructor, such as Adam, sets
// the usual values; exported fields may be changed before it is used. A checkpoint
// keeps it as JSON and compares it with that of the run that goes on.
//
// A type outside this module embeds OptimizerBase.
type Optimizer interface {
	// Name is the rule's name, such as "adam".
	Name() string
	// Validate reports hyperparameters out of range.
	Validate() error
	// LearningRate is the initial learning rate η.
	LearningRate() float64
	// Defaults are the settings of APO that suit the rule.
	Defaults() Defaults
	// DrawsTargets reports whether the rule computes a Fisher matrix with targets
	// that it draws from the model's distribution (SampledTargets).
	DrawsTargets() bool
	// Start makes the rule, with its initial state, for a task.
	Start(t *Task) (Rule, error)
}

// Defaults are the settings of APO that suit an optimizer; options replace them.
type Defaults struct {
	FSD  float64   // λ_FSD
	WSD  float64   // λ_WSD; 0 leaves the term out
	Meta Optimizer // moves φ
	K    int       // steps between meta-steps; 0 for 10, below 0 for none
}

// OptimizerBase has the methods of Optimizer that few need to change.
type OptimizerBase struct{}

// Defaults are λ_FSD = 1, λ_WSD = 0 and MetaAdam(0.1).
func (OptimizerBase) Defaults() Defaults { return Defaults{FSD: 1, Meta: MetaAdam(0.1)} }

// withoutMetaSteps are the Defaults of a rule that finds the length of its steps itself:
// APO learns a factor on it where EveryK says so.
func withoutMetaSteps() Defaults {
	d := OptimizerBase{}.Defaults()
	d.K = -1
	return d
}

// DrawsTargets is false.
func (OptimizerBase) DrawsTargets() bool { return false }

// MetaSGD is plain gradient descent on φ.
func MetaSGD(lr float64) Optimizer { return SGD(lr) }

// MetaRMSprop is RMSprop on φ with bias correction. Without it the first
// meta-step is 1/√(1-0.99) = 10 times too long, and many runs diverge at once;
// RMSprop(lr) as a meta-optimizer has that form.
func MetaRMSprop(lr float64) Optimizer {
	c := RMSprop(lr)
	c.BiasCorrection = true
	return c
}

// MetaAdam is Adam on φ.
func MetaAdam(lr float64) Optimizer { return Adam(lr) }

// KLClip is ν = min(1, √(limit/size)), where size is Σ η²·<d, g>: about twice the KL
// divergence that a step η·d causes (Ba, Grosse & Martens 2017). A limit of 0 is none.
func KLClip(limit, size float64) float64 {
	if limit <= 0 || !(size > limit) {
		return 1
	}
	return math.Sqrt(limit / size)
}
