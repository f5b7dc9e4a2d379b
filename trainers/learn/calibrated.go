package learn

import (
	"math"

	"github.com/apo-gorgonia/apo/trainers/rule"
)

// CalibratedConfig has the settings of Calibrated, which learns one learning rate for
// all parameters in another way than by steps down ∂Q/∂φ. The weights move at the
// rate b·c_t·R(t) times the schedule's factor; φ is log b. It needs no backward pass:
// along the line θ' = θ - r·e, where e is the rule's search direction
// (rule.LineSearch), the terms of Q are
//
//	N = <∇J, e>                         L = 2(J_B(θ') - J_B(θ) + r·N)/r²
//	F = 2·D_F(θ', θ)/r²                 W = ‖e‖²
//
// each measured at a finite r, F on the rows of B' that FSDFraction leaves, so that the parabola
//
//	Q(ρ) - J_B(θ) = -ρ·N + ½ρ²·(L + λ_0·F + λ_W·W)
//
// is exact at ρ = r, and has its minimum at η* = N/(L + λ_0·F + λ_W·W).
//
// Calibration. Before step 0, with the weights and a fresh state of the rule, b
// becomes the η* that was measured at r = b, in rounds, until it changes by less
// than a tenth: N, L, F and W are first those of one mini-batch, then means over
// all of CalibrateFrom; without that option there is only the first one. A round
// changes b by at most 20 times: up where Q has no minimum, down where it is not
// finite. So the initial rate hardly matters. F is measured if λ_0 > 0 alone.
//
// Warm-up. At θ_0 the loss may fall for long along a step that would harm the
// net, as where only the biases of the outputs have something to learn. So the
// rate rises linearly to b in the first WarmUp steps.
//
// Tracking. Every K steps running averages of N/W, L/W and F/W, measured at
// r = b, give an η*, and b is kept within [η*/2, 2η*]; b is halved where N̄ ≤ 0,
// doubled where Q has no minimum. After a warm-up, with which the averages begin,
// b stays for five meta-steps more. After a quarter of the horizon, or step Growth without one,
// and ten meta-steps after the warm-up at the earliest, it is at most twice what it was there:
// the loss on examples that are known by heart has no curvature. Where Q is not finite at b, b
// becomes b/20, and the measurement is counted as skipped.
//
// Falling back. A step that lowers the loss of its own mini-batch may harm the rest, as in a
// recurrent net, and what is measured does not tell. So from one meta-step to the next, but for
// 10 steps at least, the losses of the steps are averaged. Where two such means in a row lie above
// the lowest one by more than Rise times what it had fallen since the first, and by more than four
// standard errors, b becomes half of the rate of the lowest, or of the present one if that is less,
// and from then on is at most half of what it was. A warm-up ends there, the running averages begin again, and b stays for five
// meta-steps, in which the loss is not watched; nor is it after half the horizon, or 2·Growth steps
// without one.
//
// Decay. The weight of the function-space term grows:
//
//	1 + λ(t) = (1 + λ_0)·s(t),    s(t) = 1/max(½(1 + cos(πt/T)), 1e-3)
//
// or s(t) = 1 + t/Growth without a horizon T, and
//
//	R(t) = (L' + λ_0·F̄)/(L' + λ(t)·F̄),    L' = max(L̄, 0.3·F̄)
//
// lowers the rate as η* would fall; without function-space term R = 1.
//
// e is g/(1-μ²) for SGD with momentum μ; c_t·g/(√v + ε) for RMSprop, where
// c_t = √(1-β^t), or 1 where the rule has BiasCorrection itself; and
// g/((√v̂ + ε)(1+β1)) for Adam and AdamW. c_t = 1 for all but RMSprop. L2 weight
// decay is part of the gradient that e is made of, but not of J_B; AdamW's
// decoupled decay is no part of e.
//
// Where gradients are clipped (ClipNorm, ClipValue) e is made of the clipped g, and ∇J in N
// is not clipped.
//
// KFAC, EKFAC and Shampoo have e = P(g)/(1-μ²), and a KL clip is an error. Rules
// without a line search are refused.
//
// Groups of parameters (package group) move along one line: for those of group k, e is ρ_k times
// the search direction of the group's rule, where ρ_k = η_k/η_0 is the ratio of the rates that the
// groups begin with. So b is the rate of the first group, the rest where that has parameters;
// group k has the rate ρ_k·b times its rule's c_t, and φ has the logarithms of all. Schedules of
// groups are factors on top, as the training's is: the line does not have them. Bounds of the
// rates bound b, so that the ratios stay. RatePerParam and RateGroups are refused.
//
// Of the function-space option FSD only the divergence counts, and FSD(0), which leaves the
// term out. Options that have no effect on it are refused: a λ_FSD without a
// divergence, FSDSchedule, WSD, WSDSchedule, Meta, ClipMeta and LinearRate. A
// meta-step costs three forward passes, two of them of the rows of B' that FSDFraction
// leaves.
//
// Zero values of the settings stand for the defaults.
type CalibratedConfig struct {
	// Horizon T is the number of steps the training will have, by whose end the
	// rate has fallen; 0 where it is not known.
	Horizon int `json:"horizon"`
	// Lambda0 is λ_0, the weight of the function-space term at step 0, 0 by default. Noisy
	// gradients and losses without a lower bound need one, such as 1 or 10.
	Lambda0 float64 `json:"lambda0"`
	// LambdaWSD is λ_W, the weight of the weight-space term.
	LambdaWSD float64 `json:"lambda_wsd"`
	// WarmUp is the number of steps in which the rate rises, 1 for none. It is a tenth
	// of the horizon by default, and 1 where that is not known.
	WarmUp int `json:"warm_up,omitempty"`
	// Batches is the number of mini-batches that CalibrateFrom is asked for, 5 by
	// default.
	Batches int `json:"batches"`
	// Rounds is the largest number of rounds of the calibration on one mini-batch,
	// and again on all; 12 by default.
	Rounds int `json:"rounds"`
	// Decay is that of the running averages, by meta-steps; 0.9 by default.
	Decay float64 `json:"decay"`
	// Growth is the number of steps in which 1+λ grows by 1+λ_0 where there is no
	// horizon, 600 by default.
	Growth float64 `json:"growth"`
	// Rise is the part of what the loss has fallen that may come back before b is halved, 0.1
	// by default. With 1 or more the loss is not watched, for those whose loss rises for other
	// reasons, as in a game, or where the data change.
	Rise float64 `json:"rise,omitempty"`
}

