package trainers

import (
	"testing"
	"time"

	"github.com/apo-gorgonia/apo/graph"
)

// BenchmarkCalibration measures what a calibration from a rate that is a thousand times too
// small costs: the first step of a trainer with it and that of one without, beside later
// steps. Both first steps build graphs.
func BenchmarkCalibration(b *testing.B) {
	for name, net := range map[string]measured{"MLP": mlp, "LeNet": lenet} {
		b.Run(name, func(b *testing.B) {
			source := func(i int) (graph.Batch, error) { return syntheticImages(128, net.input...), nil }
			compareRounds(b, 5,
				firstStepOf(b, "calibrated", net, Calibrated(CalibratedConfig{}), CalibrateFrom(source)),
				firstStepOf(b, "first", net, EveryK(0)),
				side{name: "later", steps: metaEvery, work: stepsOf(b, net, Adam(1e-6), EveryK(0))})
		})
	}
}

// firstStepOf makes a trainer each time and measures its first step.
func firstStepOf(b *testing.B, name string, net measured, opts ...Option) side {
	b.Helper()
	batch := syntheticImages(128, net.input...)
	var took time.Duration
	return side{name: name, steps: 1, took: func() time.Duration { return took }, work: func() error {
		model, err := net.model()
		if err != nil {
			return err
		}
		tr, err := New(model, graph.SoftmaxCrossEntropy, Adam(1e-6), opts...)
		if err != nil {
			return err
		}
		began := time.Now()
		_, err = tr.Step(batch)
		took = time.Since(began)
		return err
	}}
}
