package report

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// figure is a figure that has been drawn.
type figure struct {
	name, caption string
}

// axis is the horizontal axis of curves.
type axis struct {
	label string
	of    func(suite.Evaluation) float64
}

var (
	bySteps = axis{"step", func(e suite.Evaluation) float64 { return float64(e.Step) }}
	byTime  = axis{"seconds in training steps", func(e suite.Evaluation) float64 { return e.Seconds }}
)

// quantity is the quantity that curves show.
type quantity struct {
	label  string
	linear bool // a linear vertical axis
	of     func(suite.Evaluation) float64
}

var (
	trainingLoss = quantity{"training loss", false, func(e suite.Evaluation) float64 { return float64(e.TrainLoss) }}
	testAccuracy = quantity{"test accuracy, %", true, func(e suite.Evaluation) float64 {
		if e.Accuracy == nil {
			return math.NaN()
		}
		return 100 * float64(*e.Accuracy)
	}}
	testLoss = quantity{"test loss", false, func(e suite.Evaluation) float64 {
		if e.TestLoss == nil {
			return math.NaN()
		}
		return float64(*e.TestLoss)
	}}
	learningRate = quantity{"learning rate", false, func(e suite.Evaluation) float64 {
		if len(e.Rates) == 0 {
			return math.NaN()
		}
		return float64(e.Rates[0])
	}}
)

// plots has the quantity and the axis of each plot.
var plots = map[experiments.Plot]struct {
	quantity
	axis
}{
	experiments.LossBySteps:     {trainingLoss, bySteps},
	experiments.LossByTime:      {trainingLoss, byTime},
	experiments.AccuracyBySteps: {testAccuracy, bySteps},
	experiments.TestLossBySteps: {testLoss, bySteps},
	experiments.RateBySteps:     {learningRate, bySteps},
}

// plots returns the experiment's plots or, without any, the usual ones.
func (s *section) plots() []experiments.Plot {
	switch {
	case len(s.e.Plots) > 0:
		return s.e.Plots
	case s.e.Rates:
		return []experiments.Plot{experiments.LossBySteps, experiments.LossByTime, experiments.RateBySteps}
	}
	return []experiments.Plot{experiments.LossBySteps, experiments.LossByTime}
}

// worthDrawing is the smallest number of points for which a curve is drawn.
const worthDrawing = 3

// draw draws the section's figures in dir, each as PNG and SVG.
func (s *section) draw(dir string) ([]figure, error) {
	all, err := s.drawComputed(dir)
	if err != nil || s.timed() {
		return all, err
	}
	if s.e.Sweep != "" && len(s.series) > 0 {
		return s.drawSweep(dir)
	}
	for _, g := range s.groups() {
		if !slices.ContainsFunc(g.series, func(r *series) bool { return len(r.runs[0].Evaluations) >= worthDrawing }) {
			continue
		}
		for _, p := range s.plots() {
			if p == experiments.LossByTime && s.parallel() || p == experiments.RateBySteps && g.family == "" && g.constant(plots[p].quantity, plots[p].axis) {
				continue
			}
			f, err := s.curves(dir, g, p)
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// group has the series of one figure.
type group struct {
	family string // the optimizer whose learning rates, or precisions, are compared, "" for all methods
	series []*series
}

// groups returns one group for each optimizer if the experiment compares ways to set
// its rate, or precisions, otherwise one group of all series.
func (s *section) groups() []group {
	family := func(r *series) string { return r.method.Family }
	switch {
	case s.e.InPrecisions():
		family = func(r *series) string { return r.method.Name }
	case !s.e.Rates:
		return []group{{"", s.series}}
	}
	var all []group
	for _, r := range s.series {
		i := slices.IndexFunc(all, func(g group) bool { return g.family == family(r) })
		if i < 0 {
			all = append(all, group{family: family(r)})
			i = len(all) - 1
		}
		all[i].series = append(all[i].series, r)
	}
	return joinSingle(all)
}

// joinSingle adds the groups of one series to that of methods without a family, where there
// is one: alone they compare nothing.
func joinSingle(all []group) []group {
	rest := slices.IndexFunc(all, func(g group) bool { return g.family == "" })
	if rest < 0 {
		return all
	}
	for i, g := range all {
		if i != rest && len(g.series) == 1 {
			all[rest].series = append(all[rest].series, g.series...)
			all[i].series = nil
		}
	}
	return slices.DeleteFunc(all, func(g group) bool { return len(g.series) == 0 })
}

// constant reports whether no line of a quantity changes by a twentieth where it is known.
func (g group) constant(q quantity, a axis) bool {
	return !slices.ContainsFunc(g.series, func(r *series) bool {
		y := r.line(q, a).Y
		return slices.ContainsFunc(y, func(v float64) bool { return math.Abs(v-y[0]) > math.Abs(y[0])/20 })
	})
}

func (s *section) curves(dir string, g group, p experiments.Plot) (figure, error) {
	q, a := plots[p].quantity, plots[p].axis
	title := fmt.Sprintf("%s (%s)", s.e.Title, s.scale)
	name := s.name()
	if g.family != "" {
		name += "-" + g.family
		title = g.series[0].method.Label + ": " + title
	}
	name += "-" + string(p)
	c := chart.Chart{Title: title, X: a.label, Y: q.label, LinearY: q.linear}
	limit := 0.0
	for _, r := range g.series {
		l := r.line(q, a)
		if r.diverged() == len(r.runs) {
			l.Name += " (diverged)"
		}
		l.Dashed = g.family != "" && r.method.Base != "" // as in the paper
		if len(l.Y) > 0 && !math.IsNaN(l.Y[0]) {
			limit = max(limit, 3*l.Y[0])
		}
		c.Lines = append(c.Lines, l)
	}
	highlight(c.Lines, g.series, q.label == testAccuracy.label)
	if q.label == trainingLoss.label && limit > 0 {
		c.YMax = min(limit, highest(c.Lines))
	}
	caption := fmt.Sprintf("%s by %s; lines are medians over the seeds, bands reach from the smallest to the largest value", q.label, a.label)
	return figure{name, caption}, c.Save(filepath.Join(dir, name+".png"), filepath.Join(dir, name+".svg"))
}

// line is the curve of a series. It has a point for each step that all seeds have
// evaluated.
func (r *series) line(q quantity, a axis) chart.Line {
	l := chart.Line{Name: r.label}
	for _, e := range r.runs[0].Evaluations {
		var x, y []float64
		for _, run := range r.runs {
			if i, ok := slices.BinarySearchFunc(run.Evaluations, e.Step, func(e suite.Evaluation, step int) int { return e.Step - step }); ok {
				x, y = append(x, a.of(run.Evaluations[i])), append(y, q.of(run.Evaluations[i]))
			}
		}
		if len(y) < len(r.runs) {
			continue
		}
		s := spreadOf(y)
		l.X, l.Y = append(l.X, suite.Median(x)), append(l.Y, s.median)
		if len(r.runs) > 1 {
			l.Low, l.High = append(l.Low, s.low), append(l.High, s.high)
		}
	}
	return l
}

func highest(lines []chart.Line) float64 {
	top := 0.0
	for _, l := range lines {
		for _, y := range append(slices.Clone(l.Y), l.High...) {
			if !math.IsInf(y, 0) && !math.IsNaN(y) {
				top = max(top, y)
			}
		}
	}
	return top
}
