package trainers

import (
	"runtime"
	"testing"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// TestMemoryOfMetaSteps compares all that a training of ResNet-8 allocates in three steps,
// whether it is garbage later or not, with meta-steps and without: at most 1.8 times as
// much, where the paper allows for twice as much. The graph of the meta-step has the memory
// of the gradient's graph and some more.
func TestMemoryOfMetaSteps(t *testing.T) {
	allocated := func(k int) float64 {
		model, err := layers.ImageModel("resnet8", 10)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := New(model, graph.SoftmaxCrossEntropy, SGDm(0.01), EveryK(k))
		if err != nil {
			t.Fatal(err)
		}
		batch := syntheticImages(64, 3, 32, 32)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range 3 {
			if _, err := tr.Step(batch); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(tr)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	allocated(1) // what the first training makes for all
	plain, meta := allocated(0), allocated(2)
	t.Logf("%.1f MB without meta-steps, %.1f MB with", plain/1e6, meta/1e6)
	if meta > 1.8*plain {
		t.Errorf("%.1f MB with meta-steps, %.1f MB without", meta/1e6, plain/1e6)
	}
}
