package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/curvature"
)

// kfacNet is KFAC on the fully connected net. A step is an interval of inverses, so that
// each has as many updates of factors and inverses as another.
const kfacNet = "kfac"

const (
	// kfacBatches batches are used in turn.
	kfacBatches = 10
	// kfacLosses are the first training steps whose losses are compared. Later ones lie
	// so near 0 that the rounding of inverses shows.
	kfacLosses = 20
)

// kfacSizes are the layers of the fully connected net and of a small one for tests.
var kfacSizes = map[string][]int{kfacNet: {784, 1000, 1000, classes}, "kfac-tiny": {20, 40, 30, classes}}

// kfacConfig are the settings of all sides: the defaults, with the factors of the batch's
// own targets, which need no draws.
func kfacConfig() *curvature.KFACConfig {
	o := trainers.KFAC(0.01)
	o.Empirical = true
	return o
}

// kfacTask is KFAC on random batches.
func kfacTask(net string, n int) task {
	sizes := kfacSizes[net]
	t := task{
		model: layers.MLP(sizes...), loss: graph.SoftmaxCrossEntropy, optimizer: kfacConfig(),
		inner: kfacConfig().InverseEvery, compared: kfacLosses,
	}
	for i := range kfacBatches {
		t.batches = append(t.batches, randomBatch(uint64(i), n, sizes[0]))
	}
	return t
}

// writeKFAC writes the first weights and the batches to a file in dir, for PyTorch.
func writeKFAC(dir, net string, n int) (path string, err error) {
	t := kfacTask(net, n)
	tr, err := trainers.New(t.model, t.loss, t.optimizer, trainers.EveryK(0))
	if err != nil {
		return "", err
	}
	var all []trainers.NamedTensor
	for i, b := range t.batches {
		all = append(all, trainers.NamedTensor{Name: fmt.Sprintf("batch%d/x", i), Value: b.X[0]}, trainers.NamedTensor{Name: fmt.Sprintf("batch%d/t", i), Value: b.T[0]})
	}
	for _, p := range tr.Params() {
		all = append(all, trainers.NamedTensor{Name: p.Name, Value: p.Value})
	}
	path = filepath.Join(dir, "task.safetensors")
	return path, checkpoint.WriteSafetensors(path, all)
}

// kfacSides are the ways of PyTorch. done removes the file of weights.
func kfacSides(python, net string, threads []int, s settings) (sides []*side, done func(), err error) {
	path, done, err := taskFile(func(dir string) (string, error) { return writeKFAC(dir, net, s.batch) })
	if err != nil {
		return nil, nil, err
	}
	config, err := json.Marshal(kfacConfig())
	if err != nil {
		done()
		return nil, nil, errors.Wrap(err, "writing the settings")
	}
	for _, w := range ways(mlpNet, threads, settings{}) {
		sides = append(sides, &side{name: w.name(), run: torchKFAC(python, path, string(config), w, s)})
	}
	return sides, done, nil
}

// torchKFAC measures PyTorch on the weights and batches of the file task in the way w.
func torchKFAC(python, task, config string, w way, s settings) measureFunc {
	return func(ctx context.Context) (measurement, error) {
		var m measurement
		args := []string{"--settings", config, "--threads", strconv.Itoa(w.threads), "--steps", strconv.Itoa(s.steps), "--warmup", strconv.Itoa(s.warmup), "--losses", strconv.Itoa(kfacLosses), task}
		return m, runScriptWith(ctx, w.variables(), &m, python, "torch_kfac.py", args...)
	}
}
