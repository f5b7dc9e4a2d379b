package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// LayerNormLayer normalises each row of N×Width (Ba et al. 2016):
//
//	y = gain·(x - mean)/√(variance + Epsilon) + shift
//
// The variance divides by Width. gain starts at 1, shift at 0. No parameter is a matrix.
type LayerNormLayer struct {
	Width   int
	Epsilon float64 // 0 or more
}

var _ Layer = (*LayerNormLayer)(nil)

// LayerNorm is layer normalisation with Epsilon 1e-5.
func LayerNorm(width int) *LayerNormLayer { return &LayerNormLayer{Width: width, Epsilon: 1e-5} }

// Kind implements Layer.
func (*LayerNormLayer) Kind() string { return "norm" }

// Params implements Layer.
func (l *LayerNormLayer) Params() ([]Spec, error) {
	if l.Width < 1 {
		return nil, errors.Errorf("width %d: must be positive", l.Width)
	}
	s := tensor.Shape{l.Width}
	return []Spec{{Name: "gain", Shape: s, Init: Constant(1)}, {Name: "shift", Shape: s, Init: Zeros()}}, nil
}

// Apply implements Layer.
func (l *LayerNormLayer) Apply(_ *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return apoops.LayerNorm(x, theta[0], theta[1], l.Epsilon)
}
