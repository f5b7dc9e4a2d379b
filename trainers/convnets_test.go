package trainers

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// convNets are small nets for images 2×6×6 of 3 classes.
func convNets() map[string]*layers.Model {
	conv := func(in, out int) *layers.ConvLayer {
		c := layers.Conv(in, out, 3, apoops.Identity)
		c.Pad, c.NoBias = [2]int{1, 1}, true
		return c
	}
	wide := layers.Residual(conv(4, 6), layers.BatchNorm(6, apoops.ReLUAct), conv(6, 6), layers.BatchNorm(6, apoops.Identity))
	wide.Shortcut = []layers.Layer{layers.Subsample(1, 6)}
	return map[string]*layers.Model{
		"plain": layers.Sequential(
			layers.Conv(2, 4, 3, apoops.ReLUAct), layers.MaxPool(apoops.Pool{Kernel: [2]int{2, 2}}),
			layers.Flatten(), layers.Dense(16, 3, apoops.Identity)),
		"residual": layers.Sequential(
			conv(2, 4), layers.BatchNorm(4, apoops.ReLUAct), wide, layers.Dropout(0.1),
			layers.GlobalAvgPool(), layers.Dense(6, 3, apoops.Identity)),
		"blocks of channels": layers.Sequential( // as oneDNN works on them
			conv(2, 16), layers.BatchNorm(16, apoops.ReLUAct),
			layers.Residual(conv(16, 16), layers.BatchNorm(16, apoops.ReLUAct), conv(16, 16), layers.BatchNorm(16, apoops.Identity)),
			layers.GlobalAvgPool(), layers.Dense(16, 3, apoops.Identity)),
	}
}

// pictures are noise with labels that have to be learned by heart.
func pictures() Data {
	rng := rand.New(rand.NewPCG(41, 1))
	const n = 24
	x, labels := make([]float64, n*2*6*6), make([]int, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	for i := range labels {
		labels[i] = rng.IntN(3)
	}
	return Data{X: tensor.New(tensor.WithShape(n, 2, 6, 6), tensor.WithBacking(x)), T: tensor.New(tensor.WithShape(n), tensor.WithBacking(labels))}
}

// learn takes steps [from, to) on batches of the pictures.
func learns(t *testing.T, tr *Trainer, from, to int) {
	t.Helper()
	batches, err := NewBatches(pictures(), 12, 3)
	if err != nil {
		t.Fatal(err)
	}
	for step := from; step < to; step++ {
		if _, err := tr.Step(batches.At(step)); err != nil {
			t.Fatal(err)
		}
	}
}

func lossOf(t *testing.T, tr *Trainer) float64 {
	t.Helper()
	e, err := tr.Evaluate(pictures(), 24)
	if err != nil {
		t.Fatal(err)
	}
	return e.Loss
}

// TestConvNetsLearn trains with rates and preconditioners that APO adapts.
func TestConvNetsLearn(t *testing.T) {
	t.Parallel()
	optimizers := map[string]Optimizer{"sgdm": SGDm(0.01), "precond": Precond(0.1), "precond plain": PrecondPlain(0.3), "precond above": precond.Relative(0), "kfac": KFAC(0.02)}
	for net, model := range convNets() {
		for name, o := range optimizers {
			t.Run(net+"/"+name, func(t *testing.T) {
				opts := []Option{Dtype(tensor.Float64), Seed(2)}
				if name == "sgdm" {
					opts = append(opts, EveryK(5), FSD(0.1))
				}
				tr, err := New(model, graph.SoftmaxCrossEntropy, o, opts...)
				if err != nil {
					t.Fatal(err)
				}
				before := lossOf(t, tr)
				learns(t, tr, 0, 60)
				after := lossOf(t, tr)
				t.Logf("loss %.4f before, %.4f after 60 steps", before, after)
				if !(after < 0.7*before) {
					t.Errorf("the loss went from %v to %v", before, after)
				}
			})
		}
	}
}

// TestConvNetsResume compares a run from a checkpoint with one never stopped, bit
// for bit.
func TestConvNetsResume(t *testing.T) {
	model := convNets()["residual"]
	kfac, ekfac := KFAC(0.02), EKFAC(0.02)
	kfac.PatchesPerDim, kfac.FactorEvery, kfac.InverseEvery = 0.5, 3, 6
	ekfac.PatchesPerDim, ekfac.FactorEvery, ekfac.BasisEvery = 0.5, 3, 6
	for _, o := range []Optimizer{SGDm(0.01), Precond(0.05), PrecondPlain(0.05), KFAC(0.02), kfac, ekfac} {
		start := func() *Trainer {
			tr, err := New(model, graph.SoftmaxCrossEntropy, o, Dtype(tensor.Float64), EveryK(3), Seed(2))
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		whole, first, second := start(), start(), start()
		learns(t, whole, 0, 20)
		learns(t, first, 0, 8)
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := first.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := second.Load(path); err != nil {
			t.Fatal(err)
		}
		learns(t, second, 8, 20)
		sameBits(t, o.Name(), whole.engine, second.engine)
	}
}

// TestConvNetsWithoutMetaSteps compares K = 0 with meta-steps too short to move the
// rate, bit for bit: no pass of a meta-step moves the running statistics.
func TestConvNetsWithoutMetaSteps(t *testing.T) {
	start := func(opts ...Option) *Trainer {
		tr, err := New(convNets()["residual"], graph.SoftmaxCrossEntropy, Adam(0.01), append(opts, Dtype(tensor.Float64))...)
		if err != nil {
			t.Fatal(err)
		}
		learns(t, tr, 0, 15)
		return tr
	}
	off, idle := start(EveryK(0)), start(EveryK(2), FSD(0.1), Meta(MetaSGD(1e-300)))
	for i, p := range off.Params() {
		sameArray(t, p.Name, p.Value, idle.Params()[i].Value)
	}
}
