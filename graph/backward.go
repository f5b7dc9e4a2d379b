package graph

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// differentiate builds the gradients of a scalar by inputs of its graph, in the
// graph, and returns them in the inputs' order. It is gorgonia.Grad but for the sums
// where a node is read more than once, which Gorgonia computes on one core and in
// new memory, and for the errors. A graph is differentiated once.
func differentiate(cost *gorgonia.Node, wrt gorgonia.Nodes) (grads gorgonia.Nodes, err error) {
	return differentiateFrom(cost, nil, wrt, func(n *gorgonia.Node) (*gorgonia.Node, error) { return n, nil }, nil)
}

// differentiateFrom is differentiate for the cost times a number, seed, nil for 1. The
// gradients that ops make are what rounded makes of them. Unless it is nil, done is called
// with each gradient by wrt, by its place, once all that it is made of is built.
func differentiateFrom(cost, seed *gorgonia.Node, wrt gorgonia.Nodes, rounded func(*gorgonia.Node) (*gorgonia.Node, error),
	done func(i int, grad *gorgonia.Node) error) (grads gorgonia.Nodes, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("graph: differentiating: %v", r)
		}
	}()
	if !cost.IsScalar() {
		return nil, errors.Errorf("graph: the objective has shape %v, not a scalar", cost.Shape())
	}
	used := ancestors(cost)
	for _, n := range wrt {
		switch {
		case n.Op() != nil:
			return nil, errors.Errorf("graph: %s is computed: gradients are by inputs", describe(n))
		case !used[n]:
			return nil, errors.Errorf("graph: %q has no influence on the objective", weightName(n))
		}
	}
	b := backward{terms: make(map[*gorgonia.Node]gorgonia.Nodes), rounded: rounded}
	if b.order, err = readersFirst(cost, used); err != nil {
		return nil, err
	}
	if b.active, err = active(b.order, cost, wrt); err != nil {
		return nil, err
	}
	for _, n := range wrt {
		if !b.active[n] {
			return nil, errors.Errorf("graph: the objective depends on %q through ops without a gradient alone", weightName(n))
		}
	}
	if done != nil {
		b.hurry(wrt, done)
	}
	if err := b.pass(cost, seed); err != nil {
		return nil, err
	}
	for _, n := range wrt {
		grads = append(grads, n.Deriv())
	}
	return grads, nil
}

// readersFirst are the used nodes of cost's graph, each before its operands. The
// order is Gorgonia's, which decides in which order gradients are added up.
func readersFirst(cost *gorgonia.Node, used map[*gorgonia.Node]bool) (gorgonia.Nodes, error) {
	if err := mendLookup(cost.Graph()); err != nil {
		return nil, err
	}
	sorted, err := gorgonia.Sort(cost.Graph())
	if err != nil {
		return nil, errors.Wrap(err, "graph: sorting")
	}
	return slices.DeleteFunc(sorted, func(n *gorgonia.Node) bool { return !used[n] }), nil
}

// active are the nodes that depend on wrt and that cost depends on, both by ops
// with gradients.
func active(order gorgonia.Nodes, cost *gorgonia.Node, wrt gorgonia.Nodes) (map[*gorgonia.Node]bool, error) {
	moves := map[*gorgonia.Node]bool{cost: true} // the cost
	for _, n := range order {
		if moves[n] {
			for _, c := range differentiableOperands(n) {
				moves[c] = true
			}
		}
	}
	moved := make(map[*gorgonia.Node]bool) // by wrt
	for _, n := range wrt {
		moved[n] = true
	}
	both, readers := make(map[*gorgonia.Node]bool), readersOf(cost.Graph())
	for _, n := range slices.Backward(order) {
		moved[n] = moved[n] || slices.ContainsFunc(differentiableOperands(n), func(c *gorgonia.Node) bool { return moved[c] })
		both[n] = moved[n] && moves[n]
		if err := checkDifferentiable(n, moved, readers); err != nil {
			return nil, err
		}
	}
	return both, nil
}

// differentiableOperands are those operands that the node's op has a gradient by.
func differentiableOperands(n *gorgonia.Node) (operands gorgonia.Nodes) {
	op, ok := n.Op().(gorgonia.SDOp)
	if !ok {
		return nil
	}
	all := children(n)
	for i, differentiable := range op.DiffWRT(len(all)) {
		if differentiable {
			operands = append(operands, all[i])
		}
	}
	return operands
}

// checkDifferentiable reports an op without any gradient that is the only one to
// read a computed node that wrt moves. Where others read it too, such as the sum and
// the number of elements that make a mean, the node counts as a constant in it.
func checkDifferentiable(n *gorgonia.Node, moved map[*gorgonia.Node]bool, readers map[*gorgonia.Node]int) error {
	if _, ok := n.Op().(gorgonia.SDOp); ok || n.Op() == nil {
		return nil
	}
	for _, c := range children(n) {
		if moved[c] && c.Op() != nil && readers[c] == 1 {
			return errors.Errorf("graph: %s has no gradient", describe(n))
		}
	}
	return nil
}

