package layers

import (
	"fmt"
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// Model is a sequence of layers.
type Model struct{ layers []Layer }

var _ graph.Model = (*Model)(nil)

// Sequential applies the layers one after the other. Parameters are named after
// the layer's kind and its place among the layers with parameters: dense0,
// dense1. What is wrong with a layer is reported by Init and Output.
func Sequential(layers ...Layer) *Model { return &Model{layers: layers} }

// Init implements graph.Model. Each layer draws from a stream of its own, so
// its weights do not depend on the sizes of the others.
func (m *Model) Init(seed uint64, dt tensor.Dtype) ([]*graph.Param, error) {
	if dt != tensor.Float32 && dt != tensor.Float64 {
		return nil, errors.Errorf("layers: dtype %v is neither float32 nor float64", dt)
	}
	var all []*graph.Param
	number := 0
	for i, l := range m.layers {
		specs, err := m.specs(i)
		if err != nil {
			return nil, err
		}
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		for _, s := range specs {
			name := fmt.Sprintf("%s%d", l.Kind(), number)
			if s.Name != "" {
				name += "/" + s.Name
			}
			all = append(all, &graph.Param{Name: name, Value: s.draw(rng, dt), Matrix: s.Matrix, Statistic: s.Statistic})
		}
		if len(specs) > 0 {
			number++
		}
	}
	return all, graph.CheckParams(all)
}

// Output implements graph.Model for a model of one input.
func (m *Model) Output(p *graph.Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	if len(x) != 1 {
		return nil, errors.Errorf("layers: the model takes one input, not %d", len(x))
	}
	y, rest, number := x[0], theta, 0
	for i, l := range m.layers {
		specs, err := m.specs(i)
		if err != nil {
			return nil, err
		}
		if len(specs) > len(rest) {
			return nil, errors.Errorf("layers: %d parameters are too few for the model", len(theta))
		}
		name := fmt.Sprintf("layer %d (%s)", i, l.Kind())
		if len(specs) > 0 {
			name = fmt.Sprintf("%s%d", l.Kind(), number)
			number++
		}
		in, own := y, rest[:len(specs)]
		y, err = p.Layer(name, func() (*gorgonia.Node, error) { return l.Apply(p, in, own) })
		if err != nil {
			return nil, errors.Wrapf(err, "layers: layer %d (%s)", i, l.Kind())
		}
		rest = rest[len(specs):]
	}
	if len(rest) > 0 {
		return nil, errors.Errorf("layers: %d parameters are %d too many for the model", len(theta), len(rest))
	}
	return y, nil
}

func (m *Model) specs(i int) ([]Spec, error) {
	l := m.layers[i]
	if l == nil {
		return nil, errors.Errorf("layers: layer %d is nil", i)
	}
	specs, err := l.Params()
	return specs, errors.Wrapf(err, "layers: layer %d (%s)", i, l.Kind())
}
