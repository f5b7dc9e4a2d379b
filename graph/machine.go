package graph

import (
	"reflect"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// machine is a gorgonia.VM for graphs of package apoops' ops. It runs them in the order of a
// tape machine, with the same values in the nodes, but in the caller's goroutine and without
// allocations. A tape machine starts a goroutine in each run and keeps the caller's thread
// for itself, so that each run wakes up two threads: more than the ops of a small net take.
type machine struct {
	program []instruction
	values  []gorgonia.Value // of the nodes
}

// instruction is the execution of a node.
type instruction struct {
	node *gorgonia.Node
	kind instructionKind
	in   []int            // where the operands are
	args []gorgonia.Value // their values
	into *gorgonia.Value  // of a read
}

type instructionKind int

const (
	leaf    instructionKind = iota // a value that is bound to the node, or a constant
	readOut                        // gorgonia.Read
	doOp
)

// newMachine is the machine for nodes in the order of their execution. It is nil where that
// is not known, and where a node needs the tape machine: Gorgonia's own ops do, which have it
// allocate their results, unless these are numbers.
func newMachine(order gorgonia.Nodes) *machine {
	if order == nil {
		return nil
	}
	m := &machine{program: make([]instruction, len(order)), values: make([]gorgonia.Value, len(order))}
	at := make(map[*gorgonia.Node]int, len(order))
	for i, n := range order {
		s := instruction{node: n}
		switch op := n.Op(); {
		case op == nil || isConstant(op):
		case typeName(op) == "readOp":
			if s.kind, s.into = readOut, readsInto(op); s.into == nil {
				return nil
			}
		case isOwn(op) || ofNumbers(n):
			s.kind = doOp
		default:
			return nil
		}
		for _, c := range children(n) {
			s.in = append(s.in, at[c])
		}
		s.args = make([]gorgonia.Value, len(s.in))
		m.program[i], at[n] = s, i
	}
	return m
}

func isOwn(op gorgonia.Op) bool {
	_, own := op.(apoops.Cloner)
	return own || apoops.IsJointSum(op)
}

// ofNumbers reports whether the node is a sum, product or function of numbers.
func ofNumbers(n *gorgonia.Node) bool {
	if name := typeName(n.Op()); name != "elemBinOp" && name != "elemUnaryOp" {
		return false
	}
	for _, c := range children(n) {
		if !c.IsScalar() {
			return false
		}
	}
	return n.IsScalar()
}

// readsInto is where the op of gorgonia.Read writes to, in its field into; nil where that is
// not what it was in the version this was written for.
func readsInto(op gorgonia.Op) *gorgonia.Value {
	into := reflect.Indirect(reflect.ValueOf(op)).FieldByName("into")
	if !into.IsValid() || into.Type() != reflect.TypeFor[*gorgonia.Value]() {
		return nil
	}
	return (*gorgonia.Value)(into.UnsafePointer())
}

// RunAll implements gorgonia.VM.
func (m *machine) RunAll() error {
	for i := range m.program {
		if err := m.execute(i); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) execute(i int) (err error) {
	s := &m.program[i]
	if s.kind == leaf {
		if m.values[i] = s.node.Value(); m.values[i] == nil {
			return errors.Errorf("no value is bound to %s", describe(s.node))
		}
		return nil
	}
	for j, from := range s.in {
		s.args[j] = m.values[from]
	}
	if s.kind == readOut {
		return read(s.into, s.args[0])
	}
	v, err := s.node.Op().Do(s.args...)
	if err != nil {
		return errors.WithMessage(err, describe(s.node))
	}
	m.values[i] = v
	if s.node.Value() != v { // it is the same in nearly all runs
		err = gorgonia.UnsafeLet(s.node, v)
	}
	return err
}

// read copies a value to where gorgonia.Read wants it.
func read(into *gorgonia.Value, v gorgonia.Value) (err error) {
	if *into == nil {
		*into, err = gorgonia.CloneValue(v)
		return errors.Wrap(err, "reading a value")
	}
	_, err = gorgonia.Copy(*into, v)
	return errors.Wrap(err, "reading a value")
}

// Reset implements gorgonia.VM: it lets go of the values.
func (m *machine) Reset() {
	clear(m.values)
	for i := range m.program {
		clear(m.program[i].args)
	}
}

// Close implements gorgonia.VM.
func (m *machine) Close() error { return nil }
