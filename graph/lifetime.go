package graph

import (
	"maps"
	"reflect"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// lifetime is the part of a run in which the result of a node is needed: from the
// step that computes it to the last step that reads it, both included.
type lifetime struct{ from, to int }

func (l lifetime) meets(m lifetime) bool { return l.from <= m.to && m.from <= l.to }

// executionOrder are the nodes of a compiled program in the order in which its
// machine executes them, one after the other: Gorgonia's program keeps them in the
// field sorted. ok is false where that is not what it was in the version this was
// written for, and where a BLAS that puts its products off is in use.
func executionOrder(program any, g *gorgonia.ExprGraph) (order gorgonia.Nodes, ok bool) {
	if _, late := gorgonia.WhichBLAS().(interface{ DoWork() }); late {
		return nil, false
	}
	sorted := reflect.Indirect(reflect.ValueOf(program)).FieldByName("sorted")
	if sorted.Kind() != reflect.Slice || sorted.Type() != reflect.TypeFor[gorgonia.Nodes]() {
		return nil, false
	}
	byAddress := make(map[uintptr]*gorgonia.Node)
	for _, n := range g.AllNodes() {
		byAddress[reflect.ValueOf(n).Pointer()] = n
	}
	executed := make(map[*gorgonia.Node]bool, sorted.Len())
	for i := range sorted.Len() {
		n := byAddress[sorted.Index(i).Pointer()]
		if n == nil || executed[n] {
			return nil, false
		}
		for _, c := range children(n) {
			if !executed[c] {
				return nil, false
			}
		}
		executed[n] = true
		order = append(order, n)
	}
	return order, true
}

// lifetimes are those of the results of all nodes of a run, the last step of which
// is step len(order)-1. What nothing reads lives on after the run, and so do the
// given values. The result of an op that is not of package apoops may be memory of
// its operands: they live as long as it does, and for ever where nothing is known
// about the op.
func lifetimes(order, values gorgonia.Nodes) map[*gorgonia.Node]lifetime {
	after := len(order)
	last := make(map[*gorgonia.Node]int, len(order))
	for _, n := range values {
		last[n] = after
	}
	lives := make(map[*gorgonia.Node]lifetime, len(order))
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		if _, read := last[n]; !read {
			last[n] = after
		}
		lives[n] = lifetime{from: i, to: last[n]}
		until := last[n]
		switch {
		case isBuffered(n):
			until = i
		case n.Op() != nil && !forgets[typeName(n.Op())] && !apoops.IsJointSum(n.Op()):
			until = after
		}
		for _, c := range children(n) {
			last[c] = max(last[c], until)
		}
	}
	return lives
}

// forgets are Gorgonia's ops that keep no operand for the ops of their gradient, by
// type name.
var forgets = func() map[string]bool {
	all := maps.Clone(pureOps)
	all["reshapeOp"], all["col2imOp"] = true, true
	return all
}()

// isBuffered reports whether the node's op neither returns memory of its operands nor
// keeps it, as those of package apoops.
func isBuffered(n *gorgonia.Node) bool {
	_, ok := n.Op().(apoops.Buffered)
	return ok
}
