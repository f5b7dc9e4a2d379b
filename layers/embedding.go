package layers

import (
	"math"
	"math/rand/v2"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Embedding is a table of Vocabulary rows of Width, one for each token. It starts from
// N(0, 1/Width). Padding gives rows of 0 and has no gradient; its row, which starts at 0,
// moves only where the table is the output matrix too. The table is no Matrix: tables
// are tall, and get a diagonal preconditioner.
type Embedding struct{ Vocabulary, Width, Padding int }

// Kind is "embedding".
func (Embedding) Kind() string { return "embedding" }

// Params is the table.
func (e Embedding) Params() ([]Spec, error) {
	switch {
	case e.Vocabulary < 1 || e.Width < 1:
		return nil, errors.Errorf("a vocabulary of %d tokens, width %d: both must be positive", e.Vocabulary, e.Width)
	case e.Padding < 0 || e.Padding >= e.Vocabulary:
		return nil, errors.Errorf("padding id %d in a vocabulary of %d tokens", e.Padding, e.Vocabulary)
	}
	init := func(rng *rand.Rand, w []float64, shape tensor.Shape) {
		Normal(1/math.Sqrt(float64(e.Width)))(rng, w, shape)
		clear(w[e.Padding*e.Width : (e.Padding+1)*e.Width])
	}
	return []Spec{{Shape: tensor.Shape{e.Vocabulary, e.Width}, Init: init}}, nil
}

// Apply builds the rows of the tokens, an array of tensor.Int, times √Width.
func (e Embedding) Apply(_ *graph.Pass, tokens *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return apoops.Embed(theta[0], tokens, math.Sqrt(float64(e.Width)), e.Padding)
}

// positions is a table of learned rows, one for each position.
type positions struct{ most, width int }

func (positions) Kind() string { return "positions" }

func (l positions) Params() ([]Spec, error) {
	if l.most < 1 {
		return nil, errors.Errorf("%d learned positions", l.most)
	}
	return []Spec{{Shape: tensor.Shape{l.most, l.width}, Init: Normal(1 / math.Sqrt(float64(l.width)))}}, nil
}
