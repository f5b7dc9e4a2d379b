package main

import (
	"fmt"
	"path/filepath"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// smoothing is the number of steps that the plotted loss is averaged over.
const smoothing = 30

// drawCharts draws the whole run from its log, including what was before a
// resume.
func drawCharts(s settings) error {
	log, err := runlog.ReadSteps(s.out)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s on %s", s.Optimizer, s.Data)
	c := chart.Chart{
		Title: fmt.Sprintf("Mini-batch loss of %s, running mean over %d steps", name, smoothing),
		X:     "step", Y: "loss", Lines: []chart.Line{runlog.Loss(log, smoothing)},
	}
	if err := c.Save(filepath.Join(s.out, "loss.png")); err != nil {
		return err
	}
	if s.precond() {
		c = chart.Chart{Title: "Frobenius norm of S in the preconditioner, " + name, X: "step", Y: "norm of S", Lines: runlog.Norms(log)}
		return c.Save(filepath.Join(s.out, "precond.png"))
	}
	c = chart.Chart{Title: "Learning rate of " + name, X: "step", Y: "learning rate", Lines: runlog.Rates(log)}
	return c.Save(filepath.Join(s.out, "rate.png"))
}
