package selftune

import (
	"math"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// value is what a method makes small: the error rate on the test set, the loss there, or
// the training loss where there is no test set. It is +Inf where it is not a number.
func value(m experiments.Measure, e suite.Evaluation) float64 {
	v := float64(e.TrainLoss)
	switch {
	case m == experiments.TestAccuracy && e.Accuracy != nil:
		v = 1 - float64(*e.Accuracy)
	case e.TestLoss != nil:
		v = float64(*e.TestLoss)
	}
	if math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}

// valueName names it.
func valueName(m experiments.Measure, e suite.Evaluation) string {
	switch {
	case m == experiments.TestAccuracy && e.Accuracy != nil:
		return "error rate on the test set"
	case e.TestLoss != nil:
		return "loss on the test set"
	}
	return "training loss"
}

// bestValue is the lowest value of a run, +Inf if it has none.
func bestValue(m experiments.Measure, r *suite.Run) float64 {
	best := math.Inf(1)
	for _, e := range r.Evaluations {
		best = min(best, value(m, e))
	}
	return best
}

// cost is the time of something in steps and in seconds of training.
type cost struct{ steps, seconds float64 }

var never = cost{math.Inf(1), math.Inf(1)}

// timeTo is the time of the first evaluation after a step whose value is at most the
// target, or never.
func timeTo(m experiments.Measure, r *suite.Run, target float64) cost {
	for _, e := range r.Evaluations {
		if e.Step > 0 && value(m, e) <= target {
			return cost{float64(e.Step), e.Seconds}
		}
	}
	return never
}

// targetOf is the median of the best values of the reference's runs; NaN for none.
func targetOf(m experiments.Measure, runs []*suite.Run) float64 {
	var best []float64
	for _, r := range runs {
		best = append(best, bestValue(m, r))
	}
	return suite.Median(best)
}
