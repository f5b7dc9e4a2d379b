package main

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// fewImages is a batch whose values are not counted: they fit in any memory.
const fewImages = 1000

// checkMemory reports a batch that this machine has no memory for, before any is
// taken: a step has at least the values of all nodes of the net and their
// gradients.
func (s *settings) checkMemory() error {
	if s.Batch <= fewImages {
		return nil
	}
	model, err := s.Model()
	if err != nil {
		return err
	}
	values, err := valuesOf(model)
	if err != nil {
		return err
	}
	dtype, err := cli.Dtype(s.Dtype)
	if err != nil {
		return err
	}
	return cli.Memory(2*values*float64(s.Batch)*float64(dtype.Size()), "-batch %d: %s on so many images", s.Batch, s.Net)
}

// valuesOf is the number of values that a net's nodes have for an image, from a
// graph without values.
func valuesOf(model *layers.Model) (float64, error) {
	params, err := model.Init(1, tensor.Float32)
	if err != nil {
		return 0, err
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithName("x"), gorgonia.WithShape(1, 3, 32, 32))
	var theta gorgonia.Nodes
	own := make(map[*gorgonia.Node]bool)
	for _, p := range params {
		n := gorgonia.NewTensor(g, tensor.Float32, p.Value.Dims(), gorgonia.WithName(p.Name), gorgonia.WithShape(p.Value.Shape()...))
		theta, own[n] = append(theta, n), true
	}
	if _, err := model.Output(&graph.Pass{Role: graph.BaseRole, Random: apoops.NewRandom(1)}, gorgonia.Nodes{x}, theta); err != nil {
		return 0, err
	}
	values := 0.0
	for _, n := range g.AllNodes() {
		if !own[n] {
			values += float64(n.Shape().TotalSize())
		}
	}
	return values, nil
}
