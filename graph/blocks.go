package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// blocking lets ops hand on images in blocks of channels. Tests turn it off.
var blocking = true

// blockImages has the ops of g hand on images in blocks of channels where all that read
// them can, and where a convolution is among the ops that must then agree. What leaves, the
// values and what nothing reads are plain.
func blockImages(g *gorgonia.ExprGraph, values gorgonia.Nodes) error {
	if !blocking {
		return nil
	}
	o := ordersOf(g, values)
	for _, n := range g.AllNodes() {
		if err := o.tell(n); err != nil {
			return errors.WithMessage(err, "graph: blocks of channels")
		}
	}
	return nil
}

// ordersOf finds out which values of g must be in one order.
func ordersOf(g *gorgonia.ExprGraph, values gorgonia.Nodes) orders {
	o := orders{of: make(map[*gorgonia.Node]*order)}
	for _, n := range values {
		o.find(n).plain = true
	}
	nodes := g.AllNodes()
	read := make(map[*gorgonia.Node]bool)
	for _, n := range nodes {
		for _, c := range children(n) {
			read[c] = true
		}
		o.agree(n)
	}
	for _, n := range nodes {
		if !read[n] {
			o.find(n).plain = true
		}
	}
	return o
}

// orders are the sets of values whose elements must be in one order.
type orders struct{ of map[*gorgonia.Node]*order }

// order is one of them, or a part of another.
type order struct {
	in           *order // nil for a whole set
	plain, gains bool   // for one value at least
}

func (o orders) find(n *gorgonia.Node) *order {
	s := o.of[n]
	if s == nil {
		s = new(order)
		o.of[n] = s
	}
	for s.in != nil {
		s = s.in
	}
	return s
}

// blocked reports whether the value of a node is in blocks of channels.
func (o orders) blocked(n *gorgonia.Node) bool {
	s := o.find(n)
	return s.gains && !s.plain
}

func (o orders) join(a, b *gorgonia.Node) {
	p, q := o.find(a), o.find(b)
	if p == q {
		return
	}
	q.in = p
	p.plain, p.gains = p.plain || q.plain, p.gains || q.gains
}

// arrays are the operands of a node and, as the last one, the node itself.
func arrays(n *gorgonia.Node) gorgonia.Nodes {
	c := children(n)
	return append(c[:len(c):len(c)], n)
}

// agree notes what the op of a node demands.
func (o orders) agree(n *gorgonia.Node) {
	op, ok := n.Op().(apoops.Blocker)
	if !ok {
		for _, m := range arrays(n) {
			o.find(m).plain = true
		}
		return
	}
	numbers, gains := op.Blocks()
	first := make(map[int]*gorgonia.Node)
	for i, m := range arrays(n) {
		switch number := numbers[i]; {
		case number == 0:
			o.find(m).plain = true
		case first[number] == nil:
			first[number] = m
			s := o.find(m)
			s.gains = s.gains || gains
		default:
			o.join(first[number], m)
		}
	}
}

// tell tells the op of a node which of its arrays are in blocks.
func (o orders) tell(n *gorgonia.Node) error {
	op, ok := n.Op().(apoops.Blocker)
	if !ok {
		return nil
	}
	var some bool
	all := arrays(n)
	blocked := make([]bool, len(all))
	numbers, _ := op.Blocks()
	for i, m := range all {
		blocked[i] = numbers[i] != 0 && o.blocked(m)
		some = some || blocked[i]
	}
	if !some {
		return nil
	}
	return op.SetBlocks(blocked)
}
