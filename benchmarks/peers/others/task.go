package main

import (
	"runtime/debug"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// The optimizer of all sides.
const (
	learningRate = 0.01
	momentum     = 0.9
)

// task is a fully connected net with ReLU between its layers, and the batch that it is
// trained on.
type task struct {
	examples int
	x        []float32 // examples × inputs
	classes  []int
	layers   []layer
}

// layer computes x·W + b.
type layer struct {
	in, out int
	weights []float32 // in×out
	biases  []float32 // out
}

// readTask reads a file that has the inputs x, the classes t and a matrix of weights for
// each layer, whose last row are the biases.
func readTask(path string) (*task, error) {
	tensors, err := checkpoint.ReadSafetensors(path)
	if err != nil {
		return nil, err
	}
	t := &task{}
	width := 0
	for _, a := range tensors {
		shape := a.Value.Shape()
		switch {
		case a.Name == "t" && a.Value.Dtype() == tensor.Int:
			t.classes = a.Value.Ints()
		case a.Value.Dtype() != apoops.DtypeOf[float32]() || len(shape) != 2:
			return nil, errors.Errorf("%s: %s is %v of shape %v, not a matrix of float32", path, a.Name, a.Value.Dtype(), shape)
		case a.Name == "x":
			t.x, t.examples, width = a.Value.Float32s(), shape[0], shape[1]
		case shape[0] != width+1:
			return nil, errors.Errorf("%s: %s has %d rows for %d inputs and biases", path, a.Name, shape[0], width)
		default:
			in, out := shape[0]-1, shape[1]
			values := a.Value.Float32s()
			t.layers = append(t.layers, layer{in: in, out: out, weights: values[:in*out], biases: values[in*out:]})
			width = out
		}
	}
	if len(t.layers) == 0 || len(t.classes) != t.examples {
		return nil, errors.Errorf("%s: %d layers, %d examples, %d classes", path, len(t.layers), t.examples, len(t.classes))
	}
	return t, nil
}

// parameters is the number of weights and biases.
func (t *task) parameters() int {
	n := 0
	for _, l := range t.layers {
		n += len(l.weights) + len(l.biases)
	}
	return n
}

// experiments are those of GOEXPERIMENT that this program is built with.
func experiments() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GOEXPERIMENT" {
				return ", " + s.Value
			}
		}
	}
	return ""
}

// version is that of a module in this program.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return "unknown"
}
