package precond

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// multiple learns a P whose form needs rows that the block has not: as the multiple s²
// of the identity, by graph.RowlessForm. The averages of this lie in the state of P's own
// form, which has no use for it then, so that a checkpoint has them.
type multiple struct {
	form.ProbeLearner // of P
	s                 *tensor.Dense
	state             []form.Array
}

func newMultiple(b *block, p form.ProbeLearner) (*multiple, error) {
	own := p.State()
	if len(own) == 0 || own[0].Value.DataSize() != 2 {
		return nil, errors.Errorf("a %s preconditioner is learned from rows of inputs, which the block has not", b.Form.Name())
	}
	split, err := apoops.Choose(own[0].Value.Dtype(), halves[float32], halves[float64])
	if err != nil {
		return nil, err
	}
	first, second := split(own[0].Value)
	m := &multiple{ProbeLearner: p, s: tensor.New(tensor.Of(b.setup.Dtype), tensor.WithShape(1))}
	m.state = []form.Array{{Name: "v", Value: first}, {Name: "weight", Value: second}}
	return m, nil
}

// halves are tensors over the first and the second number.
func halves[T apoops.Float](a *tensor.Dense) (first, second *tensor.Dense) {
	x := apoops.Elements[T](a)
	return array.Vector(x[:1:1]), array.Vector(x[1:2])
}

func (m *multiple) Phi() []*tensor.Dense { return []*tensor.Dense{m.s} }

func (m *multiple) State() []form.Array { return m.state }

// Measures has none.
func (m *multiple) Measures(gorgonia.Value) ([]form.Measure, error) { return nil, nil }

// take makes P = s²·I after a step.
func (m *multiple) take() {
	if s := array.SumSquares(m.s); s > 0 {
		m.Restart(s)
	}
}
