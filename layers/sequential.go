package layers

import (
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Model is a sequence of layers.
type Model struct{ layers sequence }

var _ graph.Model = (*Model)(nil)

// Sequential applies the layers one after the other. Parameters are named after
// the layer's kind and its place among the layers with parameters: dense0,
// dense1. Init and Output report a layer with wrong settings.
func Sequential(layers ...Layer) *Model { return &Model{layers: layers} }

// Init implements graph.Model. Each layer has random numbers of its own, so its
// weights do not depend on the sizes of the others. The layers of a residual block
// share theirs.
func (m *Model) Init(seed uint64, dt tensor.Dtype) ([]*graph.Param, error) {
	members, err := m.layers.members()
	if err != nil {
		return nil, errors.WithMessage(err, "layers")
	}
	return initialize(members, seed, dt)
}

// initialize draws the parameters of named layers.
func initialize(members []member, seed uint64, dt tensor.Dtype) ([]*graph.Param, error) {
	if !apoops.IsFloat(dt) {
		return nil, errors.Errorf("layers: dtype %v is neither float32 nor float64", dt)
	}
	var all []*graph.Param
	for i, l := range members {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		for _, s := range l.specs {
			if err := s.check(); err != nil {
				return nil, errors.Errorf("layers: parameter %s: %v", join(l.name, s.Name), err)
			}
			value, err := s.draw(rng, dt)
			if err != nil {
				return nil, errors.WithMessagef(err, "layers: parameter %s", join(l.name, s.Name))
			}
			all = append(all, &graph.Param{Name: join(l.name, s.Name), Value: value, Matrix: s.Matrix, Bias: s.Bias, Kernel: s.Kernel, Statistic: s.Statistic, Kind: s.Kind})
		}
	}
	return all, graph.CheckParams(all)
}

// Output implements graph.Model for a model of one input.
func (m *Model) Output(p *graph.Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	if len(x) != 1 {
		return nil, errors.Errorf("layers: the model takes one input, not %d", len(x))
	}
	specs, err := m.layers.params()
	if err != nil {
		return nil, errors.WithMessage(err, "layers")
	}
	if len(specs) != len(theta) {
		return nil, errors.Errorf("layers: %d parameters for a model of %d", len(theta), len(specs))
	}
	y, err := m.layers.apply(p, x[0], theta)
	return y, errors.WithMessage(err, "layers")
}
