package apoops

import (
	"reflect"
	"slices"
	"unsafe"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Operands are the operands of a node in order, repeated ones repeated.
//
// They are read from the node itself: after some of Gorgonia's simplifications,
// such as those of BinaryXent, a graph's look-up by ID finds another node, and
// with it another node's operands.
func Operands(n *gorgonia.Node) gorgonia.Nodes {
	if operandsErr != nil {
		return operandsByID(n)
	}
	return slices.Clone(operandsAt(n, operandsOffset))
}

// CheckOperands reports that Gorgonia's nodes are not laid out as in the version
// this package was written for. Operands then looks nodes up by their IDs, which
// is right in graphs without Gorgonia's simplifications alone.
func CheckOperands() error { return operandsErr }

var operandsOffset, operandsErr = locateOperands()

// locateOperands finds the field in which a node keeps its operands, and tries it
// on a graph that is known.
func locateOperands() (uintptr, error) {
	field, ok := reflect.TypeFor[gorgonia.Node]().FieldByName("children")
	if !ok || field.Type != reflect.TypeFor[gorgonia.Nodes]() {
		return 0, errors.New("apoops: gorgonia.Node has no field children of type gorgonia.Nodes: Gorgonia v0.9.18 is needed")
	}
	g := gorgonia.NewGraph()
	a := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("a"))
	b := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("b"))
	sum, err := gorgonia.Add(b, a)
	if err != nil {
		return 0, errors.Wrap(err, "apoops: trying how Gorgonia keeps operands")
	}
	double, err := gorgonia.Add(sum, sum)
	if err != nil {
		return 0, errors.Wrap(err, "apoops: trying how Gorgonia keeps operands")
	}
	for n, want := range map[*gorgonia.Node]gorgonia.Nodes{a: nil, sum: {b, a}, double: {sum, sum}} {
		if !slices.Equal(operandsAt(n, field.Offset), want) {
			return 0, errors.New("apoops: gorgonia.Node does not keep its operands in the field children: Gorgonia v0.9.18 is needed")
		}
	}
	return field.Offset, nil
}

func operandsAt(n *gorgonia.Node, offset uintptr) gorgonia.Nodes {
	return *(*gorgonia.Nodes)(unsafe.Add(unsafe.Pointer(n), offset))
}

func operandsByID(n *gorgonia.Node) (c gorgonia.Nodes) {
	if n.Graph() == nil {
		return nil // a constant that stands in no graph
	}
	it := n.Graph().From(n.ID())
	if it == nil {
		return nil
	}
	for it.Next() {
		c = append(c, it.Node().(*gorgonia.Node))
	}
	return c
}
