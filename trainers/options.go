package trainers

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Option is a setting of New and Wrap. A setting that makes no sense is an
// error there, and so is one without effect on the optimizer or with another that
// was given. Where K is 0, options for learning φ have no effect and are no error.
type Option func(*config) error

// EveryK takes a meta-step every k steps, beginning with the first (K of Algorithm 1). 0
// switches them off, which leaves the base optimizer as it is. The default is 10; for Precond
// 20, and more often at first; 0 for rules that find their rate themselves, such as Prodigy.
func EveryK(k int) Option {
	return func(c *config) error {
		if k < 0 {
			return errors.Errorf("trainers: EveryK(%d): K must be 0 or more", k)
		}
		c.give("EveryK")
		c.K = k
		return nil
	}
}

// FSD sets λ_FSD, the weight of the function-space discrepancy, and optionally
// the divergence, where the loss does not bring one. λ = 0 leaves the term and
// its passes out. The default is 1, for RMSprop 0.1, for Precond 1/LR (1 where LR is 0).
func FSD(lambda float64, divergence ...graph.Divergence) Option {
	return func(c *config) error {
		if lambda > 0 && (len(divergence) == 0 || lambda != 1) {
			c.give("FSD")
		}
		if err := learn.CheckLambda("FSD", lambda); err != nil {
			return err
		}
		c.FSD, c.NoFSD, c.varies.fsd = Const(lambda), lambda == 0, false
		return setDivergence(c, divergence)
	}
}

// FSDSchedule makes λ_FSD a function of the step.
func FSDSchedule(lambda Weight, divergence ...graph.Divergence) Option {
	return func(c *config) error {
		c.give("FSDSchedule")
		if lambda == nil {
			return errors.New("trainers: FSDSchedule: no function")
		}
		c.FSD, c.NoFSD, c.varies.fsd = lambda, false, true
		return setDivergence(c, divergence)
	}
}

func setDivergence(c *config, d []graph.Divergence) error {
	switch {
	case len(d) > 1:
		return errors.Errorf("trainers: FSD takes one divergence, not %d", len(d))
	case len(d) == 1 && d[0].Build == nil:
		return errors.New("trainers: FSD: the divergence is empty")
	case len(d) == 1:
		c.divergence = d[0]
	}
	return nil
}

// WSD sets λ_WSD, the weight of the weight-space discrepancy ½‖θ'-θ‖². The
// default is 0 for learning rates, 0.1 for PrecondPlain and Damping/LR (Damping where LR is 0) for Precond.
func WSD(lambda float64) Option {
	return func(c *config) error {
		if lambda > 0 {
			c.give("WSD")
		}
		if err := learn.CheckLambda("WSD", lambda); err != nil {
			return err
		}
		c.WSD, c.NoWSD, c.varies.wsd = Const(lambda), lambda == 0, false
		return nil
	}
}

// WSDSchedule makes λ_WSD a function of the step.
func WSDSchedule(lambda Weight) Option {
	return func(c *config) error {
		c.give("WSDSchedule")
		if lambda == nil {
			return errors.New("trainers: WSDSchedule: no function")
		}
		c.WSD, c.NoWSD, c.varies.wsd = lambda, false, true
		return nil
	}
}

// Meta sets the meta-optimizer, such as MetaAdam(0.1): an optimizer of this package that
// moves φ at its own learning rate. Rates are learned as log η, so there 0.1 means steps of up to
// about 10%. The default is MetaAdam(0.1), and Adam at 0.003 with β2 = 0.99 for PrecondPlain; a
// run that is resumed goes on with the default that it began with.
func Meta(o Optimizer) Option {
	return func(c *config) error {
		c.give("Meta")
		if graph.IsNil(o) {
			return errors.New("trainers: Meta: no optimizer")
		}
		if err := o.Validate(); err != nil {
			return errors.WithMessage(err, "trainers: meta-optimizer")
		}
		_, updates := o.(learn.Updater)
		if _, grouped := o.(rule.Grouped); updates || grouped {
			return errors.Errorf("trainers: %s cannot be a meta-optimizer", o.Name())
		}
		c.Meta = o
		return nil
	}
}

// ClipMeta limits the norm of the meta-gradient ∂Q/∂φ. 0, the default, does
// not.
func ClipMeta(norm float64) Option {
	return func(c *config) error {
		if norm > 0 {
			c.give("ClipMeta")
		}
		if !(norm >= 0) {
			return errors.Errorf("trainers: ClipMeta(%v): the norm must be 0 or more", norm)
		}
		c.ClipMeta = norm
		return nil
	}
}

// RateBounds keeps adapted learning rates, before the schedule's factor, within
// [lo, hi]. The default is [1e-8, 1e3].
func RateBounds(lo, hi float64) Option {
	return func(c *config) error {
		c.give("RateBounds")
		if !(lo > 0) || !(hi >= lo) || math.IsInf(hi, 0) {
			return errors.Errorf("trainers: RateBounds(%v, %v): 0 < lo ≤ hi < ∞ is needed", lo, hi)
		}
		c.MinRate, c.MaxRate = lo, hi
		return nil
	}
}

