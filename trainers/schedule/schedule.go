package schedule

import (
	"fmt"
	"math"
	"slices"

	"github.com/pkg/errors"
)

// Schedule is a factor on the learning rate, adapted or fixed, as a function
// of the step alone; it has no state. The zero value is Constant().
//
// A constructor with an impossible argument returns a schedule whose Err reports
// it.
type Schedule struct {
	at   func(step int) float64 // nil: 1
	name string                 // the call that makes it; "" for Constant()
	err  error
}

// At is the factor for a step, counted from 0; negative steps count as 0. It is
// NaN if Err is not nil.
func (s Schedule) At(step int) float64 {
	switch {
	case s.err != nil:
		return math.NaN()
	case s.at == nil:
		return 1
	}
	return s.at(max(step, 0))
}

// Err names the argument of the constructor that was impossible; nil for none.
func (s Schedule) Err() error { return s.err }

// String is the call that makes the schedule.
func (s Schedule) String() string {
	if s.at == nil {
		return "Constant()"
	}
	return s.name
}

// Constant is the factor 1 at every step.
func Constant() Schedule { return Schedule{} }

// StepDecay multiplies the rate by factor at each of the given steps:
// factorᵏ, where k is the number of milestones that are ≤ step. The order of
// the milestones does not matter; one that is given twice counts twice.
//
// The factor must be finite and > 0, milestones ≥ 0.
func StepDecay(factor float64, steps ...int) Schedule {
	if !(factor > 0) || math.IsInf(factor, 0) {
		return invalid("StepDecay: factor %v is not finite and > 0", factor)
	}
	milestones := slices.Clone(steps)
	for _, m := range milestones {
		if m < 0 {
			return invalid("StepDecay: milestone %d is negative", m)
		}
	}
	return Schedule{name: fmt.Sprintf("StepDecay(%v, %v)", factor, milestones), at: func(step int) float64 {
		f := 1.0
		for _, m := range milestones {
			if step >= m {
				f *= factor
			}
		}
		return f
	}}
}

// Cosine goes from 1 at step 0 along half a cosine to final at step total and
// stays there: final + (1-final)·½(1+cos(π·step/total)).
//
// total must be ≥ 1, final finite and ≥ 0.
func Cosine(total int, final float64) Schedule {
	if total < 1 {
		return invalid("Cosine: total of %d steps is below 1", total)
	}
	if !(final >= 0) || math.IsInf(final, 0) {
		return invalid("Cosine: final factor %v is not finite and ≥ 0", final)
	}
	return Schedule{name: fmt.Sprintf("Cosine(%d, %v)", total, final), at: func(step int) float64 {
		if step >= total {
			return final
		}
		return final + (1-final)*(1+math.Cos(math.Pi*float64(step)/float64(total)))/2
	}}
}

// WarmUp rises linearly from 1/steps at step 0 to 1 at step steps-1, whatever
// then is there; from step steps on it is then. Steps of then count from the start
// of the warm-up: WarmUp(100, Cosine(1000, 0)) reaches 0 at step 1000.
//
// steps must be ≥ 0; 0 means no warm-up. An error of then is passed on.
func WarmUp(steps int, then Schedule) Schedule {
	if steps < 0 {
		return invalid("WarmUp: %d steps", steps)
	}
	if then.err != nil {
		return then
	}
	return Schedule{name: fmt.Sprintf("WarmUp(%d, %v)", steps, then), at: func(step int) float64 {
		if step < steps {
			return float64(step+1) / float64(steps)
		}
		return then.At(step)
	}}
}

// InverseSqrt rises linearly from 1/warmup at step 0 to 1 at step warmup-1,
// then falls like the inverse square root: √(warmup/(step+1)).
//
// warmup must be ≥ 1; 1 means no warm-up.
func InverseSqrt(warmup int) Schedule {
	if warmup < 1 {
		return invalid("InverseSqrt: warm-up of %d steps is below 1", warmup)
	}
	return Schedule{name: fmt.Sprintf("InverseSqrt(%d)", warmup), at: func(step int) float64 {
		t := (float64(step) + 1) / float64(warmup)
		return min(t, 1/math.Sqrt(t))
	}}
}

// invalid is a schedule that has an error and nothing else.
func invalid(format string, args ...any) Schedule {
	return Schedule{err: errors.Errorf("trainers: schedule "+format, args...)}
}
