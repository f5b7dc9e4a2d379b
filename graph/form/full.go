package form

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Full is Eq. 7 with one matrix P of (rows·cols)² elements: vec U = P·vec G, vec in
// row-major order. It starts as P = rate·I. It is for small problems.
type Full struct{ Base }

// Name implements Form.
func (Full) Name() string { return "full" }

// Factors implements Form.
func (Full) Factors(rows, cols int) []Factor {
	return []Factor{{"P", tensor.Shape{rows * cols, rows * cols}}}
}

// Lookahead implements Form.
func (Full) Lookahead(phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	return apoops.PreconditionFull(phi[0], g)
}

// Start implements Form.
func (Full) Start(s Setup) (Preconditioner, error) {
	start, err := apoops.Choose(s.Dtype, startFull[float32], startFull[float64])
	if err != nil {
		return nil, err
	}
	return start(s), nil
}

type full[T apoops.Float] struct{ factors[T] }

func startFull[T apoops.Float](s Setup) Preconditioner {
	p := &full[T]{newFactors[T](Full{}.Factors(s.Rows, s.Cols))}
	p.setIdentity(0, s.Rows*s.Cols, T(s.Rate))
	return p
}

func (p *full[T]) Multiply(dst, g *tensor.Dense) {
	in := apoops.Elements[T](g)
	n := len(in)
	blas.Gemm(false, false, n, 1, n, 1, p.array(0), n, in, 1, 0, apoops.Elements[T](dst), 1)
}

func (p *full[T]) Bound(norms []float64) float64 { return max(norms[0], 1) }
