package runlog

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// Step is what the pictures need of a line of steps.jsonl.
type Step struct {
	Step    int
	Loss    float64
	Rates   []float64
	Precond []struct {
		Block string
		S     float64
		Trace float64
	}
}

// ReadSteps reads steps.jsonl.
func ReadSteps(dir string) ([]Step, error) {
	path := filepath.Join(dir, StepsJSONL)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var log []Step
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var l Step
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			return nil, errors.Wrapf(err, "%s: line %d", path, i+1)
		}
		log = append(log, l)
	}
	return log, nil
}

// Loss is the curve of the mini-batch loss, a running mean over smoothing steps.
func Loss(log []Step, smoothing int) chart.Line {
	loss := chart.Line{Name: "training loss", Color: chart.Colors[0]}
	for _, l := range log {
		loss.X = append(loss.X, float64(l.Step))
		loss.Y = append(loss.Y, l.Loss)
	}
	loss.Y = chart.Smooth(loss.Y, smoothing)
	return loss
}

// Rates are curves of the learning rates, one for each group.
func Rates(log []Step) []chart.Line {
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

// Sizes are curves of the size of the preconditioner at the meta-steps, one for each
// layer: the trace of P where the log has it, else the norm of S.
func Sizes(log []Step) (what string, lines []chart.Line) {
	what = "norm of S"
	if len(log[0].Precond) > 0 && log[0].Precond[0].Trace > 0 {
		what = "trace of P"
	}
	lines = make([]chart.Line, len(log[0].Precond))
	for k := range lines {
		lines[k] = chart.Line{Name: log[0].Precond[k].Block, Color: chart.Colors[k%len(chart.Colors)]}
		for _, l := range log {
			if len(l.Precond) > k {
				lines[k].X = append(lines[k].X, float64(l.Step))
				size := l.Precond[k].S
				if what == "trace of P" {
					size = l.Precond[k].Trace
				}
				lines[k].Y = append(lines[k].Y, size)
			}
		}
	}
	return what, lines
}
