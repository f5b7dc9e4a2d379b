package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/graph"
)

// invalid is a model whose Init and Output return err. With it the constructors of
// models need no error of their own.
func invalid(err error) *Model { return Sequential(invalidLayer{err}) }

type invalidLayer struct{ err error }

func (invalidLayer) Kind() string              { return "model" }
func (l invalidLayer) Params() ([]Spec, error) { return nil, l.err }

func (l invalidLayer) Apply(*graph.Pass, *gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) {
	return nil, l.err
}
