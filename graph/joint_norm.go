package graph

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
)

// jointNorm is what batch norm needs to take the statistics of the whole batch.
type jointNorm struct {
	p      *program
	part   part
	counts *gorgonia.Node // nil until a layer asks
}

// JointNorm are the members whose examples batch norm takes its statistics of, and the
// number that is 0 on a member whose examples stand in for none, 1 on others: the operands
// of apoops.JointBatchNorm. comm is nil where the statistics are those of the pass alone.
func (p *Pass) JointNorm() (comm collective.Communicator, counts *gorgonia.Node, err error) {
	j := p.norm
	if j == nil || !p.Training() {
		return nil, nil, nil
	}
	if j.counts == nil {
		if j.counts, err = j.p.weightNode(fmt.Sprint("norm", p.Role)); err != nil {
			return nil, nil, err
		}
		if j.part.empty {
			err = letScalar(j.counts, 0)
		}
	}
	return j.p.group.comm, j.counts, err
}

// pass is a pass on a part of the examples, with the random numbers that these have.
func (p *program) pass(r Role, s part, random *apoops.Random) *Pass {
	q := &Pass{Role: r, Random: random}
	if p.jointNorm() {
		q.norm = &jointNorm{p: p, part: s}
	}
	return q
}

// jointNorm reports whether what members differentiate must be terms of a sum over all, for
// the backward pass of batch norm adds up over them.
func (p *program) jointNorm() bool { return p.group != nil && p.group.source.jointNorm() }

// weighed is what a member differentiates: n, times w with a joint batch norm. rest is the
// weight of what comes of it, w or 1 (nil).
func (p *program) weighed(n, w *gorgonia.Node) (own, rest *gorgonia.Node, err error) {
	if !p.jointNorm() {
		return n, w, nil
	}
	own, err = gorgonia.Mul(w, n)
	return own, nil, errors.Wrap(err, "graph: weighing a member's share")
}
