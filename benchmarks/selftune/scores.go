package selftune

import (
	"math"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// clock is what time is measured by.
type clock struct {
	name string
	of   func(cost) float64
}

var clocks = []clock{
	{"steps", func(c cost) float64 { return c.steps }},
	{"seconds", func(c cost) float64 { return c.seconds }},
}

// times are those of the entries, a row each, to the targets of the workloads: medians over
// the seeds.
func (r *results) times(by clock) [][]float64 {
	all := make([][]float64, len(r.entries))
	for i, e := range r.entries {
		for _, t := range r.tasks {
			for _, at := range r.o.starts {
				var x []float64
				for _, seed := range t.seeds {
					x = append(x, by.of(timeTo(t.Measure, t.run(e, at, seed), t.target)))
				}
				all[i] = append(all[i], suite.Median(x))
			}
		}
	}
	return all
}

// reached is the number of finite times.
func reached(times []float64) (n int) {
	for _, t := range times {
		if !math.IsInf(t, 1) {
			n++
		}
	}
	return n
}

// penalised are the logarithms of an entry's times, one for each task and seed: the mean
// over the starts, in which a run that misses the target counts twice the task's longest.
func (r *results) penalised(e entry, by clock) (all []float64) {
	for _, t := range r.tasks {
		missed := 2 * by.of(t.longest())
		for _, seed := range t.seeds {
			sum := 0.0
			for _, at := range r.o.starts {
				x := by.of(timeTo(t.Measure, t.run(e, at, seed), t.target))
				if math.IsInf(x, 1) {
					x = missed
				}
				sum += math.Log(max(x, math.SmallestNonzeroFloat64))
			}
			all = append(all, sum/float64(len(r.o.starts)))
		}
	}
	return all
}
