package peers

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/benchmarks/resident"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

const (
	classes = 10
	mlpNet  = "mlp" // the one net that is not for images
)

// measureOurs measures whole steps of this library in this process. It writes a CPU
// profile of the timed steps to the file profile unless that is "".
func measureOurs(net string, s settings, profile string) (m measurement, err error) {
	if m.BLAS, err = apoops.UseLibraries(); err != nil {
		return m, err
	}
	m.Version = fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	m.Threads = par.Cores()
	m.Base = resident.Now()
	run, err := workOf(net, s, &m)
	if err != nil {
		return m, err
	}
	step := func() (milliseconds float64, err error) {
		began := time.Now()
		err = run()
		return float64(time.Since(began).Nanoseconds()) / 1e6, err
	}
	for range s.warmup {
		if _, err := step(); err != nil {
			return m, err
		}
	}
	stop, err := startProfile(profile)
	if err != nil {
		return m, err
	}
	defer stop()
	times := make([]float64, s.steps)
	for i := range times {
		if times[i], err = step(); err != nil {
			return m, err
		}
	}
	m.Median, m.Min = median(times), slices.Min(times)
	// The kernel's counts of pages lag a little: a net that needs next to no memory may
	// seem to need less than none.
	m.Peak = max(resident.Peak(), m.Base)
	return m, nil
}

// workOf prepares a net's work and returns its step. Both enter in m what is compared
// with the other sides.
func workOf(net string, s settings, m *measurement) (step func() error, err error) {
	if _, ok := translators[net]; ok {
		return translation(net, s, m)
	}
	return training(net, s, m)
}

// training is a net's training.
func training(net string, s settings, m *measurement) (step func() error, err error) {
	t, err := taskOf(net, s)
	if err != nil {
		return nil, err
	}
	opts := []trainers.Option{trainers.EveryK(0)}
	if s.low {
		opts = append(opts, trainers.Precision(apoops.BFloat16, precision.Nearest())) // as PyTorch rounds
	}
	tr, err := trainers.New(t.model, t.loss, t.optimizer, opts...)
	if err != nil {
		return nil, err
	}
	m.Parameters = parameters(tr.Params())
	steps := 0
	return func() error {
		for range max(t.inner, 1) {
			info, err := tr.Step(t.batches[steps%len(t.batches)])
			if err != nil {
				return err
			}
			if steps < t.compared {
				m.Losses = append(m.Losses, info.Loss)
			}
			steps++
		}
		return nil
	}, nil
}

// task is what a side trains.
type task struct {
	model     graph.Model
	loss      graph.Loss
	optimizer trainers.Optimizer
	batches   []graph.Batch // used in turn
	inner     int           // training steps of a step that is timed, 0 for one
	// compared are the first training steps whose losses are compared: all sides have the
	// same weights and data.
	compared int
}

// firstLosses are the first training steps of nets for images whose losses are compared.
const firstLosses = 20

// taskOf is the task of a net: for images one random batch.
func taskOf(net string, s settings) (task, error) {
	if _, ok := transformers[net]; ok {
		return transformerTask(net, s.tokens)
	}
	if _, ok := kfacSizes[net]; ok {
		return kfacTask(net, s.batch), nil
	}
	model, example, err := build(net)
	var rule trainers.Optimizer = trainers.SGDm(0.01)
	if s.rule == byAdam {
		rule = trainers.Adam(0.001)
	}
	return task{
		model: model, loss: graph.SoftmaxCrossEntropy, optimizer: rule,
		batches: []graph.Batch{randomBatch(1, s.batch, example...)}, compared: firstLosses,
	}, err
}

// startProfile writes a CPU profile to a file until stop is called; "" means no
// profile.
func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, errors.Wrap(err, "profile")
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, errors.Wrap(err, "profile")
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// build returns the model of a net and the shape of an example.
func build(net string) (*layers.Model, []int, error) {
	if net == mlpNet {
		return layers.MLP(784, 1000, 1000, classes), []int{784}, nil
	}
	m, err := layers.ImageModel(net, classes)
	return m, []int{3, 32, 32}, err
}

// parameters is the number of learned parameters.
func parameters(all []*graph.Param) int {
	n := 0
	for _, p := range graph.Learned(all) {
		n += p.Value.DataSize()
	}
	return n
}

// randomBatch has n examples of the given shape with numbers in [0, 1), and random
// classes.
func randomBatch(seed uint64, n int, example ...int) graph.Batch {
	rng := rand.New(rand.NewPCG(seed, 1))
	shape := append(tensor.Shape{n}, example...)
	x, t := make([]float32, shape.TotalSize()), make([]int, n)
	for i := range x {
		x[i] = rng.Float32()
	}
	for i := range t {
		t[i] = rng.IntN(classes)
	}
	return graph.NewBatch(
		tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x)),
		tensor.New(tensor.WithShape(n), tensor.WithBacking(t)))
}
