package graph

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Problem is a graph that the user already has: the lookahead's passes are
// rebuilt from it.
//
// The graph may be made of the ops of package apoops and of Gorgonia's own. Those
// of Gorgonia's whose values or gradients are wrong, that have state or that draw
// numbers of their own are replaced by right ones; Notes name what the user's own
// machine computes differently. What is not supported, such as a random node, is an
// error that says what to do instead.
//
// Layers, activations, losses and arithmetic that the passes recognise (convolutions,
// x·W + b, BatchNorm, Rectify, the usual forms of cross-entropy and squared error) are
// rebuilt with the fused ops of package apoops, with the same values and gradients to
// rounding; the derivative of Rectify at exactly 0 is Gorgonia's, 1.
//
// Dropout has masks of the passes' own, which they share as those of apoops.Dropout.
// Batch norm takes the statistics of the batch in all passes, and the running ones,
// which are in the user's op, see none of them; out of training it takes the running
// ones. AveragePool2D counts padding as zeros. Gorgonia's MaxPool2D ends the program, in the
// user's own machine, where a window has nothing but NaN; apoops.MaxPool2D has NaN
// as its result, so that the step is refused with an error.
type Problem struct {
	// Cost is the scalar mean loss on the batch.
	Cost *gorgonia.Node
	// Output is what the function-space discrepancy compares: the logits.
	Output *gorgonia.Node
	// Inputs and Targets are the data, which change from step to step. The output
	// must not depend on the targets.
	Inputs, Targets gorgonia.Nodes
	// Fixed are the leaves that are neither data nor learned, such as weights that
	// are not trained, a mask or a temperature: all passes, that on an earlier
	// mini-batch B' too, read them as they are at the step. Leaves that are listed
	// nowhere and have a value when the problem is checked count among them, and
	// Notes say so.
	Fixed gorgonia.Nodes
	// Params are the learnables, bound to their values: arrays or numbers. Running
	// statistics are not among them: the user's program moves those itself. Those
	// without a name are called param0, param1, … by their place in the list, those
	// that share one name#place.
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
	// matches ½‖y-t‖². Class numbers that it draws become one-hot rows for a target of
	// rows×classes. nil: only their empirical form can be used.
	Sample Sampler
	// Storage is how the passes that are rebuilt keep their arrays.
	Storage Storage

	notes notes
}

// Pair is a weight matrix with its bias.
type Pair struct{ Weight, Bias *gorgonia.Node }

var _ Source = (*Problem)(nil)

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
		blocks[i].Rows, blocks[i].Cols = outputs, n.Shape().TotalSize()/outputs
		blocks[i].Form, blocks[i].Matrix = defaultForm(true), true
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

// rebuild computes root from the nodes of a pass; given are those that stand for
// nodes of the user's besides the leaves.
func (q *Problem) rebuild(root *gorgonia.Node, x, t, theta gorgonia.Nodes, given map[*gorgonia.Node]*gorgonia.Node, p *Pass) (*gorgonia.Node, error) {
	inputs, _ := q.Leaves()
	leaf, err := leavesOf([][2]gorgonia.Nodes{{inputs, x}, {q.Targets, t}, {q.Params, theta}})
	if err != nil {
		return nil, err
	}
	maps.Copy(leaf, given)
	p.notes, p.fed = &q.notes, append(inputs, q.Targets...)
	p.readers, p.storage = q.readers(), q.Storage
	return rebuild(root, leaf, p)
}

// BuildOutput implements Source.
func (q *Problem) BuildOutput(p *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return q.rebuild(q.Output, x, nil, theta, nil, p)
}

// BuildLoss implements Source.
func (q *Problem) BuildLoss(p *Pass, x, t, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return q.rebuild(q.Cost, x, t, theta, nil, p)
}

// BuildDiscrepancy implements Source.
func (q *Problem) BuildDiscrepancy(old, moved *gorgonia.Node, x gorgonia.Nodes) (*gorgonia.Node, error) {
	if q.Divergence.Build == nil {
		return nil, errors.New("graph: the problem names no divergence for its output")
	}
	q.noteProbabilities()
	n, err := q.Divergence.Build(old, moved, q.data(x))
	if err == nil && n != nil && !n.IsScalar() {
		err = errors.Errorf("its value is %s, not a scalar", nodeName(n))
	}
	return built(n, err, "divergence "+q.Divergence.Name)
}

// BuildProbe implements Source.
func (q *Problem) BuildProbe(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (objective, direction *gorgonia.Node, err error) {
	q.noteProbabilities()
	d := q.Divergence
	if probe := d.Probe; probe != nil {
		d.Probe = func(y *gorgonia.Node, x gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error) {
			return probe(y, q.data(x), noise)
		}
	}
	return probeOf(q, d, q.Sample, p, x, theta, noise)
}

// examples implements wholeBatches.
func (q *Problem) examples() int {
	if q.Output.Dims() == 0 {
		return 1
	}
	return q.Output.Shape()[0]
}

// data are the nodes of a pass that stand for Inputs, without those for fixed leaves.
func (q *Problem) data(x gorgonia.Nodes) gorgonia.Nodes { return x[:min(len(q.Inputs), len(x))] }

// BuildSampledLoss implements Source.
func (q *Problem) BuildSampledLoss(p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error) {
	if q.Sample == nil {
		return nil, errors.WithMessage(ErrNoSample, "graph: problem")
	}
	y, err := q.BuildOutput(p, x, theta)
	if err != nil {
		return nil, err
	}
	t, err := sampled(q.Sample, y, q.data(x), noise, "sampling targets of the problem")
	if err != nil {
		return nil, err
	}
	if len(t) != len(q.Targets) {
		return nil, errors.Errorf("graph: Sample draws %d target arrays for a problem with %d", len(t), len(q.Targets))
	}
	for i, target := range q.Targets {
		if t[i], err = likeTarget(t[i], target); err != nil {
			return nil, err
		}
	}
	return q.rebuild(q.Cost, x, t, theta, map[*gorgonia.Node]*gorgonia.Node{q.Output: y}, p)
}

// likeTarget turns class numbers that were drawn into one-hot rows where the target has
// such.
func likeTarget(drawn, target *gorgonia.Node) (*gorgonia.Node, error) {
	classes := target.Dtype() != tensor.Int && target.Dims() == 2 &&
		drawn.Dtype() == tensor.Int && drawn.Dims() == 1 && drawn.Shape()[0] == target.Shape()[0]
	if !classes {
		return drawn, nil
	}
	n, dt := target.Shape()[1], target.Dtype()
	rows := gorgonia.NewMatrix(drawn.Graph(), dt, gorgonia.WithShape(n, n), gorgonia.WithName(fmt.Sprintf("one-hot/%d/%v", n, dt)))
	if rows.Value() == nil {
		if err := gorgonia.Let(rows, tensor.I(dt, n, n, 0)); err != nil {
			return nil, errors.Wrap(err, "graph: one-hot rows")
		}
	}
	return apoops.Take(rows, drawn, 0)
}
