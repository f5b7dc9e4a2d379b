package trainers

import (
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// BenchmarkBFloat16 measures a step of SGD with momentum in bfloat16 against one in
// float32: 784-1000-1000-10 on batches of 1024, ResNet-18 on 128 images of 32×32.
func BenchmarkBFloat16(b *testing.B) {
	b.Logf("bfloat16 on this machine: %v", dnn.BFloat16() == nil)
	resnet := measured{func() (graph.Model, error) { return layers.ResNet18(10), nil }, tensor.Shape{3, 32, 32}}
	for _, c := range []struct {
		name          string
		net           measured
		batch, rounds int
	}{{"MLP", mlp, 1024, fewestRounds}, {"ResNet18", resnet, 128, 5}} {
		b.Run(c.name, func(b *testing.B) {
			var sides []side
			for _, s := range []struct {
				name string
				opts []Option
			}{{"bfloat16", []Option{Precision(apoops.BFloat16)}}, {"float32", nil}} {
				model, err := c.net.model()
				if err != nil {
					b.Fatal(err)
				}
				tr, err := New(model, graph.SoftmaxCrossEntropy, SGDm(0.01), append(s.opts, EveryK(0))...)
				if err != nil {
					b.Fatal(err)
				}
				batch := syntheticImages(c.batch, c.net.input...)
				sides = append(sides, side{name: s.name, steps: 1, work: func() error {
					_, err := tr.Step(batch)
					return err
				}})
			}
			compareRounds(b, c.rounds, sides...)
		})
	}
}
