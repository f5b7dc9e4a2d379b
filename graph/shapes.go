package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// DefaultGraphs is the Limit of a Shapes that has none.
const DefaultGraphs = 8

// Shapes keeps graphs of one kind by the dtypes and shapes of the batches that they were
// built for. Those of this package share the memory of their results, so one is valid until
// the next run of any of them. The zero value is ready. It must not be used by two goroutines
// at once.
type Shapes[G any] struct {
	// Limit is the largest number of graphs that are kept, 0 for DefaultGraphs. Beyond
	// it the one that was not used for longest goes.
	Limit int
	kept  []ofShapes[G] // the last used first

	results results
}

// ofShapes is a graph with the arrays that it was built for.
type ofShapes[G any] struct {
	x, t, tilde []arrayType
	graph       G
}

// arrayType is what a graph knows of an array before it is bound.
type arrayType struct {
	dt    tensor.Dtype
	shape tensor.Shape
}

// Find is the graph for batches of b's shapes and, where it has a function-space term,
// inputs tilde of B'; ok is false where it is not kept.
func (s *Shapes[G]) Find(b Batch, tilde []*tensor.Dense) (g G, ok bool) {
	for i, k := range s.kept {
		if fitsTypes(k.x, b.X) && fitsTypes(k.t, b.T) && fitsTypes(k.tilde, tilde) {
			copy(s.kept[1:i+1], s.kept[:i])
			s.kept[0] = k
			return k.graph, true
		}
	}
	return g, false
}

// Add keeps a graph that Find does not know, over the same weights as the others.
func (s *Shapes[G]) Add(b Batch, tilde []*tensor.Dense, g G) error {
	if p, ok := any(g).(interface{ shareResults(*results) error }); ok {
		if err := p.shareResults(&s.results); err != nil {
			return err
		}
	}
	if limit := cmp.Or(s.Limit, DefaultGraphs); len(s.kept) >= limit {
		s.kept = slices.Delete(s.kept, limit-1, len(s.kept)) // and their memory
	}
	s.kept = slices.Insert(s.kept, 0, ofShapes[G]{typesOf(b.X), typesOf(b.T), typesOf(tilde), g})
	return nil
}

// Len is the number of graphs that are kept.
func (s *Shapes[G]) Len() int { return len(s.kept) }

func fitsTypes(types []arrayType, arrays []*tensor.Dense) bool {
	return slices.EqualFunc(types, arrays, func(t arrayType, a *tensor.Dense) bool {
		return a != nil && a.Dtype() == t.dt && apoops.SameShape(a.Shape(), t.shape)
	})
}

func typesOf(arrays []*tensor.Dense) []arrayType {
	all := make([]arrayType, len(arrays))
	for i, a := range arrays {
		if a != nil {
			all[i] = arrayType{a.Dtype(), a.Shape().Clone()}
		}
	}
	return all
}

// SameShapes reports whether two lists of arrays have the same dtypes and shapes.
func SameShapes(a, b []*tensor.Dense) bool {
	return slices.EqualFunc(a, b, func(x, y *tensor.Dense) bool {
		return x != nil && y != nil && x.Dtype() == y.Dtype() && apoops.SameShape(x.Shape(), y.Shape())
	})
}

// String has dtype and shape of each array, for messages.
func (b Batch) String() string {
	return fmt.Sprintf("inputs %s, targets %s", describeTypes(b.X), describeTypes(b.T))
}

func describeTypes(arrays []*tensor.Dense) string {
	all := make([]string, len(arrays))
	for i, t := range typesOf(arrays) {
		all[i] = fmt.Sprintf("%v %v", t.dt, t.shape)
	}
	return cmp.Or(strings.Join(all, " and "), "none")
}
