package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Activation applies an activation function to each element. Those built into Dense,
// Conv and BatchNorm are faster.
func Activation(a apoops.Activation) Layer { return activation{a} }

type activation struct{ act apoops.Activation }

func (a activation) Kind() string            { return a.act.String() }
func (a activation) Params() ([]Spec, error) { return nil, nil }

func (a activation) Apply(_ *graph.Pass, x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
	return apoops.Activate(a.act, x)
}

// Dropout sets elements to 0 with probability rate in training, and divides the
// others by 1 - rate. A training step and its lookahead have the same masks. Init reports a
// rate outside [0, 1).
func Dropout(rate float64) Layer { return dropout{rate} }

type dropout struct{ rate float64 }

func (dropout) Kind() string            { return "dropout" }
func (dropout) Params() ([]Spec, error) { return nil, nil }
func (d dropout) check() error          { return checkRate(d.rate) }

func (d dropout) Apply(p *graph.Pass, x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
	if !p.Training() || d.rate == 0 {
		return x, nil
	}
	if p.Random == nil {
		return nil, errors.New("the pass has no source of random numbers")
	}
	return apoops.Dropout(x, d.rate, p.Random, p.NextStream())
}
