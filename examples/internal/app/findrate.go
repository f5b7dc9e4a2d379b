package app

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers"
)

// The files of -find-rate.
const (
	rateFile    = "find-rate.json"
	ratePicture = "find-rate.png"
)

// findRate measures the rate that suits the optimizer, at the initial weights or those of
// the checkpoint, and ends.
func (t *training) findRate(resume bool) error {
	if resume {
		if err := collective.JoinErrors(t.comm, t.trainer.Load(t.path(checkpointFile))); err != nil {
			return err
		}
	}
	found, err := t.trainer.FindRate(t.batches.BatchAt, trainers.CalibratedConfig{})
	if err != nil {
		return cli.AsUsage(err)
	}
	return t.first(func() error {
		if err := runlog.WriteJSON(t.s.out, rateFile, found); err != nil {
			return err
		}
		if err := rateChart(t.program.Title()+" by "+t.s.Optimizer, found).Save(t.path(ratePicture)); err != nil {
			return err
		}
		note := ""
		if !found.Converged {
			note = ", which the last round still changed by a tenth or more"
		}
		fmt.Fprintf(t.stdout, "learning rate %.3g for %s, after %d rounds%s%s\n%s and %s in %s\n",
			found.Rate, t.s.Optimizer, len(found.Rounds), note, t.s.rateAdvice(found), ratePicture, rateFile, t.s.out)
		return nil
	})
}

// rateAdvice says how to train at a rate, with the rates of all groups where there are several.
func (s *Settings) rateAdvice(found *trainers.RateSearch) string {
	advice := fmt.Sprintf(": -k 0 -lr %.3g trains at it", found.Rate)
	if found.Rates == nil {
		return advice
	}
	var all []string
	for _, r := range found.Rates {
		all = append(all, fmt.Sprintf("%.3g", r))
	}
	groups := ", by group " + strings.Join(all, ", ")
	if slices.ContainsFunc(s.Groups, func(g Group) bool { return g.Rule != "" }) {
		return groups // -lr is not for a rule of its own
	}
	return groups + advice
}

// rateChart has the measured change of the loss by the rate, and the parabola whose minimum
// was taken.
func rateChart(title string, found *trainers.RateSearch) chart.Chart {
	last := found.Rounds[len(found.Rounds)-1]
	measured := chart.Line{Name: "measured", Color: chart.Colors[0]}
	parabola := chart.Line{Name: "parabola of the last round", Color: chart.Colors[1], Dashed: true}
	lowest := math.Inf(1)
	for _, r := range found.Curve {
		y := r.LossChange(r.Rate)
		if math.IsNaN(y) || math.IsInf(y, 0) {
			continue
		}
		lowest = min(lowest, y)
		measured.X, measured.Y = append(measured.X, r.Rate), append(measured.Y, y)
	}
	const points = 100
	first, end := found.Curve[0].Rate, found.Curve[len(found.Curve)-1].Rate
	for i := range points {
		rate := first * math.Pow(end/first, float64(i)/(points-1))
		parabola.X, parabola.Y = append(parabola.X, rate), append(parabola.Y, last.LossChange(rate))
	}
	return chart.Chart{
		Title: "Change of the loss by one step, " + title, X: "learning rate", Y: "change of the loss on the mini-batches",
		LogX: true, LinearY: true, YMin: 1.2 * lowest, YMax: -lowest,
		Lines:  []chart.Line{measured, parabola},
		Points: []chart.Point{{Name: fmt.Sprintf("rate %.3g", found.Rate), X: found.Rate, Y: last.LossChange(found.Rate), Color: chart.Colors[2]}},
	}
}
