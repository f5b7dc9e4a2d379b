package layers

import (
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Layer is one step of a Sequential model.
type Layer interface {
	// Kind names the layer in parameter names and errors, such as "dense".
	Kind() string
	// Params describes the layer's parameters, none for an activation.
	Params() ([]Spec, error)
	// Apply builds the layer's output; theta has the nodes of its parameters.
	Apply(p *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error)
}

// Spec describes a parameter of a layer.
type Spec struct {
	// Name is relative to the layer; empty for the layer's only parameter.
	Name  string
	Shape tensor.Shape
	// Matrix marks weights that Eq. 9's form preconditions.
	Matrix bool
	// Statistic marks an array that the layer moves itself, such as a running
	// mean: graph.Param.Statistic.
	Statistic bool
	Init      Initializer
}

// mostElements is the size of a parameter that no memory is asked for.
const mostElements = 1 << 32

// check reports a parameter that cannot be drawn.
func (s Spec) check() error {
	size := 1
	for _, n := range s.Shape {
		if n < 1 || size > mostElements/n {
			return graph.ErrShape.Errorf("shape %v is empty or has more than %d elements", s.Shape, mostElements)
		}
		size *= n
	}
	if s.Init == nil {
		return errors.New("there is no initializer")
	}
	return nil
}

// draw makes the parameter.
func (s Spec) draw(rng *rand.Rand, dt tensor.Dtype) (*tensor.Dense, error) {
	w := make([]float64, s.Shape.TotalSize())
	s.Init(rng, w, s.Shape)
	rounded, err := apoops.Choose(dt, rounded[float32], rounded[float64])
	if err != nil {
		return nil, err
	}
	return tensor.New(tensor.WithShape(s.Shape.Clone()...), tensor.WithBacking(rounded(w))), nil
}

// rounded are the numbers of w as a []T.
func rounded[T apoops.Float](w []float64) any {
	r := make([]T, len(w))
	for i, v := range w {
		r[i] = T(v)
	}
	return r
}
