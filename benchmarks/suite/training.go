package suite

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

const (
	// checkpointEvery is the time between two checkpoints.
	checkpointEvery = time.Minute
	// calibrationSeed draws other mini-batches than training does.
	calibrationSeed = 0xca11b8a7e
)

// training is a run with its file.
type training struct {
	order     Order
	rare      string // methods.Method.Rare
	task      experiments.Task
	problem   *experiments.Problem
	tr        *trainers.Trainer
	batches   *trainers.Batches
	log       *logFile
	header    Header
	seconds   float64   // of all steps
	times     []float64 // of the steps of this process
	lastLoss  float64
	evaluated int // the last step with an evaluation, -1 at first
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
	if t.batches, err = trainers.NewBatches(t.problem.Train, o.Config.Batch, o.Seed); err != nil {
		return nil, err
	}
	calibration, err := trainers.NewBatches(t.problem.Train, o.Config.Batch, o.Seed^calibrationSeed)
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
	opts := []trainers.Option{trainers.Seed(o.Seed), trainers.Dtype(o.Config.Type()), trainers.TildeFrom(t.batches.TildeAt)}
	if o.Config.DecayAll {
		opts = append(opts, trainers.WithSchedule(o.Config.Decay.Schedule(o.Config.Steps)))
	}
	model, err := e.Task.Model(o.Config)
	if err != nil {
		return nil, err
	}
	if t.tr, err = trainers.New(model, e.Task.Loss(), optimizer, append(opts, own...)...); err != nil {
		return nil, err
	}
	t.header, err = newHeader(o, m, optimizer)
	t.header.Rows, t.header.PerEpoch = t.problem.Train.Len(), t.batches.PerEpoch()
	return t, err
}

func newHeader(o Order, m *methods.Method, optimizer trainers.Optimizer) (h Header, err error) {
	h = Header{Job: o.Job, Label: m.Label, Source: o.Source, Optimizer: optimizer.Name(), Commit: o.Commit, Jobs: o.Jobs}
	h.L2Left = m.NoL2 && o.Config.L2 != 0
	if h.Settings, err = json.Marshal(optimizer); err != nil {
		return h, errors.Wrap(err, "settings")
	}
	h.BLAS, h.Threads, err = libraries()
	return h, err
}

func (t *training) checkpoint() string { return strings.TrimSuffix(t.order.Path, ".jsonl") + ".ckpt" }

// open begins the run's file, or goes on from its checkpoint.
func (t *training) open() (err error) {
	durable.RemoveLeftovers(filepath.Dir(t.order.Path))
	if t.order.Resume {
		if _, statErr := os.Stat(t.checkpoint()); statErr == nil {
			if err := t.tr.Load(t.checkpoint()); err != nil {
				return err
			}
			t.log, t.seconds, t.evaluated, err = reopenLog(t.order.Path, t.tr.Steps())
			return err
		}
	}
	if err := t.forget(); err != nil {
		return err
	}
	t.log, err = createLog(t.order.Path, t.header)
	return err
}

// run trains to the end, until the context ends or until the run diverges.
func (t *training) run(ctx context.Context, progress func(step int, loss float64)) error {
	memory := startMemory()
	stream := t.batches.Stream(ctx, t.tr.Steps())
	defer stream.Close()
	every := t.order.Config.EvaluateEvery()
	for {
		step := t.tr.Steps()
		if ended := step == t.order.Config.Steps; ended || step%every == 0 {
			if step > t.evaluated {
				loss, err := t.evaluate()
				if errors.Is(err, trainers.ErrNotFinite) {
					return t.finish(memory, err)
				}
				if err != nil {
					return err
				}
				progress(step, loss)
			}
			if ended {
				return t.finish(memory, nil)
			}
		}
		if err := t.saveSometimes(); err != nil {
			return err
		}
		batch, err := stream.Next()
		if err != nil {
			return t.pause(ctx)
		}
		if err := t.step(batch); err != nil {
			if step == 0 && !errors.Is(err, trainers.ErrNotFinite) {
				return err // the method cannot be run at all
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
	t.times = append(t.times, spent)
	t.lastLoss = stats.Loss
	return err
}

// evaluate writes a line about the present weights.
func (t *training) evaluate() (float64, error) {
	step := t.tr.Steps()
	e := Evaluation{Step: step, Epoch: float64(step) / float64(t.batches.PerEpoch()), Seconds: t.seconds}
	rows := t.task.Work(t.order.Config).EvaluationBatch
	train, err := t.tr.Evaluate(t.problem.Evaluate, rows)
	if err != nil {
		return 0, err
	}
	e.TrainLoss, e.TrainAccuracy = Number(train.Loss), known(train.Accuracy)
	if t.problem.Test != nil {
		test, err := t.tr.Evaluate(t.problem.Test, rows)
		if err != nil {
			return 0, err
		}
		e.TestLoss, e.Accuracy = ref(test.Loss), known(test.Accuracy)
	}
	e.BatchLoss = known(t.lastLoss)
	for _, r := range t.tr.Rates() {
		e.Rates = append(e.Rates, Number(r))
	}
	t.evaluated = step
	return train.Loss, t.log.write(e)
}

func ref(x float64) *Number { return (*Number)(&x) }

// known is nil for NaN.
func known(x float64) *Number {
	if math.IsNaN(x) {
		return nil
	}
	return ref(x)
}

// saveSometimes saves a checkpoint if the last one is old enough.
func (t *training) saveSometimes() error {
	if time.Since(t.saved) < checkpointEvery {
		return nil
	}
	return t.save()
}

// save saves a checkpoint; the line that tells the time until then goes first.
func (t *training) save() error {
	if err := t.log.write(Pause{Paused: true, Step: t.tr.Steps(), Seconds: t.seconds}); err != nil {
		return err
	}
	t.saved = time.Now()
	return t.tr.Save(t.checkpoint())
}

// pause saves the state of an interrupted run and returns the reason.
func (t *training) pause(ctx context.Context) error {
	if err := t.save(); err != nil {
		return err
	}
	return ctx.Err()
}

// finish writes the last line; failure is why the run diverged, nil for one
// that did not.
func (t *training) finish(memory memoryMeter, failure error) error {
	d := Done{Done: true, Steps: t.tr.Steps(), Seconds: t.seconds, PeakBytes: memory.peak(), StartBytes: memory.start}
	d.Notes = t.tr.Notes()
	d.SecondsPerStep = perStep(t.times, int(t.order.Values[t.rare]), t.order.RarePeriod)
	if len(t.times) > 0 {
		d.FirstSeconds = t.times[0]
	}
	if failure != nil {
		at := t.tr.Steps()
		d.DivergedAt, d.Message = &at, failure.Error()
	}
	if err := t.log.write(d); err != nil {
		return err
	}
	return t.forget()
}

// forget removes the checkpoint.
func (t *training) forget() error {
	if err := os.Remove(t.checkpoint()); err != nil && !os.IsNotExist(err) {
		return errors.Wrap(err, "results")
	}
	return nil
}