// LinearRate learns the rate η itself instead of log η.
func LinearRate() Option {
	return func(c *config) error {
		c.give("LinearRate")
		c.Linear = true
		return nil
	}
}

// RatePerParam learns a rate for each parameter (layer) instead of one for all.
func RatePerParam() Option {
	return func(c *config) error {
		c.give("RatePerParam")
		c.perParam = true
		return nil
	}
}

// RateGroups learns a rate for each group of parameters: a map from parameter
// names to group numbers, which count from 0 without gaps.
func RateGroups(group map[string]int) Option {
	return func(c *config) error {
		c.give("RateGroups")
		if len(group) == 0 {
			return errors.New("trainers: RateGroups: no groups")
		}
		c.groups = group
		return nil
	}
}

// WithSchedule multiplies the adapted (or fixed) learning rate, or APO-Precond's
// update, by a schedule.
func WithSchedule(s Schedule) Option {
	return func(c *config) error {
		c.schedule = s
		return errors.WithMessage(s.Err(), "trainers: WithSchedule")
	}
}

// Seed seeds initial weights and dropout masks. The default is 1.
func Seed(seed uint64) Option {
	return func(c *config) error {
		c.seed = seed
		return nil
	}
}

// Dtype sets the element type of New's weights, tensor.Float32 (the default) or
// tensor.Float64.
func Dtype(dt tensor.Dtype) Option {
	return func(c *config) error {
		c.give("Dtype")
		if !apoops.IsFloat(dt) {
			return errors.Errorf("trainers: Dtype(%v): float32 or float64 is needed", dt)
		}
		c.dtype = dt
		return nil
	}
}

// Graphs sets how many graphs of each kind a training keeps: of the gradient, of
// meta-steps, of curvature, of evaluation. A graph is made for batches of some shapes when
// they first come; beyond n graphs the one not used for longest goes, and is made again
// when it is needed. All share weights and memory. It changes time and memory, not
// results. The default is 8. A user's graph has one of each.
func Graphs(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return errors.Errorf("trainers: Graphs(%d): it must be 1 or more", n)
		}
		c.graphs = n
		return nil
	}
}

// Record sends the statistics of every step to r. See SetRecorder for a run that may go on.
func Record(r Recorder) Option {
	return func(c *config) error {
		if graph.IsNil(r) {
			return errors.New("trainers: Record: no recorder")
		}
		c.recorder = r
		return nil
	}
}

// Blocks sets APO-Precond's blocks. By default each matrix has A, B and S (Precond:
// low rank in their place), each other parameter a diagonal S². blocks gets the learned parameters, without the
// model's statistics.
func Blocks(blocks func(params []*graph.Param) ([]graph.Block, error)) Option {
	return func(c *config) error {
		c.give("Blocks")
		if blocks == nil {
			return errors.New("trainers: Blocks: no function")
		}
		c.Blocks = blocks
		return nil
	}
}

// SampledTargets gives the targets that KFAC and EKFAC compute the Fisher matrix
// with, instead of drawing them from the model's distribution: for runs that must
// repeat another program's. It is called with the step's number, counted from 0,
// and returns arrays like the batch's targets.
func SampledTargets(source func(step int) []*tensor.Dense) Option {
	return func(c *config) error {
		c.give("SampledTargets")
		if source == nil {
			return errors.New("trainers: SampledTargets: no function")
		}
		c.targets = source
		return nil
	}
}

// Calibrated learns one learning rate for all parameters by another rule than steps
// down ∂Q/∂φ: it measures Q's parabola along the step (see CalibratedConfig). With Groups it is
// one factor on their rates, whose ratios stay. Other rules than those with a rule.LineSearch
// are refused, and so are RatePerParam and RateGroups.
// Options without effect on it are refused: a λ_FSD without a divergence,
// FSDSchedule, WSD, WSDSchedule, Meta, ClipMeta and LinearRate.
func Calibrated(c CalibratedConfig) Option {
	return func(a *config) error {
		a.give("Calibrated")
		c := c.Filled()
		if err := c.Validate(); err != nil {
			return err
		}
		a.learner = learn.NewCalibrated(c)
		return nil
	}
}

// CalibrateFrom sets the source of the mini-batches that Calibrated looks at
// before step 0: it is called with 0, 1, … up to CalibratedConfig.Batches - 1,
// and what it returns need only be valid until its next call: BatchAt of the
// training's own NewBatches is one. The batches have the shapes of the training's.
// It is for a Trainer: for Wrap, where the gradients come from outside, it is an
// error.
func CalibrateFrom(source func(i int) (graph.Batch, error)) Option {
	return func(c *config) error {
		c.give("CalibrateFrom")
		if source == nil {
			return errors.New("trainers: CalibrateFrom: no function")
		}
		c.Calibration = source
		return nil
	}
}
