package suite

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// keptPoints is about the largest number of evaluations that a condensed run keeps.
const keptPoints = 60

// keptDigits is the number of significant digits of a number of a curve.
const keptDigits = 6

// Condensed is the run as Store keeps it. Its evaluations are thinned to about
// keptPoints: every k-th one, where k is the same for all runs of a setting, the last
// one before half of the steps, the first one with the best test accuracy, and the
// last one. Numbers have keptDigits digits, those of the last evaluation all of theirs.
// A condensed run condenses to itself.
func (r *Run) Condensed() *Run {
	c := *r
	c.Pause = nil
	c.Evaluations = nil
	kept := r.keptEvaluations()
	for n, i := range kept {
		e := r.Evaluations[i]
		if r.Header.PerEpoch > 0 {
			e.Epoch = float64(e.Step) / float64(r.Header.PerEpoch)
		}
		if n < len(kept)-1 {
			e = e.rounded()
		}
		c.Evaluations = append(c.Evaluations, e)
	}
	return &c
}

// Equal reports whether two runs are the same once they are condensed, wherever they were
// made.
func (r *Run) Equal(o *Run) bool {
	a, b := *r, *o
	a.Environment, b.Environment = nil, nil
	x, errX := a.stored()
	y, errY := b.stored()
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// keptEvaluations are the indices of the evaluations that a condensed run has.
func (r *Run) keptEvaluations() []int {
	n := len(r.Evaluations)
	if n == 0 {
		return nil
	}
	config := r.Header.Config
	planned := 1 + (config.Steps+config.EvaluateEvery()-1)/config.EvaluateEvery()
	half := 0
	kept := []int{n - 1}
	if best := r.Best(); best >= 0 {
		kept = append(kept, best)
	}
	for i, e := range r.Evaluations {
		if e.Step <= config.Steps/2 {
			half = i
		}
		if r.keeps(e.Step, config, planned) {
			kept = append(kept, i)
		}
	}
	kept = append(kept, half)
	slices.Sort(kept)
	return slices.Compact(kept)
}

// keeps reports whether a step is one of those that all condensed runs of a setting keep.
func (r *Run) keeps(step int, config experiments.Config, planned int) bool {
	every := (planned + keptPoints - 1) / keptPoints
	return planned <= keptPoints || step%(every*config.EvaluateEvery()) == 0
}

// Best is the index of the first evaluation with the highest test accuracy, -1 without
// a test set.
func (r *Run) Best() int {
	best := -1
	for i, e := range r.Evaluations {
		if e.Accuracy != nil && (best < 0 || *e.Accuracy > *r.Evaluations[best].Accuracy) {
			best = i
		}
	}
	return best
}

// rounded has keptDigits digits of each number.
func (e Evaluation) rounded() Evaluation {
	e.Seconds = float64(Number(e.Seconds).rounded())
	e.TrainLoss = e.TrainLoss.rounded()
	for _, p := range []**Number{&e.TestLoss, &e.TrainAccuracy, &e.Accuracy, &e.Score, &e.BatchLoss} {
		if *p != nil {
			v := (**p).rounded()
			*p = &v
		}
	}
	e.Rates = slices.Clone(e.Rates)
	for i, v := range e.Rates {
		e.Rates[i] = v.rounded()
	}
	return e
}

// rounded has keptDigits digits.
func (n Number) rounded() Number {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return n
	}
	f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(n), 'g', keptDigits, 64), 64)
	return Number(f)
}
