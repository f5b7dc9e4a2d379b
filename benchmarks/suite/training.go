package suite

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// calibrationSeed makes the calibration draw other mini-batches than the training.
const calibrationSeed = 0xca11b8a7e

// training is a run in progress with its file.
type training struct {
	order     Order
	rare      string // methods.Method.Rare
	task      experiments.Task
	problem   *experiments.Problem
	tr        *trainers.Trainer
	tester    *trainers.Trainer // evaluates the test set by a loss of its own; nil for tr
	batches   experiments.Batches
	log       *logFile
	header    Header
	seconds   float64   // spent in all steps
	times     []float64 // seconds of each step in this process
	learned   []bool    // whether the step had a meta-step
	lastLoss  float64
	evaluated int // the last evaluated step, -1 before the first
	saved     time.Time
}

func newTraining(ctx context.Context, o Order) (*training, error) {
	e, err := experiments.Get(o.Experiment)
	if err != nil {
		return nil, err
	}
	m, err := methods.Get(o.Method)
	if err != nil {
		return nil, err
	}
	t := &training{order: o, task: e.Task, rare: m.Rare, lastLoss: math.NaN(), evaluated: -1, saved: time.Now()}
	if t.problem, err = e.Problem(ctx, o.Config); err != nil {
		return nil, err
	}
	if t.batches, err = t.problem.Batches(o.Config.Batch, o.Seed); err != nil {
		return nil, err
	}
	calibration, err := t.problem.Batches(o.Config.Batch, o.Seed^calibrationSeed)
	if err != nil {
		return nil, err
	}
	optimizer, own, err := m.Build(o.Values, methods.Run{
		Steps: o.Config.Steps, L2: o.Config.L2, Rate: o.Rate, Decay: o.Config.Decay,
		Calibration: func(i int) (graph.Batch, error) { return calibration.At(i), nil },
	})
	if err != nil {
		return nil, err
	}
	own = append([]trainers.Option{trainers.TildeFrom(t.batches.TildeAt)}, own...)
	if t.tr, err = o.newTrainer(t.task, optimizer, own); err != nil {
		return nil, err
	}
	t.header, err = newHeader(o, m, optimizer)
	t.header.Rows, t.header.PerEpoch = t.problem.Train.Len(), t.batches.PerEpoch()
	return t, err
}

// newTrainer makes the trainer with the run's options and the method's own.
func (j Job) newTrainer(task experiments.Task, optimizer trainers.Optimizer, own []trainers.Option) (*trainers.Trainer, error) {
	c := j.Config
	model, err := task.Model(c)
	if err != nil {
		return nil, err
	}
	opts := []trainers.Option{trainers.Seed(j.Seed), trainers.Dtype(c.Type())}
	if c.DecayAll {
		opts = append(opts, trainers.WithSchedule(c.Decay.Schedule(c.Steps)))
	}
	low, err := precisionOptions(c)
	if err != nil {
		return nil, err
	}
	return trainers.New(model, task.Loss(), optimizer, slices.Concat(opts, low, own)...)
}

func newHeader(o Order, m *methods.Method, optimizer trainers.Optimizer) (h Header, err error) {
	h = Header{Job: o.Job, Label: m.Label, Source: o.Source, Optimizer: optimizer.Name(), Commit: o.Commit, Jobs: o.Jobs}
	h.L2Left = m.NoL2 && o.Config.L2 != 0
	if h.Settings, err = json.Marshal(optimizer); err != nil {
		return h, errors.Wrap(err, "settings")
	}
	if h.Precision, err = precisionSettings(o.Config); err != nil {
		return h, err
	}
	h.BLAS, h.Threads, err = libraries()
	return h, err
}

// run trains until the run is finished or diverges or ctx ends.
func (t *training) run(ctx context.Context, progress func(step int, loss float64)) error {
	memory := startMemory()
	stream := t.batches.Stream(ctx, t.tr.Steps())
	defer stream.Close()
	every := t.order.Config.EvaluateEvery()
	for {
		step := t.tr.Steps()
		if ended := step == t.order.Config.Steps; ended || step%every == 0 {
			if step > t.evaluated {
				loss, err := t.evaluate(ctx)
				switch {
				case errors.Is(err, trainers.ErrNotFinite):
					return t.finish(memory, err)
				case err != nil && ctx.Err() != nil:
					return t.pause(ctx)
				case err != nil:
					return err
				}
				progress(step, loss)
			}
			if ended {
				return t.finish(memory, nil)
			}
		}
		if err := t.saveWhenDue(); err != nil {
			return err
		}
		batch, err := stream.Next()
		if err != nil {
			return t.pause(ctx)
		}
		if err := t.step(batch); err != nil {
			if step == 0 && !errors.Is(err, trainers.ErrNotFinite) {
				return err // the method cannot train the task at all
			}
			return t.finish(memory, err)
		}
	}
}

func (t *training) step(batch graph.Batch) error {
	began := time.Now()
	stats, err := t.tr.Step(batch)
	spent := time.Since(began).Seconds()
	t.seconds += spent
	t.times, t.learned = append(t.times, spent), append(t.learned, stats.MetaTime > 0)
	t.lastLoss = stats.Loss
	return err
}
