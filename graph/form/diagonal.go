package form

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Diagonal is U = S²∘G with S of rows×cols, what is left of Eq. 10 for parameters
// that are no matrix or too large a one. It starts as S = √rate.
type Diagonal struct{ Base }

// Name implements Form.
func (Diagonal) Name() string { return "diagonal" }

// Factors implements Form.
func (Diagonal) Factors(rows, cols int) []Factor {
	return []Factor{{"S", tensor.Shape{rows, cols}}}
}

// Lookahead implements Form.
func (Diagonal) Lookahead(phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	return apoops.PreconditionDiagonal(phi[0], g)
}

// Start implements Form.
func (f Diagonal) Start(s Setup) (Preconditioner, error) { return startSquares(f, s) }

// Relative implements Form.
func (f Diagonal) Relative() Relative { return relativeSquares{f} }

// Probed implements Form.
func (f Diagonal) Probed() Probed { return probedSquares{f} }

// Note implements Form.
func (Diagonal) Note() string { return "diagonal S²" }
