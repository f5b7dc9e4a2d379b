package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// accumulated is the Communicator of a graph that computes its batch in parts, one after
// another in the memory of one. Each part is a run of the graph, as that of one member among
// several. What the graph sums up over the members is kept from run to run, so the sums are
// there in the last run. No sum may be of what was computed from another one.
type accumulated struct {
	collective.Communicator // between processes, nil for one

	parts   int
	at      int // the part under way
	sum     int // the number of the sum that begins next in this run
	kept    []keptSum
	randoms []partRandom // that have the random numbers of a part's examples
}

// keptSum is a sum over the parts so far.
type keptSum struct {
	single []float32
	double []float64
}

type partRandom struct {
	of     part
	random *apoops.Random
}

// begin begins the run of a part.
func (a *accumulated) begin(part int) {
	a.at, a.sum = part, 0
	for _, r := range a.randoms {
		r.random.SetFirst(r.of.from())
	}
}

// Rank counts the parts of all processes.
func (a *accumulated) Rank() int {
	if a.Communicator == nil {
		return a.at
	}
	return a.Communicator.Rank()*a.parts + a.at
}

// Size is the number of parts of all processes.
func (a *accumulated) Size() int {
	if a.Communicator == nil {
		return a.parts
	}
	return a.Communicator.Size() * a.parts
}

// Sum32 adds x to the parts before; in the last run x becomes the sum over all.
func (a *accumulated) Sum32(x []float32) collective.Pending {
	addPart(a, &a.nextSum().single, x)
	if a.Communicator == nil || a.at < a.parts-1 {
		return done{}
	}
	return a.Communicator.Sum32(x)
}

// Sum64 is Sum32 for float64.
func (a *accumulated) Sum64(x []float64) collective.Pending {
	addPart(a, &a.nextSum().double, x)
	if a.Communicator == nil || a.at < a.parts-1 {
		return done{}
	}
	return a.Communicator.Sum64(x)
}

// nextSum is where the sum that begins next is kept: sums begin in the same order in all
// runs.
func (a *accumulated) nextSum() *keptSum {
	if a.sum == len(a.kept) {
		a.kept = append(a.kept, keptSum{})
	}
	a.sum++
	return &a.kept[a.sum-1]
}

func addPart[T apoops.Float](a *accumulated, kept *[]T, x []T) {
	if a.at == 0 {
		*kept = append((*kept)[:0], x...)
		return
	}
	sum, to := *kept, *kept
	if a.at == a.parts-1 {
		to = x
	}
	par.For(len(x), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			to[i] = sum[i] + x[i]
		}
	})
}

// checkSums reports a sum over parts of what was computed from another sum, which is only
// there in the last run.
func (p *program) checkSums(g *gorgonia.ExprGraph) error {
	if !p.group.accumulates() {
		return nil
	}
	above := make(map[*gorgonia.Node]bool) // whether a node is a sum or computed from one
	var visit func(n *gorgonia.Node) (bool, error)
	visit = func(n *gorgonia.Node) (bool, error) {
		if known, ok := above[n]; ok {
			return known, nil
		}
		after := false
		for _, c := range children(n) {
			a, err := visit(c)
			if err != nil {
				return false, err
			}
			after = after || a
		}
		sum := apoops.JointSize(n) > 0
		if sum && after {
			return false, errors.Errorf("graph: %s sums up what was computed from a sum: it cannot be computed in parts", describe(n))
		}
		above[n] = sum || after
		return above[n], nil
	}
	for _, n := range g.AllNodes() {
		if _, err := visit(n); err != nil {
			return err
		}
	}
	return nil
}

// done is the Pending of a sum that is there.
type done struct{}

func (done) Wait() error { return nil }

// accumulates reports whether the graph computes its batch in parts.
func (g *group) accumulates() bool { return g != nil && g.parts != nil }

// fed binds a batch to the graph's inputs. Where the graph computes it in parts, bind is
// called again before the run of each.
func (p *program) fed(bind func() error) error {
	if p.group.accumulates() {
		p.bind = bind
		p.group.parts.begin(0)
	}
	return bind()
}

// eachPart runs the graph on each part, or once.
func (p *program) eachPart(run func() error) error {
	if !p.group.accumulates() || p.bind == nil {
		return run()
	}
	for i := range p.group.parts.parts {
		p.group.parts.begin(i)
		if err := p.bind(); err != nil {
			return errors.WithMessagef(err, "part %d of the mini-batch", i)
		}
		if err := run(); err != nil {
			return err
		}
	}
	return nil
}
