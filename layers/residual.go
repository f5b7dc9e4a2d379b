package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// ResidualLayer is a residual block, y = act(main(x) + shortcut(x)) (He et al.
// 2016). The layers of a block are named after their place in its branch:
// residual3/conv0, residual3/shortcut/conv0.
type ResidualLayer struct {
	Main []Layer
	// Shortcut has the layers of the other branch. Without layers it is the identity.
	Shortcut   []Layer
	Activation apoops.Activation
}

var _ Layer = (*ResidualLayer)(nil)

// Residual is a residual block with the identity as its shortcut and ReLU after the
// sum.
func Residual(main ...Layer) *ResidualLayer {
	return &ResidualLayer{Main: main, Activation: apoops.ReLUAct}
}

// shortcut is the name of the branch in the names of parameters.
const shortcut = "shortcut"

// Kind implements Layer.
func (*ResidualLayer) Kind() string { return "residual" }

// Params implements Layer. The parameters of Main come first.
func (r *ResidualLayer) Params() ([]Spec, error) {
	if len(r.Main) == 0 {
		return nil, errors.New("a residual block without layers")
	}
	specs, err := sequence(r.Main).params()
	if err != nil {
		return nil, err
	}
	others, err := sequence(r.Shortcut).params()
	if err != nil {
		return nil, inLayer(shortcut, err)
	}
	for _, s := range others {
		s.Name = join(shortcut, s.Name)
		specs = append(specs, s)
	}
	return specs, nil
}

// Apply implements Layer.
func (r *ResidualLayer) Apply(p *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	main := sequence(r.Main)
	specs, err := main.params()
	if err != nil {
		return nil, err
	}
	y, err := main.apply(p, x, theta[:len(specs)])
	if err != nil {
		return nil, err
	}
	if len(r.Shortcut) > 0 {
		if x, err = p.Layer(shortcut, func() (*gorgonia.Node, error) {
			return sequence(r.Shortcut).apply(p, x, theta[len(specs):])
		}); err != nil {
			return nil, inLayer(shortcut, err)
		}
	}
	return apoops.AddActivate(y, x, r.Activation)
}
