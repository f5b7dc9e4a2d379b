package graph

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Problem is a graph that the user already has: the lookahead's passes are
// rebuilt from it.
//
// The graph may be made of the ops of package apoops and of Gorgonia's own, apart
// from those whose values or gradients are wrong: an error names what to use
// instead. Conv2d, MaxPool2D and BatchNorm are among the accepted. Batch norm takes
// the statistics of the batch in all passes, and the running ones, which are in
// the user's op, see none of them. Gorgonia's MaxPool2D ends the program, in the
// user's own machine, where a window has nothing but NaN; apoops.MaxPool2D has NaN
// as its result, so that the step is refused with an error.
type Problem struct {
	// Cost is the scalar mean loss on the batch.
	Cost *gorgonia.Node
	// Output is what the function-space discrepancy compares: the logits.
	Output *gorgonia.Node
	// Inputs and Targets are all other leaves of the graph. The output must not
	// depend on the targets.
	Inputs, Targets gorgonia.Nodes
	// Params are the learnables, bound to their values. Running statistics are not
	// among them: the user's program moves those itself.
	Params gorgonia.Nodes
	// Pairs joins a weight matrix and its bias (1×outputs or a vector of
	// outputs) to one matrix for a preconditioner, the bias its last row.
	Pairs []Pair
	// Filters are the parameters that are filters of Gorgonia's Conv2d,
	// outputs×channels×rows×columns: a preconditioner takes each for a matrix of
	// outputs×(channels·rows·columns). Parameters of four axes that are not listed
	// get the diagonal, and so does the bias of a convolution. KFAC and EKFAC have
	// no factors for filters, and under SGD, RMSprop and Adam the list makes no
	// difference. (apoops.Conv2D takes weights that are a matrix already.)
	Filters gorgonia.Nodes
	// Divergence measures the change of Output. It must match the cost.
	Divergence Divergence
	// Sample draws targets from the distribution that Output describes: for the
	// Fisher matrix of KFAC and EKFAC. It must match the cost, as NormalTargets
	// matches ½‖y-t‖². nil: only their empirical form can be used.
	Sample Sampler

	notes notes
}

// Pair is a weight matrix with its bias.
type Pair struct{ Weight, Bias *gorgonia.Node }

var _ Source = (*Problem)(nil)

