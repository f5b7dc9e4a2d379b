package suite

import (
	"context"
	"encoding/json"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/dryrun"
	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// rareSteps is the number of steps by which a method with rare work is measured: the first
// one and five, of which the second and the fourth have the work.
const rareSteps = 6

// measuredRate is the learning rate of steps that are measured. It is so low that no method
// diverges on random examples.
const measuredRate = 1e-6

// measuredCosts takes a few steps of each method, on random examples of the task's shapes.
// Steps that cost the same in several experiments are taken once.
func measuredCosts() costs {
	known := make(map[string]cost)
	return func(ctx context.Context, e *experiments.Experiment, m *methods.Method, j Job) (cost, bool, error) {
		if _, ok := j.Values["lr"]; ok {
			j.Values["lr"] = measuredRate
		}
		key, err := costKey(e, j)
		if err != nil {
			return cost{}, false, err
		}
		c, ok := known[key]
		if !ok {
			if c, err = measuredCost(ctx, e, m, j); err != nil {
				return cost{}, false, err
			}
			known[key] = c
		}
		return c, true, nil
	}
}

// costKey is the same for jobs whose steps cost the same.
func costKey(e *experiments.Experiment, j Job) (string, error) {
	c := j.Config
	c.Steps, c.Examples, c.Rows, c.TestRows, c.Validation, c.Evaluations = 0, 0, 0, 0, 0, 0
	text, err := json.Marshal([]any{e.Task.Loss().Name, e.Task.Work(c), j.Method, j.Values, c})
	return string(text), errors.Wrap(err, e.Name)
}

// measuredCost takes steps of a job with its method's settings.
func measuredCost(ctx context.Context, e *experiments.Experiment, m *methods.Method, j Job) (cost, error) {
	steps, whole := dryrun.Least, j.Config.Steps
	if m.Rare != "" {
		steps = rareSteps
	}
	j.Config.Steps = steps
	j.shorten(m)
	j.Config.Steps = whole
	batch := e.Task.RandomBatch(j.Config)
	c, err := dryrun.Measure(ctx, func() (*trainers.Trainer, error) {
		optimizer, own, err := m.Build(j.Values, methods.Run{
			Steps: whole, L2: j.Config.L2, Rate: measuredRate, Decay: j.Config.Decay,
			Calibration: func(int) (graph.Batch, error) { return batch, nil },
		})
		if err != nil {
			return nil, err
		}
		return j.newTrainer(e.Task, optimizer, own)
	}, func(int) graph.Batch { return batch }, steps)
	if err != nil {
		return cost{}, err
	}
	return cost{j.stepOf(c, m), c.Memory}, nil
}

// stepOf is the mean time of a step in a long run, in seconds.
func (j Job) stepOf(c dryrun.Cost, m *methods.Method) float64 {
	if m.Rare == "" && m.Learning == nil {
		perStep := c.Step().Seconds()
		if c.K > 0 {
			perStep += c.MetaStep().Seconds() / float64(c.K)
		}
		return perStep
	}
	times, learned := make([]float64, len(c.Steps)), make([]bool, len(c.Steps))
	for i, s := range c.Steps {
		times[i], learned[i] = (s.BaseTime + s.MetaTime).Seconds(), s.MetaTime > 0
	}
	return j.perStep(times, learned, m.Rare)
}
