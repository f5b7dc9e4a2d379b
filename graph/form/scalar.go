package form

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Scalar is U = s²·G with a single s, S of one element. It starts as s = √rate.
type Scalar struct{ Base }

// Name implements Form.
func (Scalar) Name() string { return "scalar" }

// Factors implements Form.
func (Scalar) Factors(_, _ int) []Factor { return []Factor{{"S", tensor.Shape{1}}} }

// Lookahead implements Form.
func (Scalar) Lookahead(phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	return apoops.PreconditionDiagonal(phi[0], g)
}

// Start implements Form.
func (f Scalar) Start(s Setup) (Preconditioner, error) { return startSquares(f, s) }

// Relative implements Form.
func (f Scalar) Relative() Relative { return relativeSquares{f} }

// Probed implements Form.
func (f Scalar) Probed() Probed { return probedSquares{f} }
