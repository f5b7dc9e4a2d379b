package form

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Kronecker is the structured P of Eq. 9, (A⊗B) diag(vec S)² (A⊗B)ᵀ, which
// multiplies a gradient as in Eq. 10: U = B(S²∘BᵀGA)Aᵀ. A is cols×cols, B
// rows×rows, S rows×cols. It starts as A = I, B = I, S = √rate.
type Kronecker struct{ Base }

// Name implements Form.
func (Kronecker) Name() string { return "kronecker" }

// Factors implements Form.
func (Kronecker) Factors(rows, cols int) []Factor {
	return []Factor{{"A", tensor.Shape{cols, cols}}, {"B", tensor.Shape{rows, rows}}, {"S", tensor.Shape{rows, cols}}}
}

// Lookahead implements Form.
func (Kronecker) Lookahead(phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	return apoops.Precondition(phi[0], phi[1], phi[2], g)
}

// Start implements Form.
func (k Kronecker) Start(s Setup) (Preconditioner, error) {
	start, err := apoops.Choose(s.Dtype, startKronecker[float32], startKronecker[float64])
	if err != nil {
		return nil, err
	}
	return start(s), nil
}

// Relative implements Form.
func (Kronecker) Relative() Relative { return relativeKronecker{} }

// Fallback implements Form.
func (Kronecker) Fallback() Form { return Diagonal{} }

type kronecker[T apoops.Float] struct {
	factors[T]
	rows, cols int
	mul        apoops.Preconditioner[T]
	outer      *outerProduct[T] // nil unless relative steps learn P
}

func startKronecker[T apoops.Float](s Setup) Preconditioner {
	p := &kronecker[T]{factors: newFactors[T](Kronecker{}.Factors(s.Rows, s.Cols)), rows: s.Rows, cols: s.Cols}
	p.setIdentity(0, s.Cols, 1)
	p.setIdentity(1, s.Rows, 1)
	p.fill(2, T(math.Sqrt(s.Rate)))
	return p
}

func (p *kronecker[T]) Multiply(dst, g *tensor.Dense) {
	u, x := apoops.Elements[T](dst), apoops.Elements[T](g)
	if p.outer == nil || !p.outer.multiply(u, p.array(0), p.array(1), p.array(2), x) {
		p.mul.Multiply(u, p.array(0), p.array(1), p.array(2), x, p.rows, p.cols)
	}
}

func (p *kronecker[T]) Bound(norms []float64) float64 { return squaredBound(norms) }

func (p *kronecker[T]) learner() Learner {
	p.outer = newOuterProduct[T](p.rows, p.cols)
	return newKroneckerLearner(p)
}
