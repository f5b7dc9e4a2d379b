package rule

import (
	"math"

	"github.com/pkg/errors"
)

// Check is one condition on a hyperparameter.
type Check struct {
	Field string // its name in JSON
	Value float64
	OK    bool
	Want  string // such as "positive and finite"
}

// Require is the condition ok on a value; want says in words what it must be.
func Require(field string, value float64, ok bool, want string) Check {
	return Check{Field: field, Value: value, OK: ok, Want: want}
}

// FirstFailed turns the first condition that does not hold into an error that names
// the optimizer, the field and its value. NaN fails every condition.
func FirstFailed(optimizer string, checks ...Check) error {
	for _, c := range checks {
		if !c.OK || math.IsNaN(c.Value) {
			return errors.Errorf("trainers: %s: %s is %v: it must be %s", optimizer, c.Field, c.Value, c.Want)
		}
	}
	return nil
}

// Positive is the condition 0 < v < ∞.
func Positive(field string, v float64) Check {
	return Require(field, v, v > 0 && !math.IsInf(v, 0), "positive and finite")
}

// NotNegative is the condition 0 ≤ v < ∞.
func NotNegative(field string, v float64) Check {
	return Require(field, v, v >= 0 && !math.IsInf(v, 0), "0 or more and finite")
}

// Fraction is the condition 0 ≤ v < 1.
func Fraction(field string, v float64) Check {
	return Require(field, v, v >= 0 && v < 1, "at least 0 and less than 1")
}

// AtLeastOne is the condition n ≥ 1.
func AtLeastOne(field string, n int) Check {
	return Require(field, float64(n), n >= 1, "1 or more")
}