// CheckTraining reports a missing cost and parameters that are missing, computed
// or of another graph, or have no values: all that matters where no pass is
// rebuilt.
func (q *Problem) CheckTraining() error {
	switch {
	case q.Cost == nil:
		return errors.New("graph: problem without a cost")
	case !q.Cost.IsScalar():
		return errors.Errorf("graph: the cost has shape %v, not a scalar", q.Cost.Shape())
	case len(q.Params) == 0:
		return errors.New("graph: problem without parameters")
	}
	if err := q.checkLeaves("parameter", q.Params); err != nil {
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
	if len(q.Inputs) == 0 {
		return errors.New("graph: problem without inputs")
	}
	for kind, nodes := range map[string]gorgonia.Nodes{"input": q.Inputs, "target": q.Targets} {
		if err := q.checkLeaves(kind, nodes); err != nil {
			return err
		}
		for _, n := range nodes {
			if n.IsScalar() {
				return errors.Errorf("graph: %s %q is a scalar: give it the shape (1)", kind, n.Name())
			}
		}
	}
	return nil
}

// checkLeaves reports nodes that are no leaves of the cost's graph.
func (q *Problem) checkLeaves(kind string, nodes gorgonia.Nodes) error {
	for i, n := range nodes {
		switch {
		case n == nil:
			return errors.Errorf("graph: %s %d is nil", kind, i)
		case n.Op() != nil:
			return errors.Errorf("graph: %s %d (%s) is computed, not a leaf", kind, i, describe(n))
		case n.Graph() != q.Cost.Graph():
			return errors.Errorf("graph: %s %q belongs to another graph", kind, n.Name())
		}
	}
	return nil
}

// Example is a batch of zeros in the shapes of the inputs and targets.
func (q *Problem) Example() Batch {
	zeros := func(nodes gorgonia.Nodes) []*tensor.Dense {
		all := make([]*tensor.Dense, len(nodes))
		for i, n := range nodes {
			all[i] = tensor.New(tensor.WithShape(n.Shape().Clone()...), tensor.Of(n.Dtype()))
		}
		return all
	}
	return Batch{X: zeros(q.Inputs), T: zeros(q.Targets)}
}

// LearnableParams are the parameters as Params that share the nodes' memory.
func (q *Problem) LearnableParams() ([]*Param, error) {
	params := make([]*Param, len(q.Params))
	for i, n := range q.Params {
		v, ok := n.Value().(*tensor.Dense)
		if !ok {
			return nil, errors.Errorf("graph: parameter %q has no tensor as its value (%T): scalars need the shape (1, 1)", n.Name(), n.Value())
		}
		params[i] = &Param{Name: n.Name(), Value: v, Matrix: v.Dims() == 2}
	}
	return params, CheckParams(params)
}

// Blocks are those of BlockPerParam, with each pair of weight and bias joined to
// one and filters as matrices.
func (q *Problem) Blocks(params []*Param) ([]Block, error) {
	number := make(map[*gorgonia.Node]int, len(q.Params))
	for i, n := range q.Params {
		number[n] = i
	}
	blocks := BlockPerParam(params)
	for _, n := range q.Filters {
		i, ok := number[n]
		if !ok || n.Dims() != 4 {
			return nil, errors.Errorf("graph: filter %s is not a parameter of outputs×channels×rows×columns", nodeName(n))
		}
		outputs := n.Shape()[0]
		blocks[i].Rows, blocks[i].Cols, blocks[i].Form = outputs, n.Shape().TotalSize()/outputs, Kronecker
	}
	paired := make(map[int]bool)
	for _, p := range q.Pairs {
		w, okW := number[p.Weight]
		b, okB := number[p.Bias]
		switch {
		case !okW || !okB:
			return nil, errors.New("graph: a pair's weight or bias is not among the parameters")
		case p.Weight.Dims() != 2 || p.Bias.Shape().TotalSize() != p.Weight.Shape()[1]:
			return nil, errors.Errorf("graph: weight %q of shape %v and bias %q of shape %v do not make a matrix", p.Weight.Name(), p.Weight.Shape(), p.Bias.Name(), p.Bias.Shape())
		case paired[b] || len(blocks[w].Params) > 1:
			return nil, errors.Errorf("graph: weight %q or bias %q is in two pairs", p.Weight.Name(), p.Bias.Name())
		}
		blocks[w].Params = append(blocks[w].Params, b)
		blocks[w].Rows++
		paired[b] = true
	}
	return slices.DeleteFunc(blocks, func(b Block) bool { return paired[b.Params[0]] }), nil
}

func (q *Problem) leaves(x, t, theta gorgonia.Nodes) map[*gorgonia.Node]*gorgonia.Node {
	leaf := make(map[*gorgonia.Node]*gorgonia.Node)
	for _, m := range []struct{ old, new gorgonia.Nodes }{{q.Inputs, x}, {q.Targets, t}, {q.Params, theta}} {
		for i, n := range m.new {
			leaf[m.old[i]] = n
		}
	}
	return leaf
}

func (q *Problem) rebuild(root *gorgonia.Node, leaf map[*gorgonia.Node]*gorgonia.Node, p *Pass) (*gorgonia.Node, error) {
	p.notes, p.fed = &q.notes, append(slices.Clone(q.Inputs), q.Targets...)
	return rebuild(root, leaf, p)
}

// BuildOutput implements Source.
func (q *Problem) BuildOutput(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return q.rebuild(q.Output, q.leaves(x, nil, theta), p)
}

// BuildLoss implements Source.
func (q *Problem) BuildLoss(p *Pass, x, t, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return q.rebuild(q.Cost, q.leaves(x, t, theta), p)
}

// BuildDiscrepancy implements Source.
func (q *Problem) BuildDiscrepancy(old, moved *gorgonia.Node) (*gorgonia.Node, error) {
	if q.Divergence.Build == nil {
		return nil, errors.New("graph: the problem names no divergence for its output")
	}
	n, err := q.Divergence.Build(old, moved)
	return n, errors.Wrapf(err, "graph: divergence %s", q.Divergence.Name)
}

// BuildSampledLoss implements Source.
func (q *Problem) BuildSampledLoss(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Masks) (*gorgonia.Node, error) {
	if q.Sample == nil {
		return nil, errors.WithMessage(ErrNoSample, "graph: problem")
	}
	y, err := q.BuildOutput(p, x, theta)
	if err != nil {
		return nil, err
	}
	t, err := q.Sample(y, noise)
	if err != nil {
		return nil, errors.Wrap(err, "graph: sampling targets of the problem")
	}
	if len(t) != len(q.Targets) {
		return nil, errors.Errorf("graph: Sample draws %d target arrays for a problem with %d", len(t), len(q.Targets))
	}
	leaf := q.leaves(x, t, theta)
	leaf[q.Output] = y
	return q.rebuild(q.Cost, leaf, p)
}
