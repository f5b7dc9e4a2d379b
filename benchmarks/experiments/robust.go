package experiments

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// robust starts methods with their defaults from rates and on inputs that are far off.
var robust = &Experiment{
	Name: "defaults-off", Figure: NotInThePaper, Title: "Defaults at other rates and scales of the inputs", Data: "Digits, 1437 images",
	Paper: notThePapers,
	Choices: "64-100-100-10 with ReLU and cross-entropy, batches of 100, 500 steps, a constant rate; every method has its defaults, but its rate or all pixels, " +
		"from 0 to 1, are multiplied by a factor; the loss is that on all images; it diverges where it is not finite or larger than at the start; the worst of three seeds",
	Computation: robustness{},
}

type robustness struct{}

var _ Computation = robustness{}

// Robust is the result of robust.
type Robust struct {
	Rows []RobustRow `json:"rows"`
}

// RobustRow is a method's training loss at the start and at the end, with its rate and
// its inputs times a factor each.
type RobustRow struct {
	Method string  `json:"method"`
	Rate   float64 `json:"rate"`
	Inputs float64 `json:"inputs"`
	Start  float64 `json:"start"`
	End    float64 `json:"end"`
	// Stopped means that a run ended with numbers that were not finite; End is 0.
	Stopped bool `json:"stopped,omitempty"`
}

func (r RobustRow) diverged() bool { return r.Stopped || !(r.End <= r.Start) }

var (
	robustMethods = []string{"sgdm", "adam", "kfac", "precond-default"}
	robustFactors = []float64{0.01, 0.1, 1, 10, 100}
)

// Compute implements Computation.
func (robustness) Compute(ctx context.Context, s Scale) (Result, error) {
	steps, seeds := 500, uint64(3)
	if s == Smoke {
		steps, seeds = 20, 1
	}
	result := &Robust{}
	for _, name := range robustMethods {
		for _, f := range robustFactors {
			settings := [][2]float64{{f, 1}, {1, f}}
			if f == 1 {
				settings = settings[:1]
			}
			for _, at := range settings {
				row, err := worstRun(ctx, name, at[0], at[1], steps, seeds)
				if err != nil {
					return nil, errors.WithMessagef(err, "%s, rate times %v, inputs times %v", name, at[0], at[1])
				}
				result.Rows = append(result.Rows, row)
			}
		}
	}
	return result, nil
}

// worstRun is the run with the largest final loss of all seeds, or one that stopped.
func worstRun(ctx context.Context, name string, rate, inputs float64, steps int, seeds uint64) (worst RobustRow, err error) {
	for seed := range seeds {
		row, err := robustRun(ctx, name, rate, inputs, steps, seed+1)
		if err != nil || row.Stopped {
			return row, err
		}
		if seed == 0 || row.End > worst.End {
			worst = row
		}
	}
	return worst, nil
}

// robustRun trains with one seed.
func robustRun(ctx context.Context, name string, rate, inputs float64, steps int, seed uint64) (RobustRow, error) {
	row := RobustRow{Method: name, Rate: rate, Inputs: inputs}
	train, _, err := datasets.Digits(tensor.Float32)
	if err != nil {
		return row, err
	}
	x := apoops.Elements[float32](train.X)
	for i := range x {
		x[i] *= float32(inputs)
	}
	o, opts, err := withRate(name, rate)
	if err != nil {
		return row, err
	}
	tr, err := trainers.New(layers.MLP(64, 100, 100, 10), graph.SoftmaxCrossEntropy, o, append(opts, trainers.Seed(seed))...)
	if err != nil {
		return row, err
	}
	batches, err := trainers.NewBatches(train, 100, seed)
	if err != nil {
		return row, err
	}
	first, err := tr.Evaluate(train, train.Len())
	if err != nil {
		return row, err
	}
	row.Start = first.Loss
	for i := range steps {
		if err := ctx.Err(); err != nil {
			return row, err
		}
		if _, err = tr.Step(batches.At(i)); err != nil {
			break
		}
	}
	var last trainers.Evaluation
	if err == nil {
		last, err = tr.Evaluate(train, train.Len())
	}
	if errors.Is(err, graph.ErrNotFinite) {
		row.Stopped, err = true, nil
	}
	row.End = last.Loss
	return row, err
}

// withRate is a method with its defaults but the rate, which is multiplied.
func withRate(name string, factor float64) (trainers.Optimizer, []trainers.Option, error) {
	m, err := methods.Get(name)
	if err != nil {
		return nil, nil, err
	}
	space, err := m.SearchSpace("")
	if err != nil {
		return nil, nil, err
	}
	v := space.Defaults()
	v["lr"] *= factor
	return m.Build(v, methods.Run{})
}

// Decode implements Computation.
func (robustness) Decode(text []byte) (Result, error) {
	var r Robust
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, errors.Wrap(err, robust.Name)
	}
	if len(r.Rows) == 0 {
		return nil, errors.Errorf("%s: no rows", robust.Name)
	}
	return &r, nil
}

// Claims implements Computation.
func (robustness) Claims() []Claim {
	return []Claim{{
		Where: "goal", Text: "with its defaults APO-Precond never diverges from rates or scales of the inputs 100 times too small or too large",
		Decide: func(r Result) (bool, string) {
			worst, diverged := RobustRow{}, 0
			for _, row := range r.(*Robust).Rows {
				if row.Method != "precond-default" {
					continue
				}
				if row.diverged() {
					diverged++
				}
				if row.End > worst.End {
					worst = row
				}
			}
			return diverged == 0, fmt.Sprintf("%d of its settings diverged; the largest final loss, %.2g after %.2g at the start, is that with the rate times %g and the inputs times %g",
				diverged, worst.End, worst.Start, worst.Rate, worst.Inputs)
		},
	}}
}

// Figures implements Result: the final loss by the factor of the rate and of the
// inputs.
func (r *Robust) Figures(title string) (all []Figure) {
	for _, by := range []struct {
		name, axis string
		of, other  func(RobustRow) float64
	}{
		{"rate", "factor of the rate", func(r RobustRow) float64 { return r.Rate }, func(r RobustRow) float64 { return r.Inputs }},
		{"inputs", "factor of the inputs", func(r RobustRow) float64 { return r.Inputs }, func(r RobustRow) float64 { return r.Rate }},
	} {
		c := chart.Chart{Title: title, X: by.axis, LogX: true, Y: "training loss after the run"}
		for i, name := range robustMethods {
			l := chart.Line{Name: robustLabel(name), Color: chart.Colors[i]}
			for _, row := range r.Rows {
				if row.Method == name && by.other(row) == 1 && !row.Stopped && !math.IsInf(row.End, 0) {
					l.X, l.Y = append(l.X, by.of(row)), append(l.Y, row.End)
				}
			}
			c.Lines = append(c.Lines, l)
		}
		all = append(all, Figure{Name: by.name, Chart: c, Caption: "the worst of the seeds; a point is missing where a run ended with numbers that were not finite"})
	}
	return all
}

func robustLabel(name string) string {
	if m, err := methods.Get(name); err == nil {
		return m.Label
	}
	return name
}
