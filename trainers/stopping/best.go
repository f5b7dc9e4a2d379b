package stopping

import (
	"math"

	"github.com/pkg/errors"
)

// Best is the best value that was seen. It is made by Lowest or Highest. Its fields are all of
// its state: as JSON it goes on in a run that is resumed.
type Best struct {
	// Value is the best value, that of evaluation At, counted from 1; 0 and 0 before the
	// first number.
	Value float64 `json:"value"`
	At    int     `json:"at"`
	// Seen is the number of evaluations.
	Seen int `json:"seen"`
	// Patience is the number of evaluations in a row without a better value that end the
	// training; 0 for never.
	Patience int `json:"patience"`
	// MinChange is by how much a value must be better to count; 0 for at all.
	MinChange float64 `json:"min_change,omitempty"`
	// Larger values are better where Highest made it.
	Larger bool `json:"larger,omitempty"`
}

// Lowest is for a measure that is to be small, as a loss. patience is 0 or more.
func Lowest(patience int) *Best { return &Best{Patience: patience} }

// Highest is for a measure that is to be large, as an accuracy.
func Highest(patience int) *Best { return &Best{Patience: patience, Larger: true} }

// Check reports settings that are out of range and a state that no run can have.
func (b *Best) Check() error {
	switch {
	case b.Patience < 0:
		return errors.Errorf("stopping: the patience is %d: it must be 0 or more", b.Patience)
	case !(b.MinChange >= 0) || math.IsInf(b.MinChange, 1):
		return errors.Errorf("stopping: the least change is %v: it must be 0 or more and finite", b.MinChange)
	case b.At < 0 || b.At > b.Seen:
		return errors.Errorf("stopping: the best is evaluation %d of %d", b.At, b.Seen)
	}
	return nil
}

// See counts an evaluation and reports whether its value is the best so far. Of equal values
// the first is the best. NaN and infinities never are.
func (b *Best) See(value float64) bool {
	b.Seen++
	sign := 1.0
	if b.Larger {
		sign = -1
	}
	if math.IsNaN(value) || math.IsInf(value, 0) { // JSON has no infinity
		return false
	}
	if b.At > 0 && !(sign*value < sign*b.Value-b.MinChange) {
		return false
	}
	b.Value, b.At = value, b.Seen
	return true
}

// Stop reports whether the training is to end: the last Patience evaluations were not better.
func (b *Best) Stop() bool { return b.Patience > 0 && b.Seen-b.At >= b.Patience }
