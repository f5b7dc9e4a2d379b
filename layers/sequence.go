package layers

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/graph"
)

// sequence is a list of layers that are applied one after the other: a model, or a
// branch of a residual block.
type sequence []Layer

// member is a layer of a sequence with its name and parameters.
type member struct {
	Layer
	name  string
	specs []Spec
}

// checked is a layer without parameters whose settings may be wrong. Params would say so too,
// but an error there has the number of a layer with parameters.
type checked interface{ check() error }

func (s sequence) members() ([]member, error) {
	all := make([]member, len(s))
	number := 0
	for i, l := range s {
		if graph.IsNil(l) {
			return nil, errors.Errorf("layer %d is nil", i)
		}
		specs, err := l.Params()
		name := fmt.Sprintf("layer %d (%s)", i, l.Kind())
		if c, ok := l.(checked); ok && c.check() != nil {
			return nil, inLayer(name, c.check())
		}
		if len(specs) > 0 || err != nil {
			name = fmt.Sprintf("%s%d", l.Kind(), number)
			number++
		}
		if err != nil {
			return nil, inLayer(name, err)
		}
		all[i] = member{l, name, ofKind(l, specs)}
	}
	return all, nil
}

// params are the parameters of all layers, named within the sequence.
func (s sequence) params() ([]Spec, error) {
	members, err := s.members()
	var all []Spec
	for _, l := range members {
		for _, spec := range l.specs {
			spec.Name = join(l.name, spec.Name)
			all = append(all, spec)
		}
	}
	return all, err
}

// apply builds the output. theta has a node for each of params.
func (s sequence) apply(p *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	members, err := s.members()
	if err != nil {
		return nil, err
	}
	for _, l := range members {
		in, own := x, theta[:len(l.specs)]
		if x, err = p.Layer(l.name, func() (*gorgonia.Node, error) { return l.Apply(p, in, own) }); err != nil {
			return nil, inLayer(l.name, err)
		}
		theta = theta[len(l.specs):]
	}
	return x, nil
}
