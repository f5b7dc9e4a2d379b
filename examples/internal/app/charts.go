package app

import (
	"fmt"
	"path/filepath"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
)

// smoothing is the number of steps that the plotted loss is averaged over.
const smoothing = 50

// drawCharts draws the whole run from its logs, including what was before a
// resume. It returns the paths of the pictures.
func (t *training) drawCharts() (paths []string, err error) {
	log, err := runlog.ReadSteps(t.s.out)
	if err != nil {
		return nil, err
	}
	name := t.program.Title() + " by " + t.s.Optimizer
	loss := chart.Chart{
		Title: fmt.Sprintf("Loss of %s, on mini-batches a running mean over %d steps", name, smoothing),
		X:     "step", Y: "loss", Lines: []chart.Line{runlog.Loss(log, smoothing), testLine(t.history, "test loss", func(e evaluated) float64 { return e.loss })},
	}
	charts := map[string]chart.Chart{"loss.png": loss}
	if t.app.KeepsBest {
		charts["accuracy.png"] = accuracyChart(name, t.history)
	}
	if t.s.Precond() != nil {
		what, lines := runlog.Sizes(log)
		charts["precond.png"] = chart.Chart{Title: "Preconditioner: " + what + ", " + name, X: "step", Y: what, Lines: lines}
	} else {
		charts["rate.png"] = chart.Chart{Title: "Learning rate of " + name, X: "step", Y: "learning rate", Lines: runlog.Rates(log)}
	}
	for file, c := range charts {
		path := filepath.Join(t.s.out, file)
		if err := c.Save(path); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// testLine is a curve of the tests after the epochs.
func testLine(history []evaluated, name string, value func(evaluated) float64) chart.Line {
	line := chart.Line{Name: name, Color: chart.Colors[1]}
	for _, e := range history {
		line.X, line.Y = append(line.X, float64(e.step)), append(line.Y, value(e))
	}
	return line
}

// accuracyChart has the best epoch marked.
func accuracyChart(name string, history []evaluated) chart.Chart {
	line := testLine(history, "test accuracy", func(e evaluated) float64 { return 100 * e.accuracy })
	at := bestEpoch(history)
	best := chart.Point{
		Name: fmt.Sprintf("best: %.2f%%, epoch %d", line.Y[at-1], at), X: line.X[at-1], Y: line.Y[at-1], Color: chart.Colors[2],
	}
	return chart.Chart{
		Title: "Test accuracy of " + name, X: "step", Y: "test accuracy, %", LinearY: true,
		Lines: []chart.Line{line}, Points: []chart.Point{best},
	}
}
