package report

import (
	"fmt"
	"math"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// precisionTable has a row for each method and precision: the test accuracy, the steps that
// were skipped and what failed.
func (s *section) precisionTable() string {
	t := table{head: []string{"method", "precision", "seeds", "test accuracy at the end: mean ± standard deviation", "points to float32", "skipped steps", "failures",
		"diverged", "training loss", "ms a step", "peak memory, MB"}}
	if s.e.Sweep != "" {
		t.head[1] = "precision, " + s.e.Sweep
	}
	for _, r := range s.series {
		what := r.precision()
		if s.e.Sweep != "" {
			what += fmt.Sprintf(", %g", r.sweep())
		}
		t.add(r.method.Label, what, fmt.Sprint(len(r.runs)), meanText(r.accuracies()), r.toFull(s),
			number(mean(r.each(skippedSteps))), number(mean(r.each(fallbacks))), fmt.Sprint(r.diverged()),
			number(r.final().median), number(1000*r.secondsPerStep()), r.memory())
	}
	return t.String() + "\nSkipped steps, those whose gradient overflowed at the loss scale, and failures, statistics of the optimizer that were not finite " +
		"and decompositions that failed, are means over the seeds. The accuracy of a run that diverged counts as 0.\n"
}

// precision is the series' format, or that of full precision.
func (r *series) precision() string {
	if p := r.header.Config.Precision; p != "" {
		if r.header.Config.Stochastic {
			p += ", stochastic"
		}
		return p
	}
	return r.header.Config.Dtype
}

// low reports whether the series is in 16 bits.
func (r *series) low() bool { return r.header.Config.Precision != "" }

// sweep is the value of the hyperparameter that the experiment varies.
func (r *series) sweep() float64 {
	if r.swept == "" {
		return math.NaN()
	}
	return r.header.Values[r.swept]
}

// full is the series in full precision with a series' method and swept value; nil if it was
// not run.
func (s *section) full(r *series) *series {
	for _, o := range s.series {
		if o.method == r.method && !o.low() && (r.swept == "" || o.sweep() == r.sweep()) {
			return o
		}
	}
	return nil
}

// accuracies are the final test accuracies, 0 for a run that diverged.
func (r *series) accuracies() []float64 {
	return r.each(func(run *suite.Run) float64 {
		if run.Done.DivergedAt != nil {
			return 0
		}
		return run.FinalAccuracy()
	})
}

func skippedSteps(run *suite.Run) float64 { return float64(run.Done.SkippedSteps) }

func fallbacks(run *suite.Run) float64 { return float64(run.Done.Fallbacks) }

// points is how much higher the mean accuracy is than in full precision, in per cent of
// the images, NaN where it is not known.
func (r *series) points(s *section) float64 {
	o := s.full(r)
	if o == nil {
		return math.NaN()
	}
	return 100 * (mean(r.accuracies()) - mean(o.accuracies()))
}

func (r *series) toFull(s *section) string {
	p := r.points(s)
	if !r.low() || math.IsNaN(p) {
		return "-"
	}
	return fmt.Sprintf("%+.2f", p)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// deviation is the standard deviation of a sample, NaN for a single value.
func deviation(x []float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}

// meanText is the mean of accuracies with their standard deviation.
func meanText(x []float64) string {
	if len(x) < 2 || math.IsNaN(mean(x)) {
		return percent(mean(x))
	}
	return fmt.Sprintf("%s ± %.2f", percent(mean(x)), 100*deviation(x))
}
