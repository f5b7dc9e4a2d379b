package graph

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// CheckTraining reports a missing cost, parameters that are missing, computed, of
// another graph, without values or not reached by the cost, and nodes that Gorgonia's
// own machine takes for one: all that matters where no pass is rebuilt.
func (q *Problem) CheckTraining() error {
	switch {
	case q.Cost == nil:
		return errors.New("graph: problem without a cost")
	case !q.Cost.IsScalar():
		return errors.Errorf("graph: the cost has shape %v, not a scalar", q.Cost.Shape())
	case len(q.Params) == 0:
		return errors.New("graph: problem without parameters")
	}
	if err := apoops.CheckOperands(); err != nil {
		return err
	}
	if err := q.checkLeaves(); err != nil {
		return err
	}
	used := q.used()
	for i, name := range paramNames(q.Params) {
		if !used[q.Params[i]] {
			return errors.Errorf("graph: the cost does not depend on parameter %d (%q): leave it out of Params", i, name)
		}
	}
	if err := q.checkMerged(used); err != nil {
		return err
	}
	_, err := q.LearnableParams()
	return err
}

// Check is CheckTraining for a problem whose passes are rebuilt: that needs the
// output, and the inputs and targets among the leaves.
func (q *Problem) Check() error {
	if err := q.CheckTraining(); err != nil {
		return err
	}
	if q.Output == nil {
		return errors.New("graph: problem without an output")
	}
	if q.Output.Graph() != q.Cost.Graph() {
		return errors.Errorf("graph: the output %s belongs to another graph than the cost", describe(q.Output))
	}
	if len(q.Inputs) == 0 {
		return errors.New("graph: problem without inputs")
	}
	for n := range ancestors(q.Output) {
		if slices.Contains(q.Targets, n) {
			return errors.Errorf("graph: the output depends on the target %s: Output is what is predicted, before it meets a target", describe(n))
		}
	}
	if err := q.checkListed(); err != nil {
		return err
	}
	q.noteOverwritten(q.used())
	return nil
}

// checkListed reports leaves that are listed nowhere and have no value.
func (q *Problem) checkListed() error {
	all, _ := q.Leaves()
	listed := slices.Concat(all, q.Targets, q.Params)
	used := q.used()
	for _, n := range q.Cost.Graph().AllNodes() {
		if used[n] && n.Op() == nil && !slices.Contains(listed, n) {
			return notListed(n)
		}
	}
	return nil
}

func notListed(n *gorgonia.Node) error {
	return errors.Errorf("graph: input %q of the graph is listed neither as an input, a target nor a parameter, and has no value to be fixed at", describe(n))
}

// checkLeaves reports nodes that are no leaves of the cost's graph and nodes that
// are listed twice.
func (q *Problem) checkLeaves() error {
	place := make(map[*gorgonia.Node]string)
	for _, list := range []struct {
		kind  string
		nodes gorgonia.Nodes
	}{{"parameter", q.Params}, {"input", q.Inputs}, {"target", q.Targets}, {"fixed leaf", q.Fixed}} {
		for i, n := range list.nodes {
			if n == nil {
				return errors.Errorf("graph: %s %d is nil", list.kind, i)
			}
			switch before := place[n]; {
			case n.Op() != nil:
				return errors.Errorf("graph: %s %d (%s) is computed, not a leaf", list.kind, i, describe(n))
			case n.Graph() != q.Cost.Graph():
				return errors.Errorf("graph: %s %q belongs to another graph", list.kind, describe(n))
			case before != "":
				return errors.Errorf("graph: %s is listed twice, as %s and %s %d: leave one out. Where two nodes were made, Gorgonia took them for one by name and shape: give each a name of its own, with gorgonia.WithName when it is made", describe(n), before, list.kind, i)
			}
			place[n] = fmt.Sprintf("%s %d", list.kind, i)
		}
	}
	return nil
}

// checkMerged reports nodes of the user's graph that Gorgonia's machine takes for
// one: it knows them by 32-bit hashes that it computes once, when a node is made.
// Inputs of one shape that get their names afterwards have the same.
func (q *Problem) checkMerged(used map[*gorgonia.Node]bool) error {
	first := make(map[uint32]*gorgonia.Node)
	for _, n := range q.Cost.Graph().AllNodes() {
		other := first[n.Hashcode()]
		switch {
		case other == nil:
			first[n.Hashcode()] = n
		case used[n] && used[other]:
			return errors.Errorf("graph: Gorgonia's own machine takes %s and %s for one, and computes with the wrong values: give each a name of its own when it is made, as in gorgonia.NewMatrix(…, gorgonia.WithName(\"x\"))", describe(other), describe(n))
		}
	}
	return nil
}

// Example is a batch of zeros in the shapes of the leaves that X is made of (see
// Leaves) and of the targets; numbers have the shape (1).
func (q *Problem) Example() Batch {
	zeros := func(nodes gorgonia.Nodes) []*tensor.Dense {
		all := make([]*tensor.Dense, len(nodes))
		for i, n := range nodes {
			all[i] = tensor.New(tensor.WithShape(leafShape(n)...), tensor.Of(n.Dtype()))
		}
		return all
	}
	x, _ := q.Leaves()
	return Batch{X: zeros(x), T: zeros(q.Targets)}
}

// LearnableParams are the parameters as Params that share the nodes' memory. A
// number is an array of shape (1). Tables of embeddings are no matrices: they are tall,
// and their gradients have few rows.
func (q *Problem) LearnableParams() ([]*Param, error) {
	params := make([]*Param, len(q.Params))
	names, tables, biased := paramNames(q.Params), q.tables(), q.biased()
	for i, n := range q.Params {
		if n.Value() == nil {
			return nil, errors.Errorf("graph: parameter %q has no value: bind one before Wrap", names[i])
		}
		v, ok := Array(n.Value())
		if !ok {
			return nil, errors.Errorf("graph: parameter %q has a %T as its value, neither a number nor a *tensor.Dense", names[i], n.Value())
		}
		params[i] = &Param{Name: names[i], Value: v, Matrix: v.Dims() == 2 && !tables[n], Bias: v.Dims() == 2 && !tables[n] && biased[n]}
	}
	return params, CheckParams(params)
}

// tables are the nodes whose rows are looked up by integers.
func (q *Problem) tables() map[*gorgonia.Node]bool {
	tables := make(map[*gorgonia.Node]bool)
	for n := range q.used() {
		switch {
		case n.Op() == nil:
		case typeName(n.Op()) == "byIndicesOp":
			tables[children(n)[0]] = true
		default:
			tables[apoops.TableOf(n)] = true
		}
	}
	return tables
}

// biased are the weights whose last row is a bias.
func (q *Problem) biased() map[*gorgonia.Node]bool {
	biased := make(map[*gorgonia.Node]bool)
	for n := range q.used() {
		if n.Op() != nil {
			biased[apoops.BiasedWeights(n)] = true
		}
	}
	return biased
}
