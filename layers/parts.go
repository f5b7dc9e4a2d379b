package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
)

// parts are the named pieces with parameters that a model or a block is made of.
type parts []part

type part struct {
	name string
	of   interface{ Params() ([]Spec, error) }
}

// params are the parameters of all parts, named within the whole.
func (all parts) params() ([]Spec, error) {
	var specs []Spec
	for _, p := range all {
		own, err := p.of.Params()
		if err != nil {
			return nil, inLayer(p.name, err)
		}
		for _, s := range ofKind(p.of, own) {
			s.Name = join(p.name, s.Name)
			specs = append(specs, s)
		}
	}
	return specs, nil
}

// cut gives each part, by its name, the nodes of its parameters.
func (all parts) cut(theta gorgonia.Nodes) (map[string]gorgonia.Nodes, error) {
	of := make(map[string]gorgonia.Nodes, len(all))
	rest := theta
	for _, p := range all {
		own, err := p.of.Params()
		if err != nil {
			return nil, inLayer(p.name, err)
		}
		if len(own) > len(rest) {
			return nil, errors.Errorf("%d parameters: there are none for %s", len(theta), p.name)
		}
		of[p.name], rest = rest[:len(own)], rest[len(own):]
	}
	if len(rest) > 0 {
		return nil, errors.Errorf("%d parameters, %d too many", len(theta), len(rest))
	}
	return of, nil
}
