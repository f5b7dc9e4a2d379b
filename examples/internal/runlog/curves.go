package runlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// Step is what the pictures need of a line of steps.jsonl.
type Step struct {
	Step    int
	Loss    float64
	Rates   []float64
	Precond []Size
}

// Size is that of the preconditioner of one block.
type Size struct {
	Block    string
	S, Trace float64
}

// number is a number of JSON or one of the texts NaN, +Inf and -Inf.
type number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*n = number(v)
	return err
}

// line is a line of steps.jsonl.
type line struct {
	Step    int
	Loss    number
	Rates   []number
	Precond []struct {
		Block    string
		S, Trace number
	}
}

func (l line) toStep() Step {
	s := Step{Step: l.Step, Loss: float64(l.Loss)}
	for _, r := range l.Rates {
		s.Rates = append(s.Rates, float64(r))
	}
	for _, p := range l.Precond {
		s.Precond = append(s.Precond, Size{p.Block, float64(p.S), float64(p.Trace)})
	}
	return s
}

// ReadSteps reads steps.jsonl. A last line without its end belongs to a run that goes on,
// and is left out.
func ReadSteps(dir string) ([]Step, error) {
	path := filepath.Join(dir, StepsJSONL)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var log []Step
	for i, row := range bytes.Split(text[:bytes.LastIndexByte(text, '\n')+1], []byte("\n")) {
		if len(row) == 0 {
			continue
		}
		var l line
		if err := json.Unmarshal(row, &l); err != nil {
			return nil, errors.Wrapf(err, "%s: line %d", path, i+1)
		}
		log = append(log, l.toStep())
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
			if len(l.Rates) > k {
				lines[k].X = append(lines[k].X, float64(l.Step))
				lines[k].Y = append(lines[k].Y, l.Rates[k])
			}
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
