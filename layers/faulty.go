package layers

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/graph"
)

// faulty stands for a layer that could not be made, so that constructors need
// not return errors: Init and Output do.
type faulty struct{ err error }

func (faulty) Kind() string              { return "model" }
func (f faulty) Params() ([]Spec, error) { return nil, f.err }

func (f faulty) Apply(*graph.Pass, *gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) {
	return nil, f.err
}
