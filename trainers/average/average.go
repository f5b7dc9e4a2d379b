package average

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
)

// Average says how much the newest weights count. The zero value is none.
type Average struct {
	name  string
	share func(t int) float64
	err   error
}

// Exponential is the exponential moving average, c_t = (1-decay)/(1-decay^t): θ̄_t is the
// average of θ_1, …, θ_t with the weights decay^(t-k), in which the initial weights have no
// part. decay is at least 0 and below 1, such as 0.999; the average reaches back over about
// 1/(1-decay) steps.
func Exponential(decay float64) Average {
	a := Average{name: fmt.Sprintf("exponential %v", decay)}
	if !(decay >= 0 && decay < 1) {
		a.err = errors.Errorf("trainers: average.Exponential(%v): it must be at least 0 and less than 1", decay)
	}
	a.share = func(t int) float64 { return (1 - decay) / (1 - math.Pow(decay, float64(t))) }
	return a
}

// PolynomialDecay is c_t = (1+gamma)/(t+gamma) (Shamir & Zhang 2013): it reaches back over a
// part of all steps, about 1/(1+gamma) of them. The authors of DoG take gamma = 8; 0 is the
// mean of all. It must be 0 or more.
func PolynomialDecay(gamma float64) Average {
	a := Average{name: fmt.Sprintf("polynomial decay %v", gamma)}
	if !(gamma >= 0) || math.IsInf(gamma, 0) {
		a.err = errors.Errorf("trainers: average.PolynomialDecay(%v): it must be 0 or more and finite", gamma)
	}
	a.share = func(t int) float64 { return (1 + gamma) / (float64(t) + gamma) }
	return a
}

// Err reports a number out of range, or that there is no average.
func (a Average) Err() error {
	if a.share == nil {
		return errors.New("trainers: no average of the weights")
	}
	return a.err
}

// String names the average with its number.
func (a Average) String() string { return a.name }

// Share is c_t, for t from 1 on: 1 at t = 1.
func (a Average) Share(t int) float64 { return a.share(t) }