// Filled is c with defaults for zero values.
func (c CalibratedConfig) Filled() CalibratedConfig {
	if c.WarmUp == 0 {
		c.WarmUp = c.usualWarmUp()
	}
	if c.Batches == 0 {
		c.Batches = 5
	}
	if c.Rounds == 0 {
		c.Rounds = 12
	}
	if c.Decay == 0 {
		c.Decay = 0.9
	}
	if c.Growth == 0 {
		c.Growth = 600
	}
	if c.Rise == 0 {
		c.Rise = 0.1
	}
	return c
}

func (c CalibratedConfig) usualWarmUp() int { return max(1, c.Horizon/10) }

// Validate reports settings out of range.
func (c CalibratedConfig) Validate() error {
	return rule.FirstFailed("Calibrated", rule.NotNegative("horizon", float64(c.Horizon)), rule.NotNegative("warm_up", float64(c.WarmUp)),
		rule.NotNegative("lambda0", c.Lambda0),
		rule.NotNegative("lambda_wsd", c.LambdaWSD), rule.Positive("batches", float64(c.Batches)), rule.Positive("rounds", float64(c.Rounds)),
		rule.Fraction("decay", c.Decay), rule.Positive("growth", c.Growth),
		rule.Positive("rise", c.Rise))
}

// settling is the number of meta-steps after the warm-up in which b stays.
const settling = 5

// lambda is λ(t), the weight of the function-space term at a step.
func (c CalibratedConfig) lambda(step int) float64 {
	s := 1 + float64(step)/c.Growth
	if c.Horizon > 0 {
		t := min(float64(step)/float64(c.Horizon), 1)
		s = 1 / max((1+math.Cos(math.Pi*t))/2, 1e-3)
	}
	return (1+c.Lambda0)*s - 1
}
