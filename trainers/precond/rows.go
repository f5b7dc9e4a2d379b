package precond

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// rowStep is the step of a block from the rows of its gradient.
type rowStep[T apoops.Float] struct {
	array.RowStep[T]
	taken bool // in this step
	// X, X·P_B and Z·P_A as tensors, for n rows; x is nil where there is no bias.
	n         int
	x, xp, zp *tensor.Dense
}

// begin multiplies the rows of block i by the two sides of P. It reports false where
// the block has a gradient in place of rows.
func (s *rowStep[T]) begin(b *block, i int, in rule.Input) bool {
	s.taken = in.Rows != nil && in.Rows[i].Len() > 0
	if !s.taken {
		return false
	}
	r := in.Rows[i]
	s.Begin(r)
	if s.n != s.N {
		s.n, s.x, s.xp, s.zp = s.N, nil, array.Matrix(s.XP, s.N, s.In), array.Matrix(s.ZP, s.N, s.Out)
		if r.Bias {
			s.x = array.Matrix(s.X, s.N, s.In)
		}
	}
	x := r.A
	if s.x != nil {
		x = s.x
	}
	p := b.p.(form.TwoSided) // see WantsRows
	p.MultiplyInputs(s.xp, x)
	p.MultiplyOutputs(s.zp, r.S)
	return true
}

// WantsRows implements graph.RowReader. It goes by the number of multiplications.
func (u *update[T]) WantsRows(i, n int) bool {
	b := u.blocks[i]
	p, ok := b.p.(form.TwoSided)
	if !ok {
		return false
	}
	inputs, outputs := p.Costs()
	return array.RowsCheaper(n, b.Rows, b.Cols, inputs, outputs)
}
