package precond

import (
	"gorgonia.org/tensor"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// block is a block of parameters with its preconditioner. Its arrays are in the
// block's order.
type block struct {
	graph.Block
	setup   form.Setup
	p       form.Preconditioner
	factors []checkpoint.NamedTensor
	g       *tensor.Dense // the gradient; gathered where the block has several parameters
	decayed *tensor.Dense // the gradient with an L2 penalty, where the block has one parameter; nil before
	m       *tensor.Dense // the momentum, nil for none
	u       *tensor.Dense // P·G or P·m; nil before the first, and where it comes from rows
	scaled  *tensor.Dense // what P multiplies in the lookahead, nil for none
	rowless bool          // learned as a multiple of the identity for want of rows
}

func newBlock(b graph.Block, s form.Setup) (*block, error) {
	p, err := form.Start(b.Form, s)
	if err != nil {
		return nil, err
	}
	k := &block{Block: b, setup: s, p: p}
	if len(b.Params) > 1 {
		k.g = k.zeros()
	}
	for i, q := range b.Factors() {
		k.factors = append(k.factors, checkpoint.NamedTensor{Name: q.Name, Value: p.Factors()[i]})
	}
	return k, nil
}

// blocksOf are the task's blocks, or those of the option Blocks.
func blocksOf(t *rule.Task, s *learn.Settings) ([]graph.Block, error) {
	if s.Blocks == nil {
		return t.Blocks, nil
	}
	blocks, err := s.Blocks(t.Params)
	if err == nil {
		err = graph.CheckBlocks(blocks, t.Params)
	}
	return blocks, errors.WithMessage(err, "trainers: Blocks")
}

// zeros is an array in the shape of the block's gradient.
func (b *block) zeros() *tensor.Dense {
	return tensor.New(tensor.WithShape(b.Rows, b.Cols), tensor.Of(b.setup.Dtype))
}

// product is where P·G goes.
func (b *block) product() *tensor.Dense {
	if b.u == nil {
		b.u = b.zeros()
	}
	return b.u
}

// bound is that of the norm of P.
func (b *block) bound() float64 {
	norms := make([]float64, len(b.factors))
	for i, q := range b.factors {
		norms[i] = array.Norm(q.Value)
	}
	return b.p.Bound(norms)
}

// warmReach bounds bound after a warm-up: some 1/d is the largest eigenvalue, far more
// is a reason not to use what was learned.
func (b *block) warmReach(damping float64) float64 {
	return 1e6 * float64(b.Rows*b.Cols) / min(damping, 1)
}

// gather sets the block's gradient.
func gather[T apoops.Float](b *block, g []*tensor.Dense) {
	if len(b.Params) == 1 {
		b.g = g[b.Params[0]]
		return
	}
	array.Gather(b.Block, apoops.Elements[T](b.g), g)
}

// vectors are array.Vectors for blocks.
type vectors[T apoops.Float] struct{ array.Vectors[T] }

// scatter is θ ← θ - scale·d for the block's parameters.
func (v *vectors[T]) scatter(params []*graph.Param, b *block, direction *tensor.Dense, scale T) {
	d := apoops.Elements[T](direction)
	for _, i := range b.Params {
		w := apoops.Elements[T](params[i].Value)
		v.Descend(w, d[:len(w)], scale)
		d = d[len(w):]
	}
}
