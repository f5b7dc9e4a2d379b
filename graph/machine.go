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
type machine struct{ program []instruction }

// instruction is the execution of a node.
type instruction struct {
	node     *gorgonia.Node
	operands gorgonia.Nodes
	args     []gorgonia.Value // the operands'
	into     *gorgonia.Value  // of gorgonia.Read, nil for other ops
}

// newMachine is the machine for nodes in the order of their execution. It is nil where that
// is not known, and where a node needs the tape machine: Gorgonia's own ops do, which have it
// allocate their results, unless these are numbers.
func newMachine(order gorgonia.Nodes) *machine {
	if order == nil {
		return nil
	}
	m := new(machine)
	for _, n := range order {
		op := n.Op()
		if op == nil || isConstant(op) {
			continue // has its value
		}
		in := instruction{node: n, operands: children(n)}
		in.args = make([]gorgonia.Value, len(in.operands))
		if typeName(op) == "readOp" {
			in.into = readsInto(op)
		}
		if in.into == nil && !isOwn(op) && !ofNumbers(n) {
			return nil
		}
		m.program = append(m.program, in)
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
		if err := m.program[i].execute(); err != nil {
			return err
		}
	}
	return nil
}

func (in *instruction) execute() error {
	for j, n := range in.operands {
		if in.args[j] = n.Value(); in.args[j] == nil {
			return errors.Errorf("no value is bound to %s", describe(n))
		}
	}
	if in.into != nil {
		return read(in.into, in.args[0])
	}
	v, err := in.node.Op().Do(in.args...)
	if err != nil {
		return errors.WithMessage(err, describe(in.node))
	}
	if in.node.Value() != v { // it is the same in nearly all runs
		err = gorgonia.UnsafeLet(in.node, v)
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

// Reset implements gorgonia.VM: it lets go of the operands, whose memory others may have
// given up by the next run.
func (m *machine) Reset() {
	for _, in := range m.program {
		clear(in.args)
	}
}

// Close implements gorgonia.VM.
func (m *machine) Close() error { return nil }
