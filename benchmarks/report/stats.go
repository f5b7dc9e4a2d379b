package report

import (
	"math"
	"slices"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// spread is the distribution of a number over the seeds.
type spread struct{ median, low, high float64 }

func spreadOf(x []float64) spread {
	return spread{suite.Median(x), slices.Min(x), slices.Max(x)}
}

// each returns f of each run.
func (r *series) each(f func(*suite.Run) float64) []float64 {
	x := make([]float64, len(r.runs))
	for i, run := range r.runs {
		x[i] = f(run)
	}
	return x
}

// final is the final training loss, +Inf for a run that diverged.
func (r *series) final() spread { return spreadOf(r.each((*suite.Run).FinalLoss)) }

// loss is the training loss at a step, from the last evaluation up to then.
func (r *series) loss(step int) float64 {
	return suite.Median(r.each(func(run *suite.Run) float64 { return lossAt(run, step) }))
}

func lossAt(run *suite.Run, step int) float64 {
	if d := run.Done.DivergedAt; d != nil && step >= *d {
		return math.Inf(1)
	}
	loss := math.Inf(1)
	for _, e := range run.Evaluations {
		if e.Step <= step {
			loss = float64(e.TrainLoss)
		}
	}
	return loss
}

func (r *series) secondsPerStep() float64 {
	return suite.Median(r.each(func(run *suite.Run) float64 { return run.Done.SecondsPerStep }))
}

func (r *series) peakBytes() float64 {
	return suite.Median(r.each(func(run *suite.Run) float64 { return float64(run.Done.PeakBytes) }))
}

func (r *series) diverged() int {
	n := 0
	for _, run := range r.runs {
		if run.Done.DivergedAt != nil {
			n++
		}
	}
	return n
}

// timeTo is the time spent in training steps until the training loss reaches the
// target, the median over the seeds. The logarithm of the loss is interpolated
// linearly between evaluations. A run that does not reach the target counts as +Inf.
func (r *series) timeTo(target float64) float64 {
	return suite.Median(r.each(func(run *suite.Run) float64 { return timeTo(run.Evaluations, target) }))
}

func timeTo(es []suite.Evaluation, target float64) float64 {
	for i, e := range es {
		if !(float64(e.TrainLoss) <= target) {
			continue
		}
		if i == 0 {
			return e.Seconds
		}
		before := es[i-1]
		a, b := float64(before.TrainLoss), float64(e.TrainLoss)
		part := 1.0
		if a > b && b > 0 && !math.IsInf(a, 0) {
			part = math.Log(a/target) / math.Log(a/b)
		}
		return before.Seconds + part*(e.Seconds-before.Seconds)
	}
	return math.Inf(1)
}

// lossAfter is the training loss after so many seconds in training steps, the median
// over the seeds. The logarithm of the loss is interpolated linearly between
// evaluations. After its end a run keeps its last loss.
func (r *series) lossAfter(seconds float64) float64 {
	return suite.Median(r.each(func(run *suite.Run) float64 { return lossAfter(run, seconds) }))
}

func lossAfter(run *suite.Run, seconds float64) float64 {
	es := run.Evaluations
	for i, e := range es {
		b := float64(e.TrainLoss)
		switch {
		case e.Seconds < seconds:
			continue
		case i == 0 || e.Seconds == seconds:
			return b
		}
		before := es[i-1]
		a, part := float64(before.TrainLoss), (seconds-before.Seconds)/(e.Seconds-before.Seconds)
		if !(a > 0 && b > 0) || math.IsInf(a, 0) || math.IsInf(b, 0) {
			return a
		}
		return a * math.Pow(b/a, part)
	}
	return run.FinalLoss()
}

// tested reports whether there is a test set.
func (r *series) tested() bool {
	return slices.ContainsFunc(r.runs, func(run *suite.Run) bool {
		return len(run.Evaluations) > 0 && run.Evaluations[0].Accuracy != nil
	})
}

// accuracy is the final test accuracy: 0 for a run that diverged, NaN without a test
// set.
func (r *series) accuracy() spread {
	return spreadOf(r.each(func(run *suite.Run) float64 {
		if run.Done.DivergedAt != nil {
			return 0
		}
		return run.FinalAccuracy()
	}))
}

// testLoss is the final test loss, +Inf for a run that diverged.
func (r *series) testLoss() spread {
	return spreadOf(r.each(func(run *suite.Run) float64 {
		last := run.Evaluations[len(run.Evaluations)-1]
		if run.Done.DivergedAt != nil || last.TestLoss == nil {
			return math.Inf(1)
		}
		return float64(*last.TestLoss)
	}))
}

// best is the first evaluation of a run with the highest test accuracy, or nil without
// a test set.
func best(run *suite.Run) *suite.Evaluation {
	if i := run.Best(); i >= 0 {
		return &run.Evaluations[i]
	}
	return nil
}
