package main

import (
	"fmt"
	"path/filepath"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// smoothing is the number of steps that the plotted loss is averaged over.
const smoothing = 50

// drawCharts draws the whole run from its logs, including what was before a
// resume.
func drawCharts(s settings, history []evaluated) error {
	log, err := runlog.ReadSteps(s.out)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s on %s by %s", s.Model, s.Data, s.Optimizer)
	loss := chart.Line{Name: "test loss", Color: chart.Colors[1]}
	accuracy := chart.Line{Name: "test accuracy", Color: chart.Colors[1]}
	for _, e := range history {
		loss.X, loss.Y = append(loss.X, float64(e.step)), append(loss.Y, e.loss)
		accuracy.X, accuracy.Y = append(accuracy.X, float64(e.step)), append(accuracy.Y, 100*e.accuracy)
	}
	at := bestEpoch(history)
	label := chart.Point{
		Name: fmt.Sprintf("best: %.2f%%, epoch %d", accuracy.Y[at-1], at),
		X:    accuracy.X[at-1], Y: accuracy.Y[at-1], Color: chart.Colors[2],
	}
	pictures := map[string]chart.Chart{
		"loss.png": {
			Title: fmt.Sprintf("Loss of %s, on mini-batches a running mean over %d steps", name, smoothing),
			X:     "step", Y: "loss", Lines: []chart.Line{runlog.Loss(log, smoothing), loss},
		},
		"accuracy.png": {
			Title: "Test accuracy of " + name, X: "step", Y: "test accuracy, %", LinearY: true,
			Lines: []chart.Line{accuracy}, Points: []chart.Point{label},
		},
		"rate.png": {Title: "Learning rate of " + name, X: "step", Y: "learning rate", Lines: runlog.Rates(log)},
	}
	if s.precond() {
		delete(pictures, "rate.png")
		pictures["precond.png"] = chart.Chart{Title: "Frobenius norm of S in the preconditioner, " + name, X: "step", Y: "norm of S", Lines: runlog.Norms(log)}
	}
	for file, c := range pictures {
		if err := c.Save(filepath.Join(s.out, file)); err != nil {
			return err
		}
	}
	return nil
}
