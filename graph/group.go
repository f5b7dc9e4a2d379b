package graph

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
)

// grouped is implemented by the sources whose graphs divide their batches among the members
// of a group.
type grouped interface {
	// members joins them; nil where there is one.
	members() collective.Communicator
	// terms are the numbers of terms that the loss on a batch, and the discrepancy on
	// its inputs, are the means of.
	terms(b Batch) (loss, discrepancy int)
	// parts is in how many parts each member computes its share, one after another.
	parts() int
	// jointNorm reports whether batch norm takes the statistics of the whole batch.
	jointNorm() bool
}

func (o Objective) members() collective.Communicator {
	if IsNil(o.Members) || o.Members.Size() == 1 {
		return nil
	}
	return o.Members
}

func (o Objective) parts() int { return max(1, o.Parts) }

func (o Objective) jointNorm() bool { return o.JointNorm }

func (o Objective) terms(b Batch) (loss, discrepancy int) {
	loss, discrepancy = b.Len(), b.Len()
	if o.Loss.Count != nil && len(b.T) > 0 {
		loss = o.Loss.Count(b)
	}
	if d := o.divergence(); d.Count != nil {
		discrepancy = d.Count(b.X)
	}
	return loss, discrepancy
}

// group is what a program knows of the other members, which compute the same graph on
// other examples.
type group struct {
	comm   collective.Communicator
	parts  *accumulated // comm, where the batch is computed in parts; else nil
	source grouped
	one    *gorgonia.Node // the number 1

	order   []byte // of the sums of a run
	checked bool   // it is that of all members
}

// groupOf is nil where a source's graphs compute whole batches.
func (p *program) groupOf(src any) *group {
	s, ok := src.(grouped)
	switch {
	case ok && s.parts() > 1:
		a := &accumulated{Communicator: s.members(), parts: s.parts()}
		return &group{comm: a, parts: a, source: s}
	case ok && s.members() != nil:
		return &group{comm: s.members(), source: s}
	}
	return nil
}

// part is the part of a batch that this member computes: count of all examples, from first
// on. Where there are fewer examples than members some have one whose weight is 0. A graph that
// computes a batch in parts has equally large ones, and another one in each run.
type part struct {
	first, count, all int
	empty             bool
	of                *accumulated // nil where first stays
}

// from is the first example.
func (s part) from() int {
	if s.of == nil {
		return s.first
	}
	return s.all / s.of.Size() * s.of.Rank()
}

// part is that of this member, the whole batch without a group.
func (g *group) part(examples int) part {
	if g == nil {
		return part{0, examples, examples, false, nil}
	}
	r, n := g.comm.Rank(), g.comm.Size()
	if g.parts != nil {
		return part{0, examples / n, examples, false, g.parts}
	}
	from, to := examples*r/n, examples*(r+1)/n
	if from == to {
		return part{min(from, examples-1), 1, examples, true, nil}
	}
	return part{from, to - from, examples, false, nil}
}

// cut are this part's examples.
func (s part) cut(b Batch) (Batch, error) {
	if s.count == s.all {
		return b, nil
	}
	if n := b.Len(); n != s.all {
		return Batch{}, ErrShape.Errorf("graph: a batch of %d examples for a graph of %d", n, s.all)
	}
	if s.of != nil && s.count*s.of.Size() != s.all {
		return Batch{}, ErrShape.Errorf("graph: a batch of %d examples cannot be computed in %d equal parts", s.all, s.of.Size())
	}
	return b.Part(s.from(), s.count)
}

// share is this part's share of the examples.
func (s part) share() float64 {
	if s.empty {
		return 0
	}
	return float64(s.count) / float64(s.all)
}

// random are the numbers of a source that this part's examples have in the whole batch.
func (s part) random(r *apoops.Random) *apoops.Random {
	if r == nil || s.count == s.all {
		return r
	}
	own := r.Part(s.from(), s.count)
	if s.of != nil {
		s.of.randoms = append(s.of.randoms, partRandom{s, own})
	}
	return own
}

// weights are this part's shares of the means over the batch.
type weights struct{ examples, loss, discrepancy float64 }

func (g *group) weights(s part, whole, own Batch) (w weights) {
	if s.empty {
		return w
	}
	loss, discrepancy := g.source.terms(own)
	allLoss, allDiscrepancy := g.source.terms(whole)
	return weights{s.share(), fraction(loss, allLoss), fraction(discrepancy, allDiscrepancy)}
}

// fraction is a/b, 0 where there is nothing.
func fraction(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// bySquares is the weight of a mean over examples of squares of gradients: those of a mean
// loss are smaller the more terms that has.
func bySquares(loss, examples float64) float64 {
	if loss == 0 {
		return 0
	}
	return loss * loss / examples
}

// setOrder notes in which order the member's machine sums up.
func (g *group) setOrder(order gorgonia.Nodes) {
	if g == nil {
		return
	}
	for _, n := range order {
		if size := apoops.JointSize(n); size > 0 {
			g.order = fmt.Appendf(g.order, "%d %d ", n.ID(), size)
		}
	}
}

// check compares the orders before the first run: another one would mix up the sums.
func (g *group) check() error {
	if g == nil || g.checked {
		return nil
	}
	comm := g.comm
	if g.parts != nil {
		comm = g.parts.Communicator
	}
	if comm == nil {
		g.checked, g.order = true, nil
		return nil
	}
	ranks, err := collective.Differing(comm, g.order)
	if err != nil {
		return errors.WithMessage(err, "graph: comparing the members' graphs")
	}
	if ranks != nil {
		return errors.Errorf("graph: the members of ranks %v have other graphs than rank 0", ranks)
	}
	g.checked, g.order = true, nil
	return nil
}

// weightNode adds a number that is fed before each run.
func (p *program) weightNode(name string) (*gorgonia.Node, error) {
	n := p.input(p.dt, tensor.ScalarShape(), "weight/%s", name)
	return n, letScalar(n, 1)
}

// joint are the sums of nodes over all members with a weight, nil for 1. Without a group
// they are the nodes.
func (p *program) joint(w *gorgonia.Node, nodes ...*gorgonia.Node) (gorgonia.Nodes, error) {
	s := p.sums(w, nil)
	if err := s.add(nodes...); err != nil {
		return nil, err
	}
	return s.end()
}

// oneWeight is the number 1.
func (p *program) oneWeight() (n *gorgonia.Node, err error) {
	if p.group.one == nil {
		p.group.one, err = p.weightNode("one")
	}
	return p.group.one, err
}

// jointGradient is n, whose gradient is summed up over all members.
func (p *program) jointGradient(n *gorgonia.Node) (*gorgonia.Node, error) {
	one, err := p.oneWeight()
	if err != nil {
		return nil, err
	}
	return apoops.JointGradient(p.group.comm, n, one)
}

// jointOne is joint of one node.
func (p *program) jointOne(w, n *gorgonia.Node) (*gorgonia.Node, error) {
	all, err := p.joint(w, n)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// jointRows are the rows of all members, where those of a part come from its examples,
// with a weight, nil for 1.
func (p *program) jointRows(s part, w, n *gorgonia.Node) (*gorgonia.Node, error) {
	if p.group == nil {
		return n, nil
	}
	if w == nil {
		var err error
		if w, err = p.oneWeight(); err != nil {
			return nil, err
		}
	}
	rows := n.Shape()[0]
	if rows%s.count != 0 {
		return nil, errors.Errorf("graph: %d rows of %d examples cannot be joined with those of other members", rows, s.count)
	}
	each := rows / s.count
	return apoops.JointRows(p.group.comm, n, w, func() int { return s.from() * each }, s.all*each)
}
