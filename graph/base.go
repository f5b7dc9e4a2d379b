package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Base is the first graph: J_B(θ) and g = ∇J_B(θ).
type Base struct {
	*program
	x, t       gorgonia.Nodes
	part       part
	weight     *gorgonia.Node // of the part, nil without a group
	grads      gorgonia.Nodes // as they are computed
	handed     gorgonia.Nodes // as they are handed out
	raw        []bool         // of handed: as they are computed, to be expanded and unscaled
	inBits     []Packed
	loss       gorgonia.Value
	statistics []*statistic
	rows       []*rowNodes     // by block of the RowReader, nil for a gradient
	left       []bool          // gradients that rows stand for
	formed     []*tensor.Dense // these gradients, and others, where Grads computes them
}

// NewBase builds the graph for batches of the example's dtypes and shapes. The
// graph reads the parameters' memory directly. masks may be nil for models
// without dropout.
func NewBase(src Source, params []*Param, example Batch, masks *apoops.Random) (*Base, error) {
	return NewBaseRows(src, params, example, masks, nil)
}

// NewBaseRows is NewBase, but the gradients of the blocks that r wants as rows, where
// they have such, are left out of the graph: GradsAndRows has their factors. r may be
// nil.
func NewBaseRows(src Source, params []*Param, example Batch, masks *apoops.Random, r RowReader) (*Base, error) {
	return construct(func() (*Base, error) { return buildBase(src, params, example, masks, r) })
}

func buildBase(src Source, params []*Param, example Batch, masks *apoops.Random, r RowReader) (*Base, error) {
	if err := CheckParams(params); err != nil {
		return nil, err
	}
	p, err := newProgramOf(src, params)
	if err != nil {
		return nil, err
	}
	b := &Base{program: p}
	if p.group != nil {
		r = nil
	}
	if example, masks, err = b.divide(example, masks); err != nil {
		return nil, err
	}
	b.x, b.t = b.inputsLike(example.X, "x"), b.inputsLike(example.T, "t")
	x, theta, err := b.inputsAndWeights(b.x, params)
	if err != nil {
		return nil, err
	}
	pass := b.pass(BaseRole, b.part, masks)
	loss, err := src.BuildLoss(pass, x, b.t, theta)
	if err != nil {
		return nil, err
	}
	wrt := learnedOf(params, theta)
	b.handed = make(gorgonia.Nodes, len(wrt))
	if err := b.differentiateJoint(loss, wrt, pass); err != nil {
		return nil, err
	}
	if b.statistics, err = readStatistics(pass.tracked, params, theta); err != nil {
		return nil, err
	}
	for _, t := range pass.tracked {
		b.keepSingle(t.batch)
	}
	rows := r != nil && b.chooseRows(r)
	if err := b.handOut(); err != nil {
		return nil, err
	}
	if rows {
		return b, b.compileFor(b.rowOutputs()...)
	}
	return b, b.compile(b.handed...)
}

// handOut makes the nodes of the gradients and rows that are read after a run. Sums over
// all members are there.
func (b *Base) handOut() error {
	b.left, b.raw = make([]bool, len(b.grads)), make([]bool, len(b.grads))
	for _, n := range b.rows {
		if n == nil {
			continue
		}
		for _, i := range n.params {
			b.left[i] = true
		}
		s, err := b.unscaled(n.s)
		if err != nil {
			return err
		}
		n.s = s[0]
	}
	for i, n := range b.grads {
		if b.left[i] || b.handed[i] != nil {
			continue
		}
		if b.packs(n) {
			b.handed[i], b.raw[i] = n, true
			b.packed[n] = true
			continue
		}
		g, err := b.unscaled(n)
		if err != nil {
			return err
		}
		b.handed[i] = g[0]
	}
	return nil
}

// Feed binds a batch.
func (b *Base) Feed(batch Batch) error { return b.fed(func() error { return b.bindOwn(batch) }) }

// bindOwn binds the part of a batch that is this member's.
func (b *Base) bindOwn(batch Batch) error {
	if b.group != nil {
		own, err := b.part.cut(batch)
		if err != nil {
			return err
		}
		if err := letScalar(b.weight, b.group.weights(b.part, batch, own).loss); err != nil {
			return err
		}
		batch = own
	}
	if err := letAll("input", b.x, batch.X); err != nil {
		return err
	}
	return letAll("target", b.t, batch.T)
}

// LossValue is J_B(θ) of the last run.
func (b *Base) LossValue() float64 { return scalar(b.loss) }

// Grads are the gradients of the last run, in the order of the Learned
// parameters. They are valid until the next run. Those that the graph leaves out are
// computed from their rows.
func (b *Base) Grads() ([]*tensor.Dense, error) {
	g, rows, err := b.GradsAndRows()
	if err != nil || rows == nil {
		return g, err
	}
	return b.form(g, rows)
}

// ancestors is the set of nodes that n is computed from, n included.
func ancestors(n *gorgonia.Node) map[*gorgonia.Node]bool {
	seen := map[*gorgonia.Node]bool{n: true}
	for stack := (gorgonia.Nodes{n}); len(stack) > 0; {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, c := range children(top) {
			if !seen[c] {
				seen[c] = true
				stack = append(stack, c)
			}
		}
	}
	return seen
}

// children are the operands of a node in order, repeated ones repeated.
func children(n *gorgonia.Node) gorgonia.Nodes { return apoops.Operands(n) }

func denseValues(nodes gorgonia.Nodes) ([]*tensor.Dense, error) {
	out := make([]*tensor.Dense, len(nodes))
	for i, n := range nodes {
		v, ok := n.Value().(*tensor.Dense)
		if !ok {
			return nil, errors.Errorf("graph: value of %s is a %T", describe(n), n.Value())
		}
		out[i] = v
	}
	return out, nil
}
