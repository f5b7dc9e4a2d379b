package extend

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// TestLayer compares the gradient of the loss with central differences, at every
// weight of the layer and of the one behind it.
func TestLayer(t *testing.T) {
	const h = 1e-5
	tr := newTrainer(t, tensor.Float64, trainers.SGD(1e-300), trainers.EveryK(0)) // so slow that no weight moves
	train(t, tensor.Float64, tr, 0, 1)
	var gradients [][]float64
	for _, g := range tr.LastGradient() {
		gradients = append(gradients, append([]float64{}, g.Value.Float64s()...))
	}
	names := ""
	for i, p := range tr.Params() {
		names += p.Name + " "
		w := p.Value.Float64s()
		for j, v := range w {
			w[j] = v + h
			above := train(t, tensor.Float64, tr, 0, 1)[0]
			w[j] = v - h
			below := train(t, tensor.Float64, tr, 0, 1)[0]
			w[j] = v
			if want := (above - below) / (2 * h); math.Abs(gradients[i][j]-want) > 1e-8 {
				t.Errorf("element %d of %s: gradient %v, by differences %v", j, p.Name, gradients[i][j], want)
			}
		}
	}
	if names != "swiglu0/gate swiglu0/value dense1 " {
		t.Errorf("parameters are %s", names)
	}
}

// TestLayerTrains has each optimizer of the library learn the layer. Those that
// precondition take its weights for matrices.
func TestLayerTrains(t *testing.T) {
	for _, name := range trainers.OptimizerNames() {
		lr, err := trainers.DefaultRate(name)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains([]string{"kfac", "ekfac", "shampoo", "prodigy", "lars"}, name) {
			lr /= 10 // batches of 8 rows are too noisy for their defaults
		}
		steps := 200
		if name == "dog" || name == "ldog" {
			steps = 500 // the first move nothing by more than a millionth
		}
		o, err := trainers.NewOptimizer(name, lr, nil)
		if err != nil {
			t.Fatal(err)
		}
		tr := newTrainer(t, tensor.Float32, o)
		losses := train(t, tensor.Float32, tr, 0, steps)
		if first, last := mean(losses[:10]), mean(losses[steps-10:]); !(last < first) {
			t.Errorf("%s: loss %v at first, %v in the end", name, first, last)
		}
	}
}

func TestLayerRefuses(t *testing.T) {
	_, err := layers.Sequential(SwiGLU{0, 3}).Init(1, tensor.Float32)
	if err == nil || !strings.Contains(err.Error(), "swiglu") || !strings.Contains(err.Error(), "0 inputs") {
		t.Errorf("no inputs: %v", err)
	}
}
