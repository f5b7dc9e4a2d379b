package graph

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// building serialises the construction and compilation of graphs: Gorgonia
// keeps state of its own meanwhile.
var building sync.Mutex

// tapeOnly is for tests that compare machine with Gorgonia's.
var tapeOnly bool

// program is a compiled graph with named inputs.
type program struct {
	g      *gorgonia.ExprGraph
	dt     tensor.Dtype
	vm     gorgonia.VM
	order  gorgonia.Nodes // of execution, nil where it is not known
	values gorgonia.Nodes // whose values are read after a run

	group   *group       // nil where there is one member
	bind    func() error // binds a part of the batch; nil without parts
	storage Storage
	leaf    map[*gorgonia.Node]*gorgonia.Node // behind each rounded weight
	single  map[*gorgonia.Node]bool           // results that stay in float32
	packed  map[*gorgonia.Node]bool           // values that may be read in 16 bits
	scale   *gorgonia.Node                    // of the loss, nil without Low
	scaleBy float64                           // its value

	arena   *arena
	layouts []any // of the results in the arena

	singleResults *layout[float32] // of the results that outlive a run
	doubleResults *layout[float64]
	packedResults *layout[uint16]
}

func newProgram(dt tensor.Dtype) *program {
	return &program{g: gorgonia.NewGraph(), dt: dt, arena: new(arena)}
}

// input adds a leaf of the given shape.
func (p *program) input(dt tensor.Dtype, shape tensor.Shape, format string, a ...any) *gorgonia.Node {
	name := gorgonia.WithName(renaming + fmt.Sprintf(format, a...))
	if shape.IsScalar() {
		return gorgonia.NewScalar(p.g, dt, name)
	}
	return gorgonia.NewTensor(p.g, dt, shape.Dims(), gorgonia.WithShape(shape.Clone()...), name)
}

// inputsLike adds leaves of the arrays' dtypes and shapes.
func (p *program) inputsLike(arrays []*tensor.Dense, name string) gorgonia.Nodes {
	nodes := make(gorgonia.Nodes, len(arrays))
	for i, a := range arrays {
		nodes[i] = p.input(a.Dtype(), a.Shape(), "%s%d", name, i)
	}
	return nodes
}

// weights adds leaves for the parameters, bound to their values through headers
// of their own over the same memory, and returns the nodes that models see: with
// Storage.Low those of rounded weights. The results of the program lie in the arena of
// these parameters.
func (p *program) weights(params []*Param, name string) (gorgonia.Nodes, error) {
	p.arena = arenaOf(params)
	nodes := make(gorgonia.Nodes, len(params))
	for i, q := range params {
		nodes[i] = p.input(p.dt, q.Value.Shape(), "%s/%s", name, q.Name)
		if err := gorgonia.Let(nodes[i], Alias(q.Value)); err != nil {
			return nil, errors.Wrapf(err, "graph: binding parameter %q", q.Name)
		}
		if q.Statistic || !p.storage.Low {
			continue
		}
		leaf := nodes[i]
		var err error
		if nodes[i], err = p.storage.rounded(leaf); err != nil {
			return nil, err
		}
		p.leaf[nodes[i]] = leaf
	}
	return nodes, nil
}

// compile checks that the graph's nodes are distinct and makes its VM. The values
// of nodes that are read after a run are to be named, apart from those that nothing
// in the graph depends on and those of gorgonia.Read: after a run others may be
// overwritten.
func (p *program) compile(values ...*gorgonia.Node) error { return p.compileGraph(p.g, values) }

// compileFor is compile for a VM that computes what the outputs need and no more.
func (p *program) compileFor(outputs ...*gorgonia.Node) error {
	return p.compileGraph(p.g.ExactSubgraphRoots(outputs...), outputs)
}

func (p *program) compileGraph(g *gorgonia.ExprGraph, values gorgonia.Nodes) (err error) {
	if err := checkRandom(p.g.AllNodes()); err != nil {
		return err
	}
	if err := distinct(p.g); err != nil {
		return err
	}
	if err := p.checkSums(g); err != nil {
		return err
	}
	if err := mendLookup(g); err != nil {
		return err
	}
	if err := p.roundResults(g, values); err != nil {
		return err
	}
	if err := blockImages(g, values); err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("graph: compiling: %v", r)
		}
	}()
	vm := gorgonia.NewTapeMachine(g)
	// The VM's finalizer closes cycles with its nodes, which would keep the
	// whole program alive for ever.
	runtime.SetFinalizer(vm, nil)
	p.vm, p.values = vm, values
	p.order, _ = executionOrder(vm.Prog(), g)
	// Results in 16 bits are not of their nodes' dtype, which the machine could not bind.
	if m := newMachine(p.order); m != nil && !p.storage.Low && !tapeOnly {
		p.vm = m
	}
	p.group.setOrder(p.order)
	return p.shareMemory()
}

// Run executes the program on the values bound to its inputs. Programs over the same
// weights wait for one another.
func (p *program) Run() error {
	if err := p.group.check(); err != nil {
		return err
	}
	p.arena.mu.Lock()
	defer p.arena.mu.Unlock()
	return p.eachPart(func() error {
		err := p.vm.RunAll()
		p.vm.Reset()
		if of, ok := err.(interface{ Err() error }); ok {
			err = of.Err() // Gorgonia's error around it does not unwrap
		}
		return errors.Wrap(err, "graph: running")
	})
}

