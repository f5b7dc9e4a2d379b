package main

import (
	"image/color"
	"path/filepath"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// colors has one colour for each base optimizer, with APO and without.
var colors = map[string]color.Color{
	"SGDm": chart.Colors[0], "SGDm-APO": chart.Colors[0],
	"Adam": chart.Colors[1], "Adam-APO": chart.Colors[1],
	"APO-Precond": chart.Colors[2],
}

// drawCharts draws the loss and the learning rate of all methods by step. Those
// without APO are dashed.
func drawCharts(dir string, results []result) error {
	loss := chart.Chart{Title: "8×8 digits, 64-100-100-10: loss on the training set", X: "step", Y: "training loss"}
	rate := chart.Chart{Title: "8×8 digits, 64-100-100-10: learning rate", X: "step", Y: "learning rate"}
	for _, r := range results {
		l := chart.Line{Name: r.name, Color: colors[r.name], Dashed: !r.learns}
		for _, e := range r.evaluations {
			l.X = append(l.X, float64(e.step))
			l.Y = append(l.Y, e.loss)
		}
		loss.Lines = append(loss.Lines, l)
		l.Y = nil
		for _, e := range r.evaluations {
			l.Y = append(l.Y, e.rate)
		}
		if r.precond {
			l.Name += " (mean)"
		}
		rate.Lines = append(rate.Lines, l)
	}
	if err := loss.Save(filepath.Join(dir, "loss.png")); err != nil {
		return err
	}
	return rate.Save(filepath.Join(dir, "rate.png"))
}