// backward is one reverse pass.
type backward struct {
	order  gorgonia.Nodes
	active map[*gorgonia.Node]bool
	terms  map[*gorgonia.Node]gorgonia.Nodes // of the gradient by a node
	// rounded is the node that stands for a gradient of an op or a sum.
	rounded func(*gorgonia.Node) (*gorgonia.Node, error)

	// Of the nodes that are not to wait for their turn in order: the active readers that
	// have not been passed, and what is told of their gradients.
	readers map[*gorgonia.Node]int
	done    map[*gorgonia.Node]func(grad *gorgonia.Node) error
	passed  map[*gorgonia.Node]bool
}

// hurry has the gradients by wrt be made as soon as they can: inputs are the last nodes in
// order. So are those by nodes of one input that no other reads, such as rounded weights.
// The terms of gradients are added up in the same order as without.
func (b *backward) hurry(wrt gorgonia.Nodes, done func(i int, grad *gorgonia.Node) error) {
	b.readers, b.passed = make(map[*gorgonia.Node]int), make(map[*gorgonia.Node]bool)
	b.done = make(map[*gorgonia.Node]func(*gorgonia.Node) error)
	for i, n := range wrt {
		b.readers[n], b.done[n] = 0, func(grad *gorgonia.Node) error { return done(i, grad) }
	}
	count := func() {
		for n := range b.readers {
			b.readers[n] = 0
		}
		for _, n := range b.order {
			for _, c := range b.hurried(n) {
				b.readers[c]++
			}
		}
	}
	count()
	for _, n := range b.order {
		if c := children(n); b.active[n] && len(c) == 1 && b.done[c[0]] != nil && b.readers[c[0]] == 1 {
			b.readers[n] = 0
		}
	}
	count()
}

// hurried are the operands of an active node, each once, that do not wait for their turn.
func (b *backward) hurried(n *gorgonia.Node) (all gorgonia.Nodes) {
	if !b.active[n] || b.readers == nil {
		return nil
	}
	for _, c := range children(n) {
		if _, ok := b.readers[c]; ok && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// pass makes the gradients by all active nodes and enters them in Gorgonia's graph,
// which keeps its machine from overwriting those of inputs.
func (b *backward) pass(cost, seed *gorgonia.Node) error {
	if seed == nil {
		one, err := apoops.Choose[any](cost.Dtype(), float32(1), 1.0)
		if err != nil {
			return errors.WithMessagef(err, "graph: differentiating %s", describe(cost))
		}
		seed = cost.Graph().AddNode(gorgonia.NewConstant(one))
	}
	b.terms[cost] = gorgonia.Nodes{seed}
	for _, n := range b.order {
		if !b.active[n] || b.passed[n] {
			continue
		}
		if err := b.visit(n); err != nil {
			return err
		}
	}
	return nil
}

// visit makes the gradient by a node, and the terms that it contributes to others.
func (b *backward) visit(n *gorgonia.Node) error {
	if n.Deriv() != nil {
		return errors.Errorf("graph: %s has been differentiated before", describe(n))
	}
	grad, err := total(b.terms[n])
	if err == nil {
		grad, err = b.rounded(grad)
	}
	if err != nil {
		return errors.Wrapf(err, "graph: adding up the gradient by %s", describe(n))
	}
	gorgonia.SetDerivOf(grad, n)
	if done := b.done[n]; done != nil {
		if err := done(grad); err != nil {
			return err
		}
	}
	if n.Op() == nil {
		return nil
	}
	if err := b.step(n, grad); err != nil {
		return errors.Wrapf(err, "graph: gradient of %s", describe(n))
	}
	for _, c := range b.hurried(n) {
		if b.readers[c]--; b.readers[c] > 0 {
			continue
		}
		b.passed[c] = true
		if err := b.visit(c); err != nil {
			return err
		}
	}
	return nil
}

// step adds the terms that n contributes to the gradients by its operands.
func (b *backward) step(n, grad *gorgonia.Node) error {
	op, operands := n.Op().(gorgonia.SDOp), children(n)
	grads, err := op.SymDiff(operands, n, grad)
	if err != nil {
		return err
	}
	for i, differentiable := range op.DiffWRT(len(operands)) {
		switch {
		case !differentiable:
		case i >= len(grads) || grads[i] == nil:
			return errors.Errorf("there is none by operand %d", i)
		default:
			g, err := b.rounded(grads[i])
			if err != nil {
				return err
			}
			b.terms[operands[i]] = append(b.terms[operands[i]], g)
		}
	}
	return nil
}

// total is the sum of the terms in their order. Gorgonia adds those of unlike
// shapes, such as (n) and (1, n).
func total(terms gorgonia.Nodes) (*gorgonia.Node, error) {
	if len(terms) == 0 {
		return nil, errors.New("there are no terms")
	}
	alike := func(t *gorgonia.Node) bool {
		return t.Dtype() == terms[0].Dtype() && slices.Equal(t.Shape(), terms[0].Shape())
	}
	switch {
	case len(terms) == 1:
		return terms[0], nil
	case slices.ContainsFunc(terms, func(t *gorgonia.Node) bool { return !alike(t) }):
		return gorgonia.ReduceAdd(terms)
	}
	return apoops.Add(terms...)
}