// letAll binds arrays to nodes after comparing dtypes and shapes, which
// Gorgonia does not.
func letAll(kind string, nodes gorgonia.Nodes, arrays []*tensor.Dense) error {
	if len(nodes) != len(arrays) {
		return errors.Errorf("graph: %d %ss for a graph with %d", len(arrays), kind, len(nodes))
	}
	for i, n := range nodes {
		a := arrays[i]
		if a == nil {
			return errors.Errorf("graph: %s %d is missing", kind, i)
		}
		if isBound(n, a) {
			continue
		}
		different := ErrShape
		if a.Dtype() != n.Dtype() {
			different = ErrDtype
		}
		if a.Dtype() != n.Dtype() || !apoops.SameShape(a.Shape(), n.Shape()) {
			return different.Errorf("graph: %s %d is %v of shape %v; the graph was built for %v of shape %v", kind, i, a.Dtype(), a.Shape(), n.Dtype(), n.Shape())
		}
		if !RowMajor(a) {
			return errors.Errorf("graph: %s %d is a view or column-major: clone it in row-major order", kind, i)
		}
		if err := gorgonia.Let(n, Alias(a)); err != nil {
			return errors.Wrapf(err, "graph: binding %s %d", kind, i)
		}
	}
	return nil
}

// isBound reports whether the node's value is a header over the array's memory already, in
// the same shape, as in all steps but the first where arrays are filled again and again.
func isBound(n *gorgonia.Node, a *tensor.Dense) bool {
	v, ok := n.Value().(*tensor.Dense)
	return ok && v.Uintptr() == a.Uintptr() && v.Dtype() == a.Dtype() && v.Shape().Eq(a.Shape()) && RowMajor(v) && RowMajor(a)
}

// letScalar binds a number to a scalar node of either dtype.
func letScalar(n *gorgonia.Node, v float64) error {
	number, err := apoops.Choose[any](n.Dtype(), float32(v), v)
	if err == nil {
		err = gorgonia.Let(n, number)
	}
	return errors.Wrapf(err, "graph: binding %s", n.Name())
}

// RowMajor reports whether the tensor's memory is its elements in row-major
// order, as everything here reads it. A transposed view is not.
func RowMajor(t *tensor.Dense) bool { return !t.RequiresIterator() && !t.DataOrder().IsColMajor() }

// Alias is a new header over t's memory, which must be row-major. One header must not be in two virtual
// machines: products change it for a moment.
func Alias(t *tensor.Dense) *tensor.Dense { return alias(t, t.Shape().Clone()) }

// alias is Alias with another shape.
func alias(t *tensor.Dense, shape tensor.Shape) *tensor.Dense { return aliasFrom(t, 0, shape) }

// aliasFrom is alias of the elements from the given one on.
func aliasFrom(t *tensor.Dense, from int, shape tensor.Shape) *tensor.Dense {
	to := from + shape.TotalSize()
	if t.Dtype() == tensor.Int {
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(t.Ints()[from:to:to]))
	}
	of, err := apoops.Choose(t.Dtype(), aliasOf[float32], aliasOf[float64])
	if err != nil {
		return t.Clone().(*tensor.Dense)
	}
	return of(t, from, to, shape)
}

func aliasOf[T apoops.Float](t *tensor.Dense, from, to int, shape tensor.Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(apoops.Elements[T](t)[from:to:to]))
}

// ScalarValue is a scalar value, or the element of a tensor that has one, as a
// number.
func ScalarValue(v gorgonia.Value) (float64, error) {
	if x, ok := apoops.Number(v); ok {
		return x, nil
	}
	return 0, errors.Errorf("graph: %T is not a float scalar", v)
}

// scalar is ScalarValue of a node that is known to be one; NaN otherwise.
func scalar(v gorgonia.Value) float64 {
	x, err := ScalarValue(v)
	if err != nil {
		return math.NaN()
	}
	return x
}

// distinct reports nodes that Gorgonia would take for one, see errSameHash.
func distinct(g *gorgonia.ExprGraph) error {
	seen := make(map[uint32]*gorgonia.Node)
	for _, n := range g.AllNodes() {
		if other, ok := seen[n.Hashcode()]; ok && other != n {
			return errors.WithMessagef(errSameHash, "graph: %q and %q: give one another name", describe(other), describe(n))
		}
		seen[n.Hashcode()] = n
	}
	return nil
}

// weightName is the name of a leaf, of a parameter's the parameter's own.
func weightName(n *gorgonia.Node) string {
	return strings.TrimPrefix(strings.TrimPrefix(n.Name(), renaming), "theta/")
}

// describe names a node for an error message.
func describe(n *gorgonia.Node) string {
	switch {
	case unnamed(n):
		return fmt.Sprintf("the unnamed leaf of shape %v (node %d)", n.Shape(), n.ID())
	case n.Op() == nil:
		return n.Name()
	}
	return fmt.Sprintf("%v (node %d, shape %v)", n.Op(), n.ID(), n.Shape())
}
