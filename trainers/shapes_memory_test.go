package trainers

import (
	"runtime"
	"testing"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// TestMemoryOfEightShapes compares the heap of a training with batches of eight sizes,
// the graphs of its meta-steps and curvature among them, with that of the largest size
// alone: little more, for the graphs share weights, state, intermediate results and
// gradients. There are far more rows than the layers have inputs, as there are tokens in a
// batch of sentences: what ops keep for the size of the weights is in each graph. It is
// measured after the first time and after the second of each size, the smallest first,
// with mini-batches in one place, as Batches and TokenBatches have them.
func TestMemoryOfEightShapes(t *testing.T) {
	const width, largest = 128, 4096
	heap := func() float64 {
		for range 3 {
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	x, labels := make([]float32, largest*width), make([]int, largest)
	for i := range x {
		x[i] = float32(i%11) / 11
	}
	batchOf := func(n int) graph.Batch { return graph.NewBatch(denseOf(x[:n*width], n, width), denseOf(labels[:n], n)) }
	train := func(o Optimizer, sizes ...int) (peak float64) {
		before := heap()
		tr, err := New(layers.MLP(width, width, width, width, 10), graph.SoftmaxCrossEntropy, o, EveryK(1))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for _, n := range sizes {
				if _, err := tr.Step(batchOf(n)); err != nil {
					t.Fatal(err)
				}
			}
			peak = max(peak, heap()-before)
		}
		runtime.KeepAlive(tr)
		return peak
	}
	var sizes []int
	for i := 1; i <= 8; i++ {
		sizes = append(sizes, largest*i/8)
	}
	for _, o := range []Optimizer{Adam(0.001), KFAC(0.01), Precond(0.01)} {
		alone, mixed := train(o, largest), train(o, sizes...)
		t.Logf("%s: %.1f MB alone, %.1f MB with %d sizes", o.Name(), alone/1e6, mixed/1e6, len(sizes))
		if mixed > 1.5*alone {
			t.Errorf("%s: %.1f MB with %d sizes, %.1f MB alone", o.Name(), mixed/1e6, len(sizes), alone/1e6)
		}
	}
}
