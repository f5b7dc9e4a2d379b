package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// proximalSum is Q as far as it is built: whole, which is read, and own, this member's
// share of it, which is differentiated. Without a group they are one node. With one, ∂Q/∂φ
// is the sum of the gradients over all members. Where a step of φ takes more than ∂Q/∂φ from
// the backward pass (Energies), the gradients by θ' are summed up in its middle instead.
type proximalSum struct{ whole, own *gorgonia.Node }

// add adds λ times a term, and has its value be read after a run. λ is nil for 1, share
// without a group.
func (p *Proximal) add(q *proximalSum, lambda, share, term *gorgonia.Node, value *gorgonia.Value) (err error) {
	whole := term
	if share != p.wsdShare { // the weight-space term is the same on all members
		if whole, err = p.jointOne(share, term); err != nil {
			return err
		}
	}
	gorgonia.Read(whole, value)
	if q.whole, err = addWeighted(q.whole, lambda, whole); err != nil {
		return err
	}
	if p.group == nil {
		q.own = q.whole
		return nil
	}
	if p.step.energies != nil && share == p.wsdShare {
		q.own, err = addWeighted(q.own, lambda, term)
		return err
	}
	own, err := gorgonia.Mul(share, term)
	if err != nil {
		return errors.Wrap(err, "graph: weighing a member's share of Q")
	}
	q.own, err = addWeighted(q.own, lambda, own)
	return err
}

// addWeighted is q + λ·term; q and λ may be nil, for 0 and 1.
func addWeighted(q, lambda, term *gorgonia.Node) (_ *gorgonia.Node, err error) {
	if lambda != nil {
		if term, err = gorgonia.Mul(lambda, term); err != nil {
			return nil, errors.Wrap(err, "graph: weighing a term of Q")
		}
	}
	if q == nil {
		return term, nil
	}
	sum, err := gorgonia.Add(q, term)
	return sum, errors.Wrap(err, "graph: adding up Q")
}

// divide has the configuration be about the parts of B and B' that this member computes.
func (p *Proximal) divide(c ProximalConfig) (_ ProximalConfig, err error) {
	p.part, p.tildePart = p.group.part(c.Batch.Len()), p.group.part(Batch{X: c.Tilde}.Len())
	if p.group == nil {
		return c, nil
	}
	if c.Batch, err = p.part.cut(c.Batch); err != nil {
		return c, err
	}
	if !c.NoFSD {
		tilde, err := p.tildePart.cut(Batch{X: c.Tilde})
		if err != nil {
			return c, errors.WithMessage(err, "function-space inputs")
		}
		c.Tilde = tilde.X
	}
	for _, share := range []struct {
		name string
		node **gorgonia.Node
	}{{"loss", &p.lossShare}, {"FSD", &p.fsdShare}, {"WSD", &p.wsdShare}} {
		if *share.node, err = p.weightNode(share.name); err != nil {
			return c, err
		}
	}
	return c, letScalar(p.wsdShare, 1/float64(p.group.comm.Size()))
}

// ownOf are the parts of the batches that this member computes; it binds their weights.
func (p *Proximal) ownOf(batch Batch, tilde []*tensor.Dense) (Batch, []*tensor.Dense, error) {
	if p.group == nil {
		return batch, tilde, nil
	}
	own, err := p.part.cut(batch)
	if err != nil {
		return own, nil, err
	}
	if err := letScalar(p.lossShare, p.group.weights(p.part, batch, own).loss); err != nil || p.noFSD {
		return own, tilde, err
	}
	whole := Batch{X: tilde}
	ownTilde, err := p.tildePart.cut(whole)
	if err != nil {
		return own, nil, errors.WithMessage(err, "function-space inputs")
	}
	return own, ownTilde.X, letScalar(p.fsdShare, p.group.weights(p.tildePart, whole, ownTilde).discrepancy)
}
