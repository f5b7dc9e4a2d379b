package main

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/datasets"
	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// The files of a training.
const (
	checkpoint = "checkpoint"
	weights    = "weights.safetensors"
	table      = "steps.csv"
	lines      = "steps.jsonl"
)

const steps, batchSize, saveEvery = 120, 32, 3

// config is a training of a net on 8×8 digits.
type config struct {
	name    string
	dtype   tensor.Dtype
	images  bool // a convolutional net with batch norm, otherwise a dense one with dropout
	rule    func() trainers.Optimizer
	options func(*trainers.Batches) []trainers.Option
}

var configs = []config{
	{"sgdm", tensor.Float32, false, rule(trainers.SGDm(0.01)), func(b *trainers.Batches) []trainers.Option {
		return []trainers.Option{trainers.EveryK(2), trainers.RatePerParam(), trainers.TildeFrom(b.TildeAt)}
	}},
	{"adam", tensor.Float32, true, rule(trainers.Adam(0.001)), everyK(3)},
	{"rmsprop", tensor.Float64, false, rule(trainers.RMSprop(0.001)), everyK(1)},
	{"calibrated", tensor.Float32, true, rule(trainers.SGDm(0.001)), func(b *trainers.Batches) []trainers.Option {
		return []trainers.Option{trainers.EveryK(4), trainers.Calibrated(trainers.CalibratedConfig{Horizon: steps}),
			trainers.CalibrateFrom(func(i int) (graph.Batch, error) { return b.At(i), nil })}
	}},
	{"adamw", tensor.Float32, false, rule(trainers.AdamW(0.001)), func(*trainers.Batches) []trainers.Option {
		return []trainers.Option{trainers.EveryK(0), trainers.WithSchedule(trainers.WarmUp(10, trainers.Cosine(steps, 0)))}
	}},
	{"precond", tensor.Float32, true, rule(trainers.Precond(0.05)), everyK(2)},
	{"precond-plain", tensor.Float32, true, rule(trainers.PrecondPlain(0.05)), everyK(2)},
	{"precond-relative", tensor.Float32, false, rule(precond.Relative(0)), func(b *trainers.Batches) []trainers.Option {
		return []trainers.Option{trainers.EveryK(5), trainers.TildeFrom(b.TildeAt)}
	}},
	{"precond-trust-region", tensor.Float32, false, rule(precond.TrustRegion(0)), everyK(5)},
	{"kfac", tensor.Float32, true, rule(trainers.KFAC(0.01)), everyK(2)},
	{"shampoo", tensor.Float64, false, rule(trainers.Shampoo(0.01)), everyK(10)},
}

func rule(o trainers.Optimizer) func() trainers.Optimizer {
	return func() trainers.Optimizer { return o }
}

func everyK(k int) func(*trainers.Batches) []trainers.Option {
	return func(*trainers.Batches) []trainers.Option { return []trainers.Option{trainers.EveryK(k)} }
}

func (c config) model() *layers.Model {
	if !c.images {
		return layers.Sequential(layers.Dense(64, 48, apoops.ReLUAct), layers.Dropout(0.2), layers.Dense(48, 10, apoops.Identity))
	}
	return layers.Sequential(layers.Conv(1, 8, 3, apoops.Identity), layers.BatchNorm(8, apoops.ReLUAct), layers.MaxPool(apoops.Pool{Kernel: [2]int{2, 2}}),
		layers.Flatten(), layers.Dense(72, 10, apoops.Identity))
}

// train goes on with the training in the folder, or starts it.
func train(name, dir string) error {
	for _, c := range configs {
		if c.name == name {
			return c.train(dir)
		}
	}
	return errors.Errorf("no configuration %q", name)
}

func (c config) train(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	lock, err := durable.LockFolder(dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	data, _, err := datasets.Digits(c.dtype)
	if err != nil {
		return err
	}
	if c.images {
		if err := data.X.Reshape(data.Len(), 1, 8, 8); err != nil {
			return err
		}
	}
	batches, err := trainers.NewBatches(data, batchSize, 3)
	if err != nil {
		return err
	}
	calibration, err := trainers.NewBatches(data, batchSize, 4)
	if err != nil {
		return err
	}
	opts := append(c.options(calibration), trainers.Seed(7), trainers.Dtype(c.dtype))
	t, err := trainers.New(c.model(), graph.SoftmaxCrossEntropy, c.rule(), opts...)
	if err != nil {
		return err
	}
	if err := t.Load(filepath.Join(dir, checkpoint)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	log, err := openLogs(dir, t.Steps())
	if err != nil {
		return err
	}
	if err := t.SetRecorder(trainers.Multi(log.csv, log.json)); err != nil {
		return err
	}
	return run(t, batches, log, dir)
}

func run(t *trainers.Trainer, batches *trainers.Batches, log *logs, dir string) error {
	for t.Steps() < steps {
		if t.Steps()%saveEvery == 0 {
			if err := log.flush(); err != nil {
				return err
			}
			if err := t.Save(filepath.Join(dir, checkpoint)); err != nil {
				return err
			}
		}
		if _, err := t.Step(batches.At(t.Steps())); err != nil {
			return err
		}
	}
	if err := log.flush(); err != nil {
		return err
	}
	return t.SaveWeights(filepath.Join(dir, weights))
}

// logs are both logs of a run.
type logs struct {
	csv  *trainers.CSV
	json *trainers.JSONL
}

func openLogs(dir string, done int) (l *logs, err error) {
	l = &logs{}
	if l.csv, _, err = trainers.OpenCSV(filepath.Join(dir, table), done); err != nil {
		return nil, err
	}
	l.json, _, err = trainers.OpenJSONL(filepath.Join(dir, lines), done)
	return l, err
}

func (l *logs) flush() error {
	if err := l.csv.Flush(); err != nil {
		return err
	}
	return l.json.Flush()
}
