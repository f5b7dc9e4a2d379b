package graph

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Rows are the factors of the gradient of a block that is the weight matrix of a fully
// connected layer, used once:
//
//	G = Āᵀ·S,  Ā = [A,1] where Bias is set, else A.
//
// With N rows below the sizes of the layer, products with Ā and S are cheaper than
// those with G.
type Rows struct {
	A    *tensor.Dense // inputs of the layer, N×inputs; nil for a block without rows
	S    *tensor.Dense // gradients of J_B by its pre-activations, N×outputs
	Bias bool
}

// RowReader is who takes gradients as rows.
type RowReader interface {
	// RowBlocks are the blocks in question.
	RowBlocks() []Block
	// WantsRows reports whether the gradient of block i is wanted as its rows, given
	// how many there are.
	WantsRows(i, rows int) bool
}

// rowNodes are the nodes of Rows.
type rowNodes struct {
	params []int
	a, s   *gorgonia.Node
	bias   bool
}

// chooseRows finds the rows of the blocks that want them, and reports whether there
// are any.
func (b *Base) chooseRows(r RowReader) bool {
	kept := b.keptNodes()
	blocks := r.RowBlocks()
	b.rows = make([]*rowNodes, len(blocks))
	for i, q := range blocks {
		n := b.rowsOf(q)
		if n != nil && kept(n.a) && kept(n.s) && r.WantsRows(i, n.a.Shape()[0]) {
			b.rows[i] = n
		}
	}
	if !slices.ContainsFunc(b.rows, func(n *rowNodes) bool { return n != nil }) {
		b.rows = nil
	}
	return b.rows != nil
}

// rowsOf finds the rows of a block's gradient, nil where it has none.
func (b *Base) rowsOf(q Block) *rowNodes {
	uses := usesOfBlock(q, b.grads)
	if len(uses) != 1 || uses[0].transposed || uses[0].Conv != nil {
		return nil
	}
	u := uses[0]
	inputs := u.A.Shape()[1]
	if u.Bias {
		inputs++
	}
	if q.Rows != inputs || q.Cols != u.S.Shape()[1] || u.A.Shape()[0] != u.S.Shape()[0] {
		return nil
	}
	return &rowNodes{params: q.Params, a: u.A, s: u.S, bias: u.Bias}
}

// keptNodes tells nodes whose values can be read after a run: data, and results of ops
// of package apoops that no other op reads. Gorgonia's machine may write the results
// of its own ops over their operands.
func (b *Base) keptNodes() func(n *gorgonia.Node) bool {
	foreign := make(map[*gorgonia.Node]bool)
	for _, n := range b.g.AllNodes() {
		if n.Op() == nil || isBuffered(n) {
			continue
		}
		for _, c := range children(n) {
			foreign[c] = true
		}
	}
	return func(n *gorgonia.Node) bool { return (n.Op() == nil || isBuffered(n)) && !foreign[n] }
}

// rowOutputs are the roots of the graph, with rows in place of the gradients that they
// are the factors of.
func (b *Base) rowOutputs() gorgonia.Nodes {
	var left, outputs gorgonia.Nodes
	for i, g := range b.grads {
		if b.left[i] {
			left = append(left, g)
		}
	}
	for _, n := range b.rows {
		if n != nil {
			outputs = append(outputs, n.a, n.s)
		}
	}
	for _, n := range slices.Concat(b.g.Roots(), b.handed) {
		if n != nil && !slices.Contains(left, n) && !slices.Contains(outputs, n) {
			outputs = append(outputs, n)
		}
	}
	return outputs
}

// GradsAndRows are the gradients of the last run, nil for those that the graph leaves
// out, and the rows of these by block of the RowReader; no rows at all where nothing
// is left out. They are valid until the next run.
func (b *Base) GradsAndRows() (g []*tensor.Dense, rows []Rows, err error) {
	g = make([]*tensor.Dense, len(b.grads))
	for i := range b.grads {
		if b.left[i] {
			continue
		}
		if g[i], err = b.handedOut(i); err != nil {
			return nil, nil, err
		}
	}
	if b.rows == nil {
		return g, nil, nil
	}
	rows = make([]Rows, len(b.rows))
	for i, n := range b.rows {
		if n == nil {
			continue
		}
		v, err := denseValues(gorgonia.Nodes{n.a, n.s})
		if err != nil {
			return nil, nil, err
		}
		rows[i] = Rows{A: v[0], S: v[1], Bias: n.bias}
	}
	return g, rows, nil
}

// form fills in the gradients that the graph leaves out.
func (b *Base) form(g []*tensor.Dense, rows []Rows) ([]*tensor.Dense, error) {
	form, err := apoops.Choose(b.dt, former(FormGradient[float32]), former(FormGradient[float64]))
	if err != nil {
		return nil, err
	}
	if b.storage.Low {
		form = former(func(g []float32, r Rows) {
			apoops.RoundedWeightGradient(b.storage.Format, b.scaleBy, g, r.A.Float32s(), r.S.Float32s(), r.Len())
		})
	}
	for i, n := range b.rows {
		if n == nil {
			continue
		}
		for _, j := range n.params {
			b.keepForm(j)
			g[j] = b.formed[j]
		}
		form(rows[i], g, n.params)
	}
	return g, nil
}

// former computes the gradient of a block, as f does, into the arrays of its parameters.
func former[T apoops.Float](f func(g []T, r Rows)) func(r Rows, g []*tensor.Dense, params []int) {
	return func(r Rows, g []*tensor.Dense, params []int) {
		if len(params) == 1 {
			f(apoops.Elements[T](g[params[0]]), r)
			return
		}
		rest := make([]T, r.Inputs()*r.S.Shape()[1])
		f(rest, r)
		for _, j := range params {
			rest = rest[copy(apoops.Elements[T](g[j]), rest):]
		}
	}
}

// FormGradient sets g, a matrix of the block's rows and columns, to Āᵀ·S, to the bits
// of the gradient that the graph would have computed.
func FormGradient[T apoops.Float](g []T, r Rows) {
	apoops.WeightGradient(g, apoops.Elements[T](r.A), apoops.Elements[T](r.S), r.Len())
}

// Len is the number of rows N, 0 for none.
func (r Rows) Len() int {
	if r.A == nil {
		return 0
	}
	return r.A.Shape()[0]
}

// Inputs is the number of columns of Ā.
func (r Rows) Inputs() int {
	if r.Bias {
		return r.A.Shape()[1] + 1
	}
	return r.A.Shape()[1]
}
