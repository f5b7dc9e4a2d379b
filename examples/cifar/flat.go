package main

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// flat makes a matrix of images.
type flat struct{}

func (flat) Kind() string                   { return "flat" }
func (flat) Params() ([]layers.Spec, error) { return nil, nil }
func (flat) Apply(_ *graph.Pass, x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
	n := x.Shape()[0]
	return apoops.Reshape(x, n, x.Shape().TotalSize()/n)
}
