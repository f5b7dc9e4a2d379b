package graph

import (
	"reflect"
	"slices"
	"unsafe"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
)

// mendLookup has a graph of our own find all of its nodes by their IDs. Gorgonia
// remembers places of nodes that are not theirs any more once it has removed others
// from the graph, as BinaryXent does; sorting and compiling look nodes up by ID.
func mendLookup(g *gorgonia.ExprGraph) error {
	confused := func(n *gorgonia.Node) bool { return g.Node(n.ID()) != n }
	if !slices.ContainsFunc(g.AllNodes(), confused) {
		return nil
	}
	field, ok := reflect.TypeFor[gorgonia.ExprGraph]().FieldByName("byID")
	if ok && field.Type == reflect.TypeFor[map[int64]int]() {
		clear(*(*map[int64]int)(unsafe.Add(unsafe.Pointer(g), field.Offset)))
	}
	if i := slices.IndexFunc(g.AllNodes(), confused); i >= 0 {
		return errors.Errorf("graph: Gorgonia takes %s for another node", describe(g.AllNodes()[i]))
	}
	return nil
}

// readersOf counts for each node of a graph the nodes that read it.
func readersOf(g *gorgonia.ExprGraph) map[*gorgonia.Node]int {
	readers := make(map[*gorgonia.Node]int)
	for _, n := range g.AllNodes() {
		operands := children(n)
		for i, c := range operands {
			if !slices.Contains(operands[:i], c) {
				readers[c]++
			}
		}
	}
	return readers
}
