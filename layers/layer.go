package layers

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Layer is one step of a Sequential model. Any type with these methods will do; it
// should implement Describer too where it has settings.
type Layer interface {
	// Kind names the layer in parameter names and errors, such as "dense".
	Kind() string
	// Params describes the layer's parameters, or reports settings that are wrong.
	// An activation has none.
	Params() ([]Spec, error)
	// Apply builds the layer's output in x's graph. theta has the nodes of its
	// parameters, in the order of Params. It is called once for every pass.
	Apply(p *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error)
}

// Spec describes a parameter of a layer.
type Spec struct {
	// Name is relative to the layer. It is empty for the layer's only parameter.
	Name string
	// Shape has an axis at least: a number is an array of shape (1).
	Shape tensor.Shape
	// Matrix marks a weight matrix, to which the preconditioner of Eq. 9 applies.
	Matrix bool
	// Bias marks a Matrix whose last row is the bias. Rules that treat biases in another way
	// than weights, such as Muon, know it by this.
	Bias bool
	// Kernel is that of a convolution, see graph.Param.Kernel.
	Kernel [2]int
	// Statistic marks an array that is not learned and that the layer updates
	// itself, such as a running mean. See graph.Param.Statistic.
	Statistic bool
	Init      Initializer
	// Kind is graph.Param.Kind. Where it is empty it becomes that of the innermost layer.
	Kind string
}

// ofKind gives parameters without a kind that of their layer.
func ofKind(layer any, specs []Spec) []Spec {
	l, ok := layer.(interface{ Kind() string })
	if !ok {
		return specs
	}
	specs = slices.Clone(specs)
	for i := range specs {
		specs[i].Kind = cmp.Or(specs[i].Kind, l.Kind())
	}
	return specs
}

// mostElements is the largest size of a parameter. Larger ones are refused before
// memory is allocated.
const mostElements = 1 << 32

// check reports a parameter that cannot be initialised.
func (s Spec) check() error {
	if len(s.Shape) == 0 && (s.Shape == nil || !s.Statistic) {
		return graph.ErrShape.Errorf("Shape is missing or empty: that of a number is (1)")
	}
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
	rounded, err := apoops.Choose(dt, rounded[float32], rounded[float64])
	if err != nil {
		return nil, err
	}
	w := make([]float64, s.Shape.TotalSize())
	s.Init(rng, w, s.Shape)
	return tensor.New(tensor.WithShape(s.Shape.Clone()...), tensor.WithBacking(rounded(w))), nil
}

// rounded is x as a []T.
func rounded[T apoops.Float](x []float64) any {
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}
