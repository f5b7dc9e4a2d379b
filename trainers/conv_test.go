package trainers

import (
	"context"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// convModel is a small residual net with batch norm, pooling and dropout for
// images of 2×6×6 and 3 classes.
func convModel() *layers.Model {
	padded := func(in, out int, act apoops.Activation) *layers.ConvLayer {
		c := layers.Conv(in, out, 3, act)
		c.Pad = [2]int{1, 1}
		return c
	}
	bare := padded(4, 4, apoops.Identity)
	bare.NoBias = true
	block := layers.Residual(bare, layers.BatchNorm(4, apoops.Identity), padded(4, 4, apoops.Identity))
	block.Shortcut = []layers.Layer{layers.Conv(4, 4, 1, apoops.Identity)}
	return layers.Sequential(
		padded(2, 4, apoops.Identity), layers.BatchNorm(4, apoops.ReLUAct),
		layers.MaxPool(apoops.Pool{Kernel: [2]int{2, 2}}),
		block, layers.Dropout(0.1),
		layers.Conv(4, 5, 2, apoops.ReLUAct), layers.GlobalAvgPool(), layers.Dense(5, 3, apoops.Identity))
}

func convTrainer(t testing.TB, o Optimizer, opts ...Option) *Trainer {
	t.Helper()
	tr, err := New(convModel(), graph.SoftmaxCrossEntropy, o, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// movedImages are images of three classes, which each drawing shifts and flips.
type movedImages struct{ Data }

func toyImages() movedImages {
	rng := rand.New(rand.NewPCG(61, 1))
	const n, classes = 72, 3
	x, labels := make([]float32, n*2*6*6), make([]int, n)
	for i := range x {
		x[i] = float32(0.5 * rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = i % classes
		for j := range 6 {
			x[i*72+6*j+2*labels[i]]++
		}
	}
	return movedImages{Data{
		X: tensor.New(tensor.WithShape(n, 2, 6, 6), tensor.WithBacking(x)),
		T: tensor.New(tensor.WithShape(n), tensor.WithBacking(labels)),
	}}
}

func (s movedImages) Fill(b graph.Batch, rows []int, d batch.Draw) {
	s.Data.Fill(b, rows, d)
	for i := range rows {
		rng := rand.New(rand.NewPCG(d.Seed+uint64(d.Epoch)<<20, uint64(d.First+i)))
		image := b.X[0].Float32s()[i*72 : (i+1)*72]
		if by := 6 * rng.IntN(3); by > 0 { // rows move within each channel
			for c := range 2 {
				plane := image[c*36 : (c+1)*36]
				copy(plane, plane[by:])
				clear(plane[36-by:])
			}
		}
		if rng.IntN(2) == 0 {
			for r := range 12 {
				row := image[r*6 : (r+1)*6]
				for j := range 3 {
					row[j], row[5-j] = row[5-j], row[j]
				}
			}
		}
	}
}

func batchesOf(t testing.TB, set Dataset) *Batches {
	t.Helper()
	b, err := NewBatches(set, 12, 5)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stream trains on the set's stream of mini-batches from the trainer's step on,
// up to step last.
func stream(t testing.TB, tr *Trainer, set Dataset, last int, after func() error) {
	t.Helper()
	s := batchesOf(t, set).Stream(context.Background(), tr.Steps())
	defer s.Close()
	for tr.Steps() < last {
		b, err := s.Next()
		if err == nil {
			_, err = tr.Step(b)
		}
		if err == nil && after != nil {
			err = after()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
