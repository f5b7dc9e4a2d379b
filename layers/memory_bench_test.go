package layers_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// BenchmarkResNet18Memory is what a base graph of ResNet-18 holds after steps on 128
// images, weights, gradients and temporary memory included, in float32 and in 16 bits. Run
// one alone, such as -bench 'ResNet18Memory/low=false': temporary memory stays.
func BenchmarkResNet18Memory(b *testing.B) {
	for _, s := range []graph.Storage{{}, {Format: apoops.BFloat16, Low: true}, {Format: apoops.BFloat16, Low: true, Emulated: true}} {
		b.Run(fmt.Sprintf("low=%t,emulated=%t", s.Low, s.Emulated), func(b *testing.B) {
			const images = 128
			rng := rand.New(rand.NewPCG(1, 1))
			x, labels := make([]float32, images*3*32*32), make([]int, images)
			for i := range x {
				x[i] = float32(rng.NormFloat64())
			}
			for i := range labels {
				labels[i] = rng.IntN(10)
			}
			batch := graph.NewBatch(tensor.New(tensor.WithShape(images, 3, 32, 32), tensor.WithBacking(x)), tensor.New(tensor.WithShape(images), tensor.WithBacking(labels)))
			model := layers.ResNet18(10)
			params, err := model.Init(1, tensor.Float32)
			if err != nil {
				b.Fatal(err)
			}
			base, err := graph.NewBase(graph.Objective{Model: model, Loss: graph.SoftmaxCrossEntropy, Storage: s}, params, batch, nil)
			if err != nil {
				b.Fatal(err)
			}
			if err := base.Feed(batch); err != nil {
				b.Fatal(err)
			}
			for range b.N {
				if err := base.Run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(heap())/(1<<20), "MiB")
			runtime.KeepAlive(base)
		})
	}
}

// heap is the size of what is in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
