package report

import (
	"path/filepath"
	"slices"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// drawSweep draws the test accuracy against the hyperparameter that the experiment varies,
// a line for each method and precision, and beside it the failures if there were any.
func (s *section) drawSweep(dir string) ([]figure, error) {
	all := []figure{{s.name() + "-accuracy", "test accuracy by " + s.e.Sweep +
		"; lines are means over the seeds, bands reach from the smallest to the largest value; a run that diverged counts as 0"}}
	charts := []chart.Chart{s.sweepChart("test accuracy, %", func(r *series) (y, low, high float64) {
		a := r.accuracy()
		return 100 * mean(r.accuracies()), 100 * a.low, 100 * a.high
	})}
	failed := func(r *series) float64 { return mean(r.each(fallbacks)) + float64(r.diverged()) }
	if slices.ContainsFunc(s.series, func(r *series) bool { return failed(r) > 0 }) {
		all = append(all, figure{s.name() + "-failures", "statistics that were not finite and decompositions that failed, the mean over the seeds, " +
			"and the number of runs that diverged, by " + s.e.Sweep})
		charts = append(charts, s.sweepChart("failures and runs that diverged", func(r *series) (y, low, high float64) {
			return failed(r), failed(r), failed(r)
		}))
	}
	for i, c := range charts {
		if err := c.Save(filepath.Join(dir, all[i].name+".png"), filepath.Join(dir, all[i].name+".svg")); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sweepChart has a line for each method and precision, of whose series of has the values.
func (s *section) sweepChart(label string, of func(r *series) (y, low, high float64)) chart.Chart {
	c := chart.Chart{Title: s.e.Title + " (" + string(s.scale) + ")", X: s.e.Sweep, LogX: true, Y: label, LinearY: true}
	for _, r := range s.series {
		name := r.method.Label + ", " + r.precision()
		if n := len(c.Lines); n == 0 || c.Lines[n-1].Name != name {
			color, dotted := chart.Look(n)
			c.Lines = append(c.Lines, chart.Line{Name: name, Color: color, Dotted: dotted})
		}
		l := &c.Lines[len(c.Lines)-1]
		y, low, high := of(r)
		l.X, l.Y, l.Low, l.High = append(l.X, r.sweep()), append(l.Y, y), append(l.Low, low), append(l.High, high)
	}
	return c
}
