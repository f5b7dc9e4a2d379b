package learn

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Round is what the calibration of a learning rate (see CalibratedConfig) measures at a
// rate r, on one mini-batch in the first rounds and as means over all in the last ones: along
// the rule's step
//
//	Q(ρ) - J_B(θ) = -ρ·N + ½ρ²·(L + λ_0·F + λ_W·W)
//
// which is exact at ρ = r.
type Round struct {
	Rate float64 `json:"rate"` // r
	N    float64 `json:"n"`    // the slope of the loss
	L    float64 `json:"l"`    // the curvature of the loss
	F    float64 `json:"f"`    // and of the function-space term, 0 where λ_0 is
	W    float64 `json:"w"`    // and of the weight-space term
}

// LossChange is J_B(θ') - J_B(θ) at a rate, as the parabola has it.
func (r Round) LossChange(rate float64) float64 { return rate * (rate*r.L/2 - r.N) }

func (p parabola) round(rate float64) Round { return Round{Rate: rate, N: p.n, L: p.l, F: p.f, W: p.w} }

// RateSearch is what a search for a learning rate found.
type RateSearch struct {
	// Rate is η*, the rate at the minimum of the last round's parabola; of several groups of
	// parameters it is that of the first.
	Rate float64 `json:"rate"`
	// Rates are those of all groups, in the order of Trainer.Rates; nil for one rate.
	Rates []float64 `json:"rates,omitempty"`
	// Converged is false where the last round still changed the rate by a tenth or more.
	Converged bool `json:"converged"`
	// Rounds are the measurements that led to the rate.
	Rounds []Round `json:"rounds"`
	// Curve are measurements at rates from Rate/16 to 4·Rate.
	Curve []Round `json:"curve"`
}

// The rates of RateSearch.Curve are 2^(i/2) times the one that was found.
const curveFrom, curveTo = -8, 4

// FindRate calibrates a learning rate at the weights as they are and a fresh state of the
// rule, on mini-batches of a source that is called with 0, 1, … up to c.Batches - 1. x has an
// update of its own, whose rate is the first one tried, and which has the result at the end.
// tilde are the inputs of B', nil where x leaves out the function-space term.
func FindRate(x *Context, c CalibratedConfig, source CalibrationSource, tilde []*tensor.Dense) (*RateSearch, error) {
	made, err := newCalibratedLearner(x, c)
	if err != nil {
		return nil, err
	}
	l := made.(*calibratedLearner)
	lines, err := l.linesFrom(source)
	if err != nil {
		return nil, err
	}
	found := &RateSearch{}
	if found.Rounds, err = l.rounds(lines, tilde); err != nil {
		return nil, err
	}
	found.Rate = l.rate()
	for k := range l.ratios {
		if len(l.ratios) > 1 {
			found.Rates = append(found.Rates, l.update.rateOf(k))
		}
	}
	last := found.Rounds[len(found.Rounds)-1]
	if found.Converged = l.near(last.Rate); found.Converged && last.N <= 0 {
		return nil, errors.Errorf("the loss has the slope %v along the step of %s: there is no descent", -last.N, x.Optimizer.Name())
	}
	for i := curveFrom; i <= curveTo; i++ {
		rate := found.Rate * math.Exp2(float64(i)/2)
		mean, err := l.measureAll(lines, tilde, rate)
		if err != nil {
			return nil, err
		}
		found.Curve = append(found.Curve, mean.round(rate))
	}
	return found, nil
}
