package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// smoothing is the number of steps that the plotted loss is averaged over.
const smoothing = 30

// loggedStep is what the pictures need of a line of steps.jsonl.
type loggedStep struct {
	Step    int
	Loss    float64
	Rates   []float64
	Precond []struct {
		Block string
		S     float64
	}
}

// drawCharts draws the whole run from its log, including what was before a
// resume.
func drawCharts(s settings) error {
	log, err := readLog(filepath.Join(s.out, stepsJSONL))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s on %s", s.Optimizer, s.Data)
	loss := chart.Line{Name: "training loss", Color: chart.Colors[0]}
	for _, l := range log {
		loss.X = append(loss.X, float64(l.Step))
		loss.Y = append(loss.Y, l.Loss)
	}
	loss.Y = chart.Smooth(loss.Y, smoothing)
	c := chart.Chart{
		Title: fmt.Sprintf("Mini-batch loss of %s, running mean over %d steps", name, smoothing),
		X:     "step", Y: "loss", Lines: []chart.Line{loss},
	}
	if err := c.Save(filepath.Join(s.out, "loss.png")); err != nil {
		return err
	}
	if s.Optimizer == "precond" {
		c = chart.Chart{Title: "Frobenius norm of S in the preconditioner, " + name, X: "step", Y: "norm of S", Lines: norms(log)}
		return c.Save(filepath.Join(s.out, "precond.png"))
	}
	c = chart.Chart{Title: "Learning rate of " + name, X: "step", Y: "learning rate", Lines: rates(log)}
	return c.Save(filepath.Join(s.out, "rate.png"))
}

func readLog(path string) ([]loggedStep, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var log []loggedStep
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var l loggedStep
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			return nil, errors.Wrapf(err, "%s: line %d", path, i+1)
		}
		log = append(log, l)
	}
	return log, nil
}

// rates are curves of the learning rates, one for each group.
func rates(log []loggedStep) []chart.Line {
	lines := make([]chart.Line, len(log[0].Rates))
	for k := range lines {
		lines[k] = chart.Line{Name: "rate", Color: chart.Colors[k%len(chart.Colors)]}
		if len(lines) > 1 {
			lines[k].Name = fmt.Sprintf("rate of layer %d", k+1)
		}
		for _, l := range log {
			lines[k].X = append(lines[k].X, float64(l.Step))
			lines[k].Y = append(lines[k].Y, l.Rates[k])
		}
	}
	return lines
}

// norms are curves of the norm of S at the meta-steps, one for each layer.
func norms(log []loggedStep) []chart.Line {
	lines := make([]chart.Line, len(log[0].Precond))
	for k := range lines {
		lines[k] = chart.Line{Name: log[0].Precond[k].Block, Color: chart.Colors[k%len(chart.Colors)]}
		for _, l := range log {
			if len(l.Precond) > k {
				lines[k].X = append(lines[k].X, float64(l.Step))
				lines[k].Y = append(lines[k].Y, l.Precond[k].S)
			}
		}
	}
	return lines
}
