package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Activation applies a function by element. (Dense has one built in, which is
// faster.)
func Activation(a apoops.Activation) Layer { return activation{a} }

type activation struct{ act apoops.Activation }

func (a activation) Kind() string            { return a.act.String() }
func (a activation) Params() ([]Spec, error) { return nil, nil }

func (a activation) Apply(_ *graph.Pass, x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
	return apoops.Activate(a.act, x)
}

// Dropout sets elements to 0 with the given probability while training and
// divides the others by 1 - rate. A training step and its lookahead see the
// same masks.
func Dropout(rate float64) Layer { return dropout{rate} }

type dropout struct{ rate float64 }

func (dropout) Kind() string            { return "dropout" }
func (dropout) Params() ([]Spec, error) { return nil, nil }

func (d dropout) Apply(p *graph.Pass, x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
	if !p.Training() || d.rate == 0 {
		return x, nil
	}
	if p.Random == nil {
		return nil, errors.New("no source of masks in this pass")
	}
	return apoops.Dropout(x, d.rate, p.Random, p.NextStream())
}
